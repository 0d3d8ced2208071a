"""One made shop of 200,000 events as tables of a DuckDB connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

from ethogram.adapters.parquet.columns import arrow
from ethogram.core.sample.shop import Request, shop
from ethogram.core.sample.tables import TABLES


@pytest.fixture(scope="session")
def request_200k() -> Request:
    return Request(events=200_000, seed=7, start=datetime(2025, 1, 1, tzinfo=UTC), days=365)


@pytest.fixture(scope="session")
def made(request_200k: Request) -> Iterator[duckdb.DuckDBPyConnection]:
    """All tables, and `visits`: (user_id, happened, app) of customers, anonymous sessions found by identity."""
    batches = list(shop(request_200k))
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    for table in TABLES:
        parts = [
            pa.table({name: arrow(batch[table.name].columns[name], kind) for name, kind in table.columns.items()})
            for batch in batches
            if table.name in batch
        ]
        connection.register("incoming", pa.concat_tables(parts))
        connection.execute(f"create table {table.name} as select * from incoming")
        connection.unregister("incoming")
    connection.execute("""
        create table visits as
        with known as (
            select coalesce(e.user_id, i.user_id) as user_id, ts, app
            from (select anonymous_id, user_id, ts, false as app from web_events
                  union all select anonymous_id, user_id, ts, true from app_events) e
            left join identities i using (anonymous_id)
        ), gaps as (
            select *, ts - lag(ts) over (partition by user_id, app order by ts) as gap
            from known where user_id is not null
        )
        select user_id, ts as happened, app from gaps where gap is null or gap > interval 30 minute
    """)
    connection.execute("""
        create table purchases as
        select user_id, placed_at as happened, channel = 'app' as app from orders
        union all
        select user_id, purchased_at, true from app_orders anti join orders using (order_id)
    """)
    yield connection
    connection.close()
