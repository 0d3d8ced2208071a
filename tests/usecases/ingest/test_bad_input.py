"""What cannot be taken in says so, with what to do next, and loses nothing."""

from __future__ import annotations

import errno
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from ethogram import event, reference, sql_table
from ethogram.adapters.delta import lake as delta_lake
from ethogram.adapters.delta.errors import LakeFull
from ethogram.adapters.postgres import server
from ethogram.adapters.postgres.errors import ServerTrouble
from ethogram.core.content.origin import Origin
from ethogram.core.sources.errors import NoRows, SourceBusy
from ethogram.errors import AskedWrongly, Problems

GOOD = {
    "who": ["a", "b"],
    "at": [datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)],
    "price": [1.0, 2.0],
}
REFUND = event("commerce.refund", customer="who", amount="price")
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
      - {name: at, logicalType: timestamp}
      - {name: day, logicalType: date}
      - {name: price, logicalType: number}
"""


def problems_of(place, *events, **source):
    with pytest.raises(Problems) as caught:
        place.plan(*events, **({"currency": "EUR", "contract": CONTRACT} | source))
    return caught.value.problems


def test_an_unknown_behavior_is_named_with_the_nearest_one(place):
    (problem,) = problems_of(place, event("commerce.purchace", customer="who", amount="price"))
    assert "no behavior named 'commerce.purchace'; did you mean commerce.purchase" in problem


def test_every_problem_of_a_source_is_told_at_once_with_its_line(place):
    import dataclasses

    bad = event("commerce.refund", customer="who", amout="price", channel="wbe")
    bad = dataclasses.replace(bad, origin=Origin("feature_repo/teams/shop/sources.py", 12))
    found = problems_of(place, bad, timezone="Europe/Lundon")
    assert (
        "feature_repo/teams/shop/sources.py:12: commerce.refund has no property 'amout'; did you mean amount?" in found
    )
    assert any("no channel or column named 'wbe'; did you mean web?" in each for each in found)
    assert any('timezone="Europe/Lundon" is no zone' in each for each in found)
    assert any("commerce.refund needs amount, which is required" in each for each in found)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"amount": "who"}, "amount is money, and the expression gives string"),
        (
            {"amount": "price", "items": "price"},
            "items is integer, and the expression gives double; convert with integer(x)",
        ),
        (
            {"amount": "price", "reason": "at"},
            "reason is string, and the expression gives timestamp; convert with text(x)",
        ),
        ({"amount": "prise"}, "contract.yaml has no column 'prise'; did you mean price?"),
        ({"amount": "sum(price)"}, "sum"),
    ],
)
def test_a_property_that_a_column_cannot_fill_is_refused_before_any_row_is_read(place, columns, said):
    assert any(said in each for each in problems_of(place, event("commerce.refund", customer="who", **columns)))


def test_days_that_are_known_before_they_are_over_are_refused(place):
    (problem,) = problems_of(place, REFUND, time="day")
    assert 'known_after="0s" must be at least "1d"' in problem


def test_money_without_a_currency_is_refused(place):
    (problem,) = problems_of(place, REFUND, currency=None)
    assert "say in which currency" in problem


def test_an_event_that_names_nobody_is_refused(place):
    (problem,) = problems_of(place, event("commerce.refund", amount="price"))
    assert "names nobody; give one of customer, visitor, household" in problem


def test_a_path_that_leaves_the_data_directory_is_refused(place):
    assert any("leaves the data directory" in each for each in problems_of(place, REFUND, rows="../x.parquet"))


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("bad.parquet", b"", "empty-file", "the file is empty"),
        ("bad.parquet", None, "rows-unreadable", "not a whole Parquet file"),
        (
            "bad.csv",
            b"who,at,price\na,2025-01-01 00:00:00,1,9,9\nb,2025-01-01 00:00:00,1\n",
            "rows-unreadable",
            "bad.csv: ",
        ),
        ("bad.csv", b"", "empty-file", "the file is empty"),
        ("bad.csv", b"whom,at,price\na,2025-01-01 00:00:00,1\n", "missing-column", "did you mean whom?"),
        ("bad.jsonl", b'{"who": "a"\n{]\n', "rows-unreadable", "bad.jsonl: "),
    ],
)
def test_a_file_that_cannot_be_read_fails_alone_and_leaves_nothing(place, name, content, code, said):
    import pyarrow.parquet as pq

    suffix = name.partition(".")[2]
    good = place.data / f"good.{suffix}"
    if suffix == "parquet":
        place.write("good.parquet", GOOD)
    elif suffix == "csv":
        good.write_text("who,at,price\na,2025-01-01 00:00:00,1\nb,2025-02-01 00:00:00,2\n")
    else:
        good.write_text(
            '{"who": "a", "at": "2025-01-01T00:00:00", "price": 1}\n'
            '{"who": "b", "at": "2025-02-01T00:00:00", "price": 2}\n'
        )
    if content is None:
        pq.write_table(pa.table(GOOD), place.data / name)
        whole = (place.data / name).read_bytes()
        content = whole[: len(whole) // 2]
    (place.data / name).write_bytes(content)
    report = place.ingest(place.plan(REFUND, rows=f"*.{suffix}", currency="EUR"), may_fail=True)
    (failed,) = report.failed
    assert (failed.path, failed.code) == (name, code)
    assert said in failed.message
    assert failed.message.count(";") >= 1
    assert report.account.mapped == 2
    assert len(place.events("commerce.refund")) == 2
    assert "failed 1 file" in report.line()
    # Delivered again, whole: only it is taken in.
    (place.data / name).write_bytes(good.read_bytes())
    again = place.ingest(place.plan(REFUND, rows=f"*.{suffix}", currency="EUR"))
    assert (again.skipped, again.duplicates) == ((good.name,), 2)


def test_a_parquet_file_with_a_damaged_page_fails_before_anything_is_written(place):
    n = 50_000
    at = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=i) for i in range(n)]
    path = place.write(
        "a.parquet", {"who": [f"c{i}" for i in range(n)], "at": at, "price": [float(i) for i in range(n)]}
    )
    damaged = bytearray(path.read_bytes())
    damaged[2000:6000] = b"\0" * 4000
    path.write_bytes(damaged)
    report = place.ingest(place.plan(REFUND, currency="EUR"), may_fail=True)
    assert [each.code for each in report.failed] == ["rows-unreadable"]
    assert place.lake.files("events/commerce.refund").version == -1


def test_a_parquet_file_without_rows_is_taken_in(place):
    schema = pa.schema([("who", pa.string()), ("at", pa.timestamp("ms", "UTC")), ("price", pa.float64())])
    place.write("a.parquet", schema.empty_table())
    report = place.ingest(place.plan(REFUND, currency="EUR"))
    assert (report.account.rows, report.events) == (0, {"commerce.refund": 0})


def test_a_directory_without_the_rows_is_named(place):
    with pytest.raises(NoRows, match=r"nothing at \*\.parquet below .*--data"):
        place.ingest(place.plan(REFUND, currency="EUR"))


def test_a_table_whose_address_is_not_set_says_which_variable(place):
    plan = place.plan(REFUND, rows=sql_table("orders", url_env="SHOP_DATABASE_URL"), currency="EUR")
    with pytest.raises(AskedWrongly, match="SHOP_DATABASE_URL is not set"):
        place.ingest(plan)
    place.environment["SHOP_DATABASE_URL"] = "nonsense:secret"
    report = place.ingest
    with pytest.raises(Exception, match="no SQLAlchemy URL") as caught:
        report(plan)
    assert "secret" not in str(caught.value)


def test_a_time_in_the_future_of_its_arrival_is_kept_back(place):
    soon = place.clock.time + timedelta(minutes=10)
    place.write("a.parquet", {"who": ["a", "b"], "at": [soon, soon + timedelta(seconds=1)], "price": [1.0, 1.0]})
    report = place.ingest(place.plan(REFUND, currency="EUR"))
    assert (report.account.mapped, report.account.quarantined) == (1, 1)
    assert place.quarantined()[0][1][0]["rule"] == "future"


def test_a_time_far_outside_of_any_calendar_is_kept_back(place):
    place.write("a.parquet", {"who": ["a", "b"], "at": pa.array([2**62, 0], pa.timestamp("us")), "price": [1.0, 1.0]})
    report = place.ingest(place.plan(REFUND, currency="EUR"))
    assert (report.account.mapped, report.account.quarantined) == (1, 1)


def test_a_reference_that_would_count_rows_twice_is_refused(place):
    place.write("a.parquet", GOOD)
    place.write("codes/c.parquet", {"who": ["a", "a"], "reason": ["x", "y"]})
    plan = place.plan(
        event("commerce.refund", customer="who", amount="price", reason="reason"),
        currency="EUR",
        joins=[reference("codes/c.parquet", on=["who"], columns=["reason"])],
    )
    report = place.ingest(plan, may_fail=True)
    assert "2 rows for who a, so a row would be counted more than once" in report.failed[0].message


def test_a_column_of_another_type_than_promised_fails_the_file(place):
    place.write("a.parquet", GOOD | {"price": pa.array([[1.0], [2.0]]), "day": [date(2025, 1, 1)] * 2})
    report = place.ingest(place.plan(REFUND, currency="EUR", contract=CONTRACT), may_fail=True)
    assert "price is DOUBLE[] in the file and double in contract.yaml" in report.failed[0].message


def test_two_commands_at_once_do_not_mix(place):
    place.write("a.parquet", GOOD)
    plan = place.plan(REFUND, currency="EUR")
    with place.runs.locked(plan.name), pytest.raises(SourceBusy, match="wait for it to finish"):
        place.ingest(plan)
    assert place.ingest(plan).account.mapped == 2


def test_no_disk_space_leaves_nothing_behind_and_the_next_run_takes_everything_in(place, monkeypatch):
    place.write("a.parquet", GOOD)
    plan = place.plan(REFUND, currency="EUR")
    whole = delta_lake.pq.ParquetWriter.write_table
    written = []

    def full(writer, table, row_group_size=None):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(table)
        return whole(writer, table, row_group_size)

    monkeypatch.setattr(delta_lake.pq.ParquetWriter, "write_table", full)
    with pytest.raises(LakeFull, match=r"No space left on device; nothing was committed; free some space"):
        place.ingest(plan)
    monkeypatch.undo()
    assert not list((place.lake._root / "events").rglob("part-*"))
    assert place.lake.files("events/commerce.refund").paths == ()
    report = place.ingest(plan)
    assert (report.account.mapped, report.duplicates) == (2, 0)
    assert len(place.events("commerce.refund")) == 2


def test_a_server_that_goes_away_in_the_middle_loses_nothing(place, workspace):
    place.write("a.parquet", GOOD | {"price": [1.0, None]})
    plan = place.plan(REFUND, currency="EUR")

    class Interrupted:
        """Stops the server while the ledger is being written, when the events are in the lake already."""

        def __getattr__(self, name):
            return getattr(place.runs, name)

        def add_unit(self, unit, *, quarantined, **keywords):
            def cut():
                for row in quarantined:
                    server.stop(workspace)
                    yield row

            place.runs.add_unit(unit, quarantined=cut(), **keywords)

    with pytest.raises(ServerTrouble, match="do it again"):
        place.ingest(plan, runs=Interrupted())
    assert len(place.events("commerce.refund")) == 1
    report = place.ingest(plan)
    assert (report.account.mapped, report.account.quarantined, report.duplicates) == (1, 1, 0)
    assert report.events == {"commerce.refund": 1}
    assert len(place.events("commerce.refund")) == 1
