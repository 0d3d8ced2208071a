"""The made shop as a whole: sizes, determinism, consistency between tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import duckdb
import numpy as np
import pytest

from ethogram.core.sample.shop import BadSample, Request, shop
from ethogram.core.sample.tables import TABLES, Coded, Column, Rows
from ethogram.core.time import NaiveTime

START = datetime(2025, 1, 1, tzinfo=UTC)
INSTANTS = [(table.name, name) for table in TABLES for name, kind in table.columns.items() if kind == "instant"]
UNIQUE = {
    "web_events": "event_id",
    "app_events": "event_id",
    "orders": "order_id",
    "app_orders": "order_id",
    "refunds": "refund_id",
    "campaign_sends": "send_id",
    "campaign_responses": "response_id",
    "coupons": "coupon_code || action",
    "tickets": "update_id",
    "calls": "call_id",
    "consents": "change_id",
    "identities": "anonymous_id",
    "customers": "user_id",
}


def ask(events: int, *, seed: int = 7, days: int = 365) -> Request:
    return Request(events=events, seed=seed, start=START, days=days)


def raw(column: Column) -> bytes:
    return column.codes.tobytes() if isinstance(column, Coded) else column.tobytes()


def content(batches: list[Mapping[str, Rows]]) -> list[tuple[str, str, bytes]]:
    return [(t, name, raw(c)) for batch in batches for t, rows in batch.items() for name, c in rows.columns.items()]


def counted(batch: Mapping[str, Rows]) -> int:
    return sum(len(rows) for name, rows in batch.items() if name != "customers")


@pytest.mark.parametrize("events", [1, 17, 1000, 250_001])
def test_a_sample_has_exactly_the_events_asked_for(events):
    assert sum(map(counted, shop(ask(events)))) == events


@pytest.mark.parametrize("days", [28, 29, 730])
def test_other_periods_give_exact_samples_too(days):
    assert sum(map(counted, shop(ask(3000, days=days)))) == 3000


def test_the_same_request_gives_the_same_rows():
    assert content(list(shop(ask(1000)))) == content(list(shop(ask(1000))))


def test_another_seed_gives_other_rows():
    first, other = next(shop(ask(1000))), next(shop(ask(1000, seed=8)))
    assert not set(raw_ids(first)) & set(raw_ids(other))


def raw_ids(batch: Mapping[str, Rows]) -> list[bytes]:
    column = batch["web_events"].columns["event_id"]
    assert isinstance(column, np.ndarray)
    return [bytes(one) for one in column]


def test_a_larger_sample_begins_with_the_customers_of_a_smaller_one():
    small, large = next(shop(ask(1000))), next(shop(ask(300_000)))
    kept = len(small["customers"])
    assert kept > 10
    for name, rows in small.items():
        same = large[name].take(large[name].owner < kept)
        assert [raw(column) for column in rows.columns.values()] == [raw(c) for c in same.columns.values()], name


def test_a_hundred_million_events_come_in_blocks_of_the_same_size():
    huge, moderate = next(shop(ask(100_000_000))), next(shop(ask(1_000_000)))
    assert content([huge]) == content([moderate])
    assert counted(huge) < 400_000


def test_a_block_of_a_long_period_is_no_larger():
    assert counted(next(shop(ask(100_000_000, days=1830)))) < 400_000


@pytest.mark.parametrize(("table", "column"), UNIQUE.items())
def test_ids_are_unique(made: duckdb.DuckDBPyConnection, table, column):
    total, different = made.execute(f"select count(*), count(distinct {column}) from {table}").fetchone()
    assert total == different > 0


@pytest.mark.parametrize(("table", "column"), INSTANTS)
def test_nothing_is_known_after_the_period(made: duckdb.DuckDBPyConnection, table, column):
    latest = made.execute(f"select max({column}) from {table}").fetchone()[0]
    # A phone's clock runs ahead by two minutes at most.
    assert latest < START + timedelta(days=365, minutes=2)


def test_only_registrations_lie_before_the_period(made: duckdb.DuckDBPyConnection):
    early = {
        (table, column)
        for table, column in INSTANTS
        if made.execute(f"select min({column}) from {table}").fetchone()[0] < START - timedelta(minutes=2)
    }
    assert early == {("customers", "registered_at")}


@pytest.mark.parametrize("table", [table.name for table in TABLES if "user_id" in table.columns])
def test_every_user_is_on_the_customer_list_and_had_registered(made: duckdb.DuckDBPyConnection, table):
    time = next(t.ordered_by for t in TABLES if t.name == table)
    unknown, before = made.execute(f"""
        select count(*) filter (c.user_id is null),
               count(*) filter ({table}.{time} < c.registered_at - interval 2 minute)
        from {table} left join customers c on c.user_id = {table}.user_id where {table}.user_id is not null
    """).fetchone()
    assert (unknown, before) == (0, 0)


def test_references_lead_somewhere(made: duckdb.DuckDBPyConnection):
    lost = made.execute("""
        with all_orders as (select order_id from orders union select order_id from app_orders)
        select (select count(*) from refunds anti join all_orders using (order_id)),
               (select count(*) from campaign_responses anti join campaign_sends using (send_id)),
               (select count(*) from (select * from coupons where order_id is not null)
                anti join all_orders using (order_id)),
               (select count(*) from (select coupon_code from orders where coupon_code is not null)
                anti join (select * from coupons where action = 'issued') using (coupon_code))
    """).fetchone()
    assert lost == (0, 0, 0, 0)


def test_a_ticket_goes_from_opened_to_resolved_and_perhaps_back(made: duckdb.DuckDBPyConnection):
    paths = made.execute("""
        select distinct list(action order by updated_at) filter (action <> 'reply') from tickets group by ticket_id
    """).fetchall()
    whole = ["opened", "resolved", "reopened", "resolved"]
    assert sorted(path for (path,) in paths) == [whole[:n] for n in (1, 2, 3, 4)]


def test_an_event_is_received_after_it_happened(made: duckdb.DuckDBPyConnection):
    for table in ("web_events", "app_events"):
        assert made.execute(f"select min(received_at - ts) from {table}").fetchone()[0] >= timedelta(0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": 0}, "events=0: ask for at least 1"),
        ({"seed": -1}, "seed=-1: use 0 or more"),
        ({"days": 27}, "days=27: use 28 to 1830"),
        ({"start": START + timedelta(hours=1)}, "start=2025-01-01T01:00:00"),
        ({"start": datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=2)))}, "start=2025-01-01T00:00:00"),
    ],
)
def test_what_cannot_be_made_is_refused(changes, message):
    with pytest.raises(BadSample, match=message):
        Request(**{"events": 1, "seed": 7, "start": START, "days": 365, **changes})


def test_a_start_without_a_time_zone_is_refused():
    with pytest.raises(NaiveTime):
        Request(events=1, seed=7, start=datetime(2025, 1, 1), days=365)
