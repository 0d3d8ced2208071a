"""What raw rows become, and that every one of them is accounted for."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from ethogram import event, reference, sql_table
from ethogram.core.sources.errors import MappingChanged
from ethogram.errors import Problems

REFUND = event("commerce.refund", where="n > 0", customer="who", amount="price")
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: who, logicalType: string}
      - {name: at, logicalType: timestamp, required: true}
      - {name: n, logicalType: integer, logicalTypeOptions: {minimum: 0}}
      - {name: price, logicalType: number, required: true}
"""


def refunds(at, **columns):
    """Three good rows, with what is to differ."""
    return {"who": ["a", "b", "a"], "at": [at(1), at(2), at(3)], "n": [1, 1, 1], "price": [1.0, 2.0, 3.0]} | columns


def test_each_row_is_an_event_or_anonymous_or_unmapped_or_quarantined(place, at):
    place.write(
        "a.parquet",
        {
            "who": ["a", None, "a", None, "b"],
            "at": [at(1), at(1), at(2), None, at(3)],
            "n": [1, 1, 0, 1, 1],
            "price": [1.5, 2.0, 3.0, 4.0, None],
        },
    )
    report = place.ingest(place.plan(REFUND, currency="EUR"))
    account = report.account
    assert (account.rows, account.mapped, account.anonymous, account.unmapped, account.quarantined) == (5, 1, 1, 1, 2)
    (made,) = place.events("commerce.refund")
    assert (made["customer"], made["amount"], made["occurred_at"]) == ("a", Decimal("1.5"), at(1))
    assert made["source"] == place.name
    assert made["run"] == report.run
    assert [(row, [r["rule"] for r in reasons]) for row, reasons, _ in place.quarantined()] == [
        (4, ["time"]),
        (5, ["required"]),
    ]


def test_rows_that_look_alike_stay_events_of_their_own_with_ids_anyone_can_derive(place, at):
    place.write("a.parquet", {"who": ["a", "a", "b"], "at": [at(1)] * 3, "n": [1, 1, 1], "price": ["2", "2", "2"]})
    place.ingest(place.plan(event("commerce.refund", customer="who", amount="decimal(price)"), currency="EUR"))
    expected = set()
    for who, k in [("a", 1), ("a", 2), ("b", 1)]:
        row = "\x1f".join(["at=2025-01-01 00:00:00+00", "n=1", "price=2", f"who={who}"])
        expected.add(hashlib.sha256(f"{place.name}\x1f{row}\x1f{k}".encode()).hexdigest()[:32])
    assert {made["event_id"] for made in place.events("commerce.refund")} == expected


def test_taking_the_same_file_in_again_changes_nothing(place, at):
    place.write("a.parquet", refunds(at))
    plan = place.plan(REFUND, currency="EUR")
    place.ingest(plan)
    version = place.lake.files("events/commerce.refund").version
    again = place.ingest(plan)
    assert again.skipped == ("a.parquet",)
    assert again.line().startswith("already in (1 file)")
    assert place.lake.files("events/commerce.refund").version == version


def test_rows_that_an_earlier_file_held_are_duplicates_in_a_later_one(place, at):
    plan = place.plan(REFUND, currency="EUR")
    place.write("a.parquet", refunds(at))
    place.ingest(plan)
    place.write("b.parquet", {key: values + values[:1] for key, values in refunds(at).items()})
    report = place.ingest(plan)
    # The fourth row looks like the first, so it is the second of its kind: that one is new.
    assert (report.duplicates, report.events) == (3, {"commerce.refund": 1})
    assert len(place.events("commerce.refund")) == 4


def test_one_event_id_is_one_event_however_often_it_comes(place, at):
    place.write("a.parquet", refunds(at, who=["x", "x", "y"]))
    report = place.ingest(
        place.plan(event("commerce.refund", customer="who", amount="price", event_id="who"), currency="EUR")
    )
    assert (report.account.mapped, report.duplicates) == (3, 1)
    assert [(made["event_id"], made["amount"]) for made in place.events("commerce.refund")] == [("x", 1), ("y", 3)]


