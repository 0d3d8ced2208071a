"""Packed rows in PostgreSQL: what was written is read, and the newest stays whoever writes when."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.online import OnlineRows
from ethogram.core.online.packed import DamagedRow, Layout, key_of
from ethogram.ports import OnlineRow

AT = datetime(2026, 6, 1, tzinfo=UTC)
LAYOUT = Layout((("n", "integer"), ("spent", "decimal")))


@pytest.fixture(scope="module")
def engine(workspace: Path, state: str) -> Engine:
    return open_engine(workspace, state)


@pytest.fixture
def online(engine: Engine) -> OnlineRows:
    with engine.begin() as connection:
        connection.execute(text("truncate online.row, online.layout"))
    return OnlineRows(engine)


def row(entity: int, n: int, *, at: datetime = AT, created_at: datetime | None = None) -> OnlineRow:
    return OnlineRow(key_of(entity), entity, at, created_at, LAYOUT.pack([n, Decimal(n) / 8]))


def served(online: OnlineRows, entity: int, view: str = "v") -> int | None:
    found = online.read([view], [key_of(entity)]).get((view, key_of(entity)))
    return None if found is None else found[1]["n"]


def test_rows_come_back_by_view_and_key_with_their_instant_in_utc(online: OnlineRows) -> None:
    online.write("v", LAYOUT, [row(1, 3), row(2, 4)])
    online.write("w", LAYOUT, [row(1, 5)])
    found = online.read(["v", "w"], [key_of(1), key_of(9)])
    assert found == {
        ("v", key_of(1)): (AT, {"n": 3, "spent": Decimal("0.375")}),
        ("w", key_of(1)): (AT, {"n": 5, "spent": Decimal("0.625")}),
    }
    assert found["v", key_of(1)][0].tzinfo is UTC


def test_an_older_row_never_overwrites_a_newer_one_and_an_equally_new_one_does(online: OnlineRows) -> None:
    assert online.write("v", LAYOUT, [row(1, 10)]) == 1
    assert online.write("v", LAYOUT, [row(1, 9, at=AT - timedelta(microseconds=1)), row(2, 1)]) == 1
    assert served(online, 1) == 10
    assert online.write("v", LAYOUT, [row(1, 11)]) == 1
    assert served(online, 1) == 11


def test_among_rows_of_one_instant_the_later_created_one_stays(online: OnlineRows) -> None:
    online.write("v", LAYOUT, [row(1, 2, created_at=AT + timedelta(hours=2))])
    online.write("v", LAYOUT, [row(1, 1, created_at=AT + timedelta(hours=1))])
    assert served(online, 1) == 2


def test_the_newest_of_one_write_counts_whatever_the_order(online: OnlineRows) -> None:
    rows = [row(1, n, at=AT + timedelta(hours=n)) for n in range(8)]
    random.Random(3).shuffle(rows)
    assert online.write("v", LAYOUT, rows) == 1
    assert served(online, 1) == 7


def test_writers_at_once_neither_lose_the_newest_nor_block_each_other_for_good(engine: Engine) -> None:
    online = OnlineRows(engine)

    def write(hour: int) -> None:
        entities = list(range(200))
        random.Random(hour).shuffle(entities)
        online.write("busy", LAYOUT, [row(entity, hour, at=AT + timedelta(hours=hour)) for entity in entities])

    hours = list(range(12))
    random.Random(1).shuffle(hours)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, hours))
    found = online.read(["busy"], [key_of(entity) for entity in range(200)])
    assert {values["n"] for _, values in found.values()} == {11}
    assert len(found) == 200


def test_a_row_is_read_with_the_layout_it_was_written_with(online: OnlineRows, engine: Engine) -> None:
    online.write("v", LAYOUT, [row(1, 3)])
    wider = Layout((("city", "string"), *LAYOUT.features))
    online.write("v", wider, [OnlineRow(key_of(2), 2, AT, None, wider.pack(["Oslo", 4, None]))])
    found = OnlineRows(engine).read(["v"], [key_of(1), key_of(2)])
    assert found["v", key_of(1)][1] == {"n": 3, "spent": Decimal("0.375")}
    assert found["v", key_of(2)][1] == {"city": "Oslo", "n": 4, "spent": None}


def test_a_failing_write_leaves_what_was_there(online: OnlineRows) -> None:
    online.write("v", LAYOUT, [row(1, 1)])

    def broken() -> list[OnlineRow]:
        yield row(1, 2, at=AT + timedelta(days=1))  # type: ignore[misc]  # a generator on purpose
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        online.write("v", LAYOUT, broken())
    assert served(online, 1) == 1
    assert online.count("v") == 1


def test_a_damaged_row_is_noticed_and_not_served(online: OnlineRows, engine: Engine) -> None:
    online.write("v", LAYOUT, [row(1, 1)])
    with engine.begin() as connection:
        connection.execute(text("update online.row set packed = set_byte(packed, 3, get_byte(packed, 3) # 1)"))
    with pytest.raises(DamagedRow, match="materialize its view again"):
        served(online, 1)


def test_dropping_a_view_drops_its_rows_alone_and_it_can_be_written_again(online: OnlineRows) -> None:
    online.write("v", LAYOUT, [row(1, 1), row(2, 2)])
    online.write("w", LAYOUT, [row(1, 1)])
    assert online.drop("v") == 2
    assert (online.count("v"), online.count("w")) == (0, 1)
    online.write("v", LAYOUT, [row(1, 7, at=AT - timedelta(days=1))])
    assert served(online, 1) == 7


def test_many_rows_go_in_by_one_copy(online: OnlineRows) -> None:
    assert online.write("v", LAYOUT, (row(entity, entity) for entity in range(5_000))) == 5_000
    assert served(online, 4_321) == 4_321


def test_nothing_to_read_is_nothing(online: OnlineRows) -> None:
    assert online.read([], []) == {}
    assert online.write("v", LAYOUT, []) == 0


def test_a_materialization_noted_twice_counts_once(online: OnlineRows, engine: Engine) -> None:
    online.note("v@1", at=AT, rows=3)
    online.note("v@1", at=AT, rows=5)
    with engine.connect() as connection:
        noted = connection.execute(text("select at, rows from ethogram.materialization where view = 'v@1'")).all()
    assert [(at.astimezone(UTC), rows) for at, rows in noted] == [(AT, 5)]