def test_lines_of_a_group_make_one_event_at_the_time_of_the_first(place, at):
    place.write(
        "a.parquet",
        {
            "order": ["o1", "o2", "o1", "o1"],
            "who": [7, 8, 7, 7],
            "at": [at(1, 0, 5), at(1), at(1), at(1, 0, 9)],
            "n": [1, 2, 3, 1],
            "price": [0.1, 5.0, 0.2, None],
            "topic": ["late", "x", "first", "latest"],
        },
    )
    plan = place.plan(
        event(
            "commerce.purchase",
            group_by="order",
            customer="who",
            amount="sum(n * price)",
            items="sum(n)",
            category="topic",
        ),
        currency="EUR",
    )
    report = place.ingest(plan)
    assert report.account.mapped == 4
    one, two = sorted(place.events("commerce.purchase"), key=lambda made: made["customer"])
    assert (one["amount"], one["items"], one["category"], one["customer"]) == (Decimal("0.7"), 5, "first", "7")
    assert one["occurred_at"] == at(1)
    # A sum over lines cannot be known before its last line is.
    assert one["available_at"] == at(1, 0, 9)
    assert two["amount"] == 10


def test_a_group_that_only_its_first_line_decides_is_known_with_that_line(place, at):
    place.write("a.parquet", {"ticket": ["t", "t"], "who": ["c", "c"], "at": [at(1), at(9)], "topic": ["a", "b"]})
    place.ingest(
        place.plan(event("support.ticket_opened", group_by="ticket", customer="who", ticket="ticket", topic="topic"))
    )
    (made,) = place.events("support.ticket_opened")
    assert (made["occurred_at"], made["available_at"], made["topic"], made["ticket"]) == (at(1), at(1), "a", "t")


def test_what_only_a_later_line_says_is_not_known_with_the_first(place, at):
    place.write("a.parquet", {"ticket": ["t", "t"], "who": ["c", "c"], "at": [at(1), at(9)], "topic": [None, "b"]})
    place.ingest(
        place.plan(event("support.ticket_opened", group_by="ticket", customer="who", ticket="ticket", topic="topic"))
    )
    (made,) = place.events("support.ticket_opened")
    assert (made["available_at"], made["topic"]) == (at(1), None)


def test_a_bad_line_is_kept_back_without_the_rest_of_its_group(place, at):
    place.write("a.parquet", {"o": ["o1"] * 3, "who": ["a"] * 3, "at": [at(1)] * 3, "price": [1.0, float("nan"), 2.0]})
    report = place.ingest(
        place.plan(event("commerce.purchase", group_by="o", customer="who", amount="sum(price)"), currency="EUR")
    )
    assert (report.account.mapped, report.account.quarantined) == (2, 1)
    assert place.events("commerce.purchase")[0]["amount"] == 3


def test_a_group_that_is_no_event_takes_its_lines_with_it_also_out_of_other_events(place, at):
    place.write(
        "a.parquet",
        {
            "o": ["big", "big", "ok"],
            "day": ["d", "e", "d"],
            "who": ["a"] * 3,
            "at": [at(1)] * 3,
            "price": [9e11, 9e11, 5.0],
        },
    )
    plan = place.plan(
        event("commerce.purchase", group_by="o", customer="who", amount="sum(price)"),
        event("commerce.purchase_reported", group_by="day", customer="who", amount="sum(price)"),
        currency="EUR",
    )
    report = place.ingest(plan)
    assert (report.account.mapped, report.account.quarantined) == (1, 2)
    assert [made["amount"] for made in place.events("commerce.purchase")] == [5]
    assert [made["amount"] for made in place.events("commerce.purchase_reported")] == [5]
    assert {reasons[0]["rule"] for _, reasons, _ in place.quarantined()} == {"overflow"}


def test_a_row_that_two_rules_take_counts_once(place, at):
    place.write("a.parquet", refunds(at))
    plan = place.plan(
        event("commerce.refund", customer="who", amount="price"),
        event("commerce.purchase", where="price > 1", customer="who", amount="price"),
        event("commerce.purchase", where="price > 2", customer="who", amount="price * 2"),
        currency="EUR",
    )
    report = place.ingest(plan)
    assert report.account.mapped == 3
    assert report.events == {"commerce.refund": 3, "commerce.purchase": 3}
    assert len({made["event_id"] for made in place.events("commerce.purchase")}) == 3


def test_local_times_are_read_in_the_sources_zone_and_odd_ones_are_counted(place):
    local = [
        datetime(2025, 1, 1, 12),
        datetime(2025, 7, 1, 12),
        datetime(2025, 3, 30, 1, 30),  # skipped: the clock went from 1:00 to 2:00
        datetime(2025, 10, 26, 1, 30),  # twice: the clock went back from 2:00 to 1:00
    ]
    place.write("a.parquet", {"who": ["a"] * 4, "at": pa.array(local, pa.timestamp("ms")), "price": [1.0] * 4})
    plan = place.plan(
        event("commerce.refund", customer="who", amount="price"), timezone="Europe/London", currency="GBP"
    )
    report = place.ingest(plan)
    assert (report.account.ambiguous, report.account.nonexistent) == (1, 1)
    assert [made["occurred_at"] for made in place.events("commerce.refund")] == [
        datetime(2025, 1, 1, 12, tzinfo=UTC),
        datetime(2025, 3, 30, 1, 30, tzinfo=UTC),  # 2:30 by the clock: shifted forward
        datetime(2025, 7, 1, 11, tzinfo=UTC),
        datetime(2025, 10, 26, 1, 30, tzinfo=UTC),  # the later of 0:30 and 1:30 UTC
    ]
    assert "ambiguous times 1 · non-existent times 1" in report.line()


def test_times_with_a_zone_of_their_own_ignore_the_sources(place):
    zoned = pa.array([datetime(2025, 7, 1, 12)], pa.timestamp("ms", "America/New_York"))
    place.write("a.parquet", {"who": ["a"], "at": zoned, "price": [1.0]})
    place.ingest(
        place.plan(event("commerce.refund", customer="who", amount="price"), timezone="Asia/Tokyo", currency="EUR")
    )
    assert place.events("commerce.refund")[0]["occurred_at"] == datetime(2025, 7, 1, 12, tzinfo=UTC)


def test_known_at_wins_over_the_sources_delay(place, at):
    place.write("a.parquet", refunds(at, known=[at(5), at(6), at(7)]))
    place.ingest(place.plan(REFUND, currency="EUR", known_after="1h", known_at="known"))
    assert [made["available_at"] for made in place.events("commerce.refund")] == [at(5), at(6), at(7)]


def test_before_live_since_the_delay_counts_and_from_then_on_the_arrival(place, at):
    place.write("a.parquet", refunds(at))
    place.ingest(place.plan(REFUND, currency="EUR", known_after="1h", live_since="2025-01-03"))
    assert [made["available_at"] for made in place.events("commerce.refund")] == [at(1, 1), at(2, 1), place.clock.time]


def test_a_day_is_its_start_in_the_sources_zone_and_known_when_it_is_over(place):
    place.write("a.parquet", {"who": ["a"], "at": [date(2025, 7, 1)], "price": [1.0]})
    place.ingest(
        place.plan(
            event("commerce.refund", customer="who", amount="price"),
            timezone="America/New_York",
            known_after="1d",
            currency="USD",
        )
    )
    (made,) = place.events("commerce.refund")
    assert made["occurred_at"] == datetime(2025, 7, 1, 4, tzinfo=UTC)
    assert made["available_at"] == made["occurred_at"] + timedelta(days=1)


def test_only_what_is_finer_than_a_microsecond_is_kept_back(place):
    ns = pa.array([1_735_689_600_000_001_000, 1_735_689_600_000_001_001], pa.timestamp("ns"))
    place.write("a.parquet", {"who": ["a", "b"], "at": ns, "price": [1.0, 1.0]})
    report = place.ingest(place.plan(event("commerce.refund", customer="who", amount="price"), currency="EUR"))
    assert report.account.quarantined == 1
    assert place.events("commerce.refund")[0]["occurred_at"] == datetime(2025, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert place.quarantined()[0][1][0]["message"] == "at is finer than a microsecond"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_csv_is_read_as_the_contract_says_and_what_does_not_fit_is_kept_back_as_it_was(place, packed):
    lines = [
        "who,at,n,price",
        "17850,2025-01-01 10:00:00,1,2.50",
        "17851,2025-01-01T10:00:00+02:00,1,1e2",
        "17852,yesterday,1,2.50",
        "17853,2025-01-01 10:00:00,1.5,2.50",
        "17854,2025-01-01 10:00:00,-1,2.50",
        "17855,2025-01-01 10:00:00,1,",
    ]
    text = "\n".join(lines).encode()
    (place.data / ("a.csv.gz" if packed else "a.csv")).write_bytes(gzip.compress(text) if packed else text)
    plan = place.plan(REFUND, rows="*.csv.gz" if packed else "*.csv", currency="EUR", contract=CONTRACT)
    report = place.ingest(plan)
    assert (report.account.mapped, report.account.quarantined) == (2, 4)
    first, second = place.events("commerce.refund")
    assert (first["occurred_at"].hour, second["occurred_at"].hour) == (8, 10)
    assert (first["amount"], second["amount"]) == (100, Decimal("2.5"))
    kept = {row: (reasons[0]["rule"], reasons[0]["column"]) for row, reasons, _ in place.quarantined()}
    assert kept == {3: ("type", "at"), 4: ("type", "n"), 5: ("minimum", "n"), 6: ("required", "price")}
    assert place.quarantined()[0][2]["at"] == "yesterday"


def test_csv_without_a_contract_gets_its_types_from_the_whole_file(place):
    rows = [f"{i},2025-01-01 10:00:00,{i}" for i in range(3000)] + ["x1,2025-01-01 10:00:00,0.5"]
    (place.data / "a.csv").write_text("\n".join(["who,at,price", *rows]))
    report = place.ingest(
        place.plan(event("commerce.refund", customer="who", amount="price"), rows="a.csv", currency="EUR")
    )
    assert (report.account.mapped, report.account.quarantined) == (3001, 0)
    assert place.keys.find("customer", ["2999", "x1"]).count(None) == 0


def test_json_lines_are_rows_and_a_key_that_is_not_there_is_null(place):
    rows = [
        {"who": "a", "at": "2025-01-01T10:00:00Z", "n": 1, "price": 1.25},
        {"who": "b", "at": "2025-01-02T10:00:00Z", "n": 1},
    ]
    (place.data / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = place.ingest(place.plan(REFUND, rows="*.jsonl", currency="EUR", contract=CONTRACT))
    assert (report.account.mapped, report.account.quarantined) == (1, 1)
    assert place.events("commerce.refund")[0]["amount"] == Decimal("1.25")


def test_a_database_table_is_a_source_whose_address_is_not_in_the_repository(place, tmp_path):
    database = sqlite3.connect(tmp_path / "shop.db")
    database.execute("create table orders (id integer primary key, who text, at timestamp, price numeric(10, 2))")
    database.executemany(
        "insert into orders values (?, ?, ?, ?)",
        [(i, f"c{i % 3}", f"2025-01-{i % 28 + 1:02d} 00:00:00.000000", i) for i in range(1, 101)],
    )
    database.commit()
    place.environment["SHOP_DATABASE_URL"] = f"sqlite:///{tmp_path / 'shop.db'}"
    plan = place.plan(
        event("commerce.refund", customer="who", amount="price"),
        rows=sql_table("orders", url_env="SHOP_DATABASE_URL"),
        currency="EUR",
    )
    assert place.ingest(plan).events == {"commerce.refund": 100}
    assert place.ingest(plan).skipped == ("table orders",)
    database.execute("insert into orders values (101, 'c9', '2025-02-01 00:00:00.000000', 5)")
    database.commit()
    report = place.ingest(plan)
    assert (report.duplicates, report.events) == (100, {"commerce.refund": 1})


def test_numbers_that_are_none_are_kept_back(place, at):
    place.write("a.parquet", refunds(at, price=[float("inf"), float("nan"), 3.0]))
    report = place.ingest(place.plan(REFUND, currency="EUR"))
    assert (report.account.quarantined, report.account.mapped) == (2, 1)
    for row, (_, reasons, _) in enumerate(place.quarantined()):
        assert ("finite", "price") in {(reason["rule"], reason["column"]) for reason in reasons}, row


def test_what_overflows_is_kept_back_and_the_rest_goes_on(place, at):
    place.write("a.parquet", refunds(at, price=[1e13, 1e300, 3.0], n=[2**62, 2**62, 1]))
    plan = place.plan(event("commerce.refund", customer="who", amount="price", items="n * 4"), currency="EUR")
    report = place.ingest(plan)
    assert (report.account.quarantined, report.account.mapped) == (2, 1)
    rules = [{reason["rule"] for reason in reasons} for _, reasons, _ in place.quarantined()]
    assert rules == [{"overflow", "expression"}, {"expression"}]  # 1e13 is a number that money cannot hold


def test_keys_are_the_same_text_whatever_type_a_file_has(place, at):
    plan = place.plan(event("commerce.refund", customer="who", amount="price"), currency="EUR")
    for name, who in {
        "a": pa.array([17850], pa.int32()),
        "b": pa.array([17850.0]),
        "c": pa.array(["17850"]),
        "d": pa.array([Decimal("17850.00")]),
    }.items():
        place.write(f"{name}.parquet", {"who": who, "at": [at(1)], "price": [1.0]})
    place.ingest(plan)
    assert {made["customer"] for made in place.events("commerce.refund")} == {"17850"}
    assert len(set(place.table("commerce.refund")["customer"].to_pylist())) == 1


def test_a_key_that_is_half_a_number_is_none(place, at):
    place.write("a.parquet", {"who": [1.5, 2.0], "at": [at(1)] * 2, "price": [1.0] * 2})
    report = place.ingest(place.plan(event("commerce.refund", customer="who", amount="price"), currency="EUR"))
    assert (report.account.quarantined, report.account.mapped) == (1, 1)


@pytest.mark.parametrize("group_by", [None, '"group_key"'])
def test_columns_may_have_any_name(place, at, group_by):
    names = ["k", "event_id", "channel", "available_at", "occurred_at", "local_time", "reasons", "group_key", "a_0"]
    columns = {name: ["x", "x", "y"] for name in names}
    place.write("a.parquet", columns | {'odd "name"': ["c", "c", "d"], "select": [at(1)] * 3, "h": [1.0, 1.0, 2.0]})
    plan = place.plan(
        event("commerce.refund", customer='"odd ""name"""', amount="h", reason="channel", group_by=group_by),
        time='"select"',
        currency="EUR",
    )
    place.ingest(plan)
    made = place.events("commerce.refund")
    assert {(each["customer"], each["reason"], each["amount"]) for each in made} == {("c", "x", 1), ("d", "y", 2)}
    assert len(made) == (2 if group_by else 3)


def test_an_empty_key_names_nobody(place, at):
    place.write("a.parquet", refunds(at, who=["", "a", None]))
    assert place.ingest(place.plan(REFUND, currency="EUR")).account.anonymous == 2


def test_a_channel_may_come_from_the_row_and_must_be_one_that_the_behavior_has(place, at):
    place.write("a.parquet", refunds(at, through=["store", "pigeon", None]))
    plan = place.plan(event("commerce.refund", customer="who", amount="price", channel="through"), currency="EUR")
    assert place.ingest(plan).account.quarantined == 1
    assert [made["channel"] for made in place.events("commerce.refund")] == ["store", None]


def test_a_reference_table_adds_columns_and_rows_without_a_match_stay(place, at):
    place.write("codes/reasons.parquet", {"code": [1, 2], "reason": ["broken", "late"]})
    place.write("a.parquet", refunds(at, code=[1, 9, 2]))
    plan = place.plan(
        event("commerce.refund", customer="who", amount="price", reason="reason"),
        currency="EUR",
        joins=[reference("codes/reasons.parquet", on=["code"], columns=["reason"])],
    )
    place.ingest(plan)
    assert [made["reason"] for made in place.events("commerce.refund")] == ["broken", None, "late"]


def test_files_are_sorted_by_actor_time_and_event_inside_each_month(place):
    n = 5000
    places = [datetime(2025, 1 + i % 3, 1 + i % 28, i % 24, tzinfo=UTC) for i in range(n)]
    place.write("a.parquet", {"who": [f"c{i * 7919 % 50}" for i in range(n)], "at": places, "price": [1.0] * n})
    place.ingest(place.plan(event("commerce.refund", customer="who", amount="price"), currency="EUR"))
    import pyarrow.parquet as pq

    files = place.lake.files("events/commerce.refund")
    assert len(files.paths) == 3
    order = [("customer", "ascending"), ("occurred_at", "ascending"), ("event_id", "ascending")]
    for path in files.paths:
        table = pq.read_table(path, partitioning=None)
        assert table.equals(table.sort_by(order))
        assert f"month={table['occurred_at'][0].as_py():%Y-%m}" in path


def test_a_property_that_joins_later_is_null_in_what_was_there_before(place, at):
    place.write("a.parquet", refunds(at))
    place.ingest(place.plan(REFUND, currency="EUR"))
    behavior = place.taxonomy.behaviors["commerce.refund"]
    import dataclasses

    from ethogram.core.taxonomy import Property

    wider = dataclasses.replace(behavior, properties={**behavior.properties, "mood": Property("mood", "string")})
    place.taxonomy = dataclasses.replace(place.taxonomy, behaviors={**place.taxonomy.behaviors, behavior.id: wider})
    place.write("b/b.parquet", refunds(at, mood=["sad", "glad", None]))
    plan = place.plan(
        event("commerce.refund", customer="who", amount="price", mood="mood"),
        rows="b/*.parquet",
        name=place.name + "b",
        currency="EUR",
    )
    place.ingest(plan)
    moods = sorted(str(made["mood"]) for made in place.table("commerce.refund").to_pylist())
    assert moods == ["None"] * 4 + ["glad", "sad"]


def test_consent_given_or_withdrawn_is_recorded_where_reads_are_masked(place, at):
    place.write("a.parquet", {"who": ["a", "a"], "at": [at(1), at(2)], "what": ["campaigns"] * 2, "ok": [True, False]})
    plan = place.plan(event("engagement.consent_changed", customer="who", purpose="what", allowed="ok"))
    place.ingest(plan)
    (who,) = place.keys.find("customer", ["a"])
    changes = place.consents.changes("customer", "campaigns").to_pylist()
    assert [(c["allowed"], c["changed_at"]) for c in changes if c["id"] == who] == [(True, at(1)), (False, at(2))]


def test_events_per_week_are_kept_for_the_catalog(place):
    days = [datetime(2025, 1, 6, tzinfo=UTC), datetime(2025, 1, 12, 23, tzinfo=UTC), datetime(2025, 1, 13, tzinfo=UTC)]
    place.write("a.parquet", {"who": ["a"] * 3, "at": days, "price": [1.0] * 3})
    place.ingest(place.plan(event("commerce.refund", customer="who", amount="price"), currency="EUR"))
    weeks = place.rows.weeks(place.lake.files("events/commerce.refund"))
    assert weeks == {datetime(2025, 1, 6, tzinfo=UTC): 2, datetime(2025, 1, 13, tzinfo=UTC): 1}
    with place.engine.connect() as connection:
        kept = connection.exec_driver_sql(
            "select week, events from ethogram.behavior_profile where behavior = 'commerce.refund'"
        )
        assert dict(kept.all()) == weeks


def test_a_changed_mapping_is_refused_until_everything_is_done_anew(place, at):
    place.write("a.parquet", refunds(at))
    place.ingest(place.plan(REFUND, currency="EUR"))
    changed = place.plan(event("commerce.refund", customer="who", amount="price * 2"), currency="EUR")
    with pytest.raises(MappingChanged, match="--redo"):
        place.ingest(changed)
    place.ingest(changed, redo=True)
    assert [made["amount"] for made in place.events("commerce.refund")] == [2, 4, 6]
    # And back again: the same units under the same mapping as once before.
    place.ingest(place.plan(REFUND, currency="EUR"), redo=True)
    assert [made["amount"] for made in place.events("commerce.refund")] == [1, 2, 3]
    assert place.ingest(place.plan(REFUND, currency="EUR")).skipped == ("a.parquet",)


def test_spelling_a_mapping_otherwise_does_not_change_it(place):
    one = place.plan(
        event("commerce.refund", where="n > 0 and price>1", customer="who", amount="price"), currency="EUR"
    )
    two = place.plan(
        event("commerce.refund", where="(n>0) AND (price > 1)", customer="who", amount="(price)"), currency="EUR"
    )
    three = place.plan(
        event("commerce.refund", where="n > 0 and price > 2", customer="who", amount="price"), currency="EUR"
    )
    assert one.digest == two.digest != three.digest


def test_the_report_says_what_span_of_time_came_in(place, at):
    place.write("a.parquet", refunds(at))
    report = place.ingest(place.plan(REFUND, currency="EUR", known_after="1h"))
    covered = report.coverage["commerce.refund"]
    assert (covered.first, covered.last, covered.known) == (at(1), at(3), at(3, 1))
    assert report.body()["coverage"]["commerce.refund"]["first"] == "2025-01-01T00:00:00+00:00"


def test_rows_may_correct_and_retract_events_of_before(place, at):
    place.write(
        "a.parquet",
        {
            "who": ["a", "b", "a", "a", "b", None],
            "at": [at(1), at(2), at(1), at(1), at(2), at(1)],
            "told": [at(1), at(2), at(3), at(4), at(5), at(6)],
            "kind": ["new", "new", "change", "change", "void", "change"],
            "price": [1.0, 2.0, 1.5, 1.25, None, 9.0],
            "receipt": ["r1", "r2", "r1", "r1", "r2", "r1"],
        },
    )
    rules = [
        event("commerce.refund", where="kind = 'new'", event_id="receipt", customer="who", amount="price"),
        event(
            "commerce.refund", where="kind = 'change'", op="correct", target="receipt", customer="who", amount="price"
        ),
        event("commerce.refund", where="kind = 'void'", op="retract", target="receipt", customer="who"),
    ]
    plan = place.plan(*rules, currency="EUR", known_at="told")
    report = place.ingest(plan)
    assert (report.account.mapped, report.account.anonymous, report.account.quarantined) == (5, 1, 0)
    made = sorted(place.events("commerce.refund"), key=lambda row: row["available_at"])
    assert [(row["op"], row["target_id"], row["amount"]) for row in made] == [
        ("assert", None, Decimal(1)), ("assert", None, Decimal(2)), ("correct", "r1", Decimal("1.5")),
        ("correct", "r1", Decimal("1.25")), ("retract", "r2", None),
    ]  # fmt: skip
    assert len({row["event_id"] for row in made}) == 5
    place.write("b.parquet", {name: [values[0]] for name, values in {
        "who": ["a"], "at": [at(1)], "told": [at(3)], "kind": ["change"], "price": [1.5], "receipt": ["r1"],
    }.items()})  # fmt: skip
    assert place.ingest(plan).duplicates == 1  # said again, it is the same correction


def test_a_correction_of_nothing_named_is_kept_back(place, at):
    place.write("a.parquet", {"who": ["a", "a"], "at": [at(1), at(1)], "price": [1.0, 2.0], "receipt": ["r", None]})
    rule = event("commerce.refund", op="correct", target="receipt", customer="who", amount="price")
    assert place.ingest(place.plan(rule, currency="EUR")).account.quarantined == 1
    assert [reasons[0]["message"] for _, reasons, _ in place.quarantined()] == ["no target"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"op": "corect", "target": "who"}, 'op="corect" is none; did you mean correct'),
        ({"target": "who"}, 'target= is for op="correct" or op="retract"; drop it, or say which'),
        ({"op": "retract"}, 'op="retract" is about an event; name it in target= by its event_id'),
        ({"op": "correct", "target": "who", "group_by": "who"}, 'op="correct" is said by one row; drop group_by'),
        ({"op": "correct", "target": "who", "event_id": "who"}, "a correction is a record of its own: drop event_id"),
    ],
)
def test_what_a_correction_is_about_is_checked_before_anything_runs(place, given, said):
    with pytest.raises(Problems) as caught:
        place.plan(event("commerce.refund", customer="who", amount="price", **given), currency="EUR")
    assert any(said in problem for problem in caught.value.problems)
