"""Materialize: every entity's row as of one instant, whole or not at all, and never an older over a newer one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text

from ethogram.core.online.packed import Layout, key_of
from ethogram.local import NotOwner
from ethogram.usecases.materialize import materialize

INSTANT = pa.timestamp("us", "UTC")


@pytest.fixture(autouse=True)
def clean(shop: Any) -> Iterator[None]:
    yield
    shop.parts.online.drop("basket_v1")


def test_it_writes_a_row_for_everyone_seen_by_then_and_nobody_else(shop: Any) -> None:
    at = shop.DAY - timedelta(days=150)
    (done,) = shop.store("shop.analyst").materialize(["basket"], as_of=at)
    seen = {event.entities["customer"] for event in shop.events if event.occurred_at < at and event.available_at <= at}
    assert (done.ref, done.rows, done.written) == ("basket@1", len(seen), len(seen))
    rows = shop.parts.online.read(["basket_v1"], [key_of(number) for number in shop.ids.values()])
    assert {key for _, key in rows} == {key_of(number) for number in seen}
    assert str(done) == f"basket@1: {len(seen)} rows as of {at:%Y-%m-%d %H:%M} UTC"


def test_an_older_instant_keeps_the_newer_rows_and_says_so(shop: Any) -> None:
    store = shop.store("shop.analyst")
    store.materialize(["basket"], as_of=shop.DAY)
    (done,) = store.materialize(["basket"], as_of=shop.DAY - timedelta(days=30))
    assert done.written == 0
    assert str(done).endswith(f"{done.rows} newer kept")
    answer = shop.store().lookup("customer", sorted(shop.ids)[0], signals=["basket"])
    assert answer.at == shop.DAY


def test_the_same_instant_again_writes_the_same_rows(shop: Any) -> None:
    store = shop.store("shop.analyst")
    (first,) = store.materialize(["basket"], as_of=shop.DAY)
    before = shop.parts.online.read(["basket_v1"], [key_of(number) for number in shop.ids.values()])
    (again,) = store.materialize(["basket"], as_of=shop.DAY)
    assert again == first
    assert shop.parts.online.read(["basket_v1"], [key_of(number) for number in shop.ids.values()]) == before


def test_only_the_owner_does_it(shop: Any) -> None:
    with pytest.raises(NotOwner, match="basket@1 belongs to shop, so risk may not materialize it; ask shop") as refusal:
        shop.store("risk.modeller").materialize(["basket"], as_of=shop.DAY)
    assert refusal.value.exit_status == 1


def test_a_daily_signal_is_of_its_boundary(shop: Any) -> None:
    shop.store("growth.analyst").materialize(["browsing"], as_of=shop.DAY + timedelta(hours=1))
    answer = shop.store().lookup("customer", sorted(shop.ids)[0], signals=["browsing"])
    assert answer.at == shop.DAY - timedelta(days=1)  # the boundary of this day is published two hours later
    shop.parts.online.drop("browsing_v1")


def test_a_crash_in_the_middle_leaves_the_rows_that_were_there(shop: Any) -> None:
    store = shop.store("shop.analyst")
    store.materialize(["basket"], as_of=shop.DAY - timedelta(days=9))
    view = store.view("basket")
    ids = sorted(shop.ids.values())
    table = store.values(view, pa.table({"entity": ids, "as_of": pa.array([shop.DAY] * len(ids), INSTANT)}))

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        materialize(
            view, table.append_column("entity", pa.array(ids)), as_of=shop.DAY, online=shop.parts.online, progress=crash
        )
    assert {at for at, _ in everything(shop).values()} == {shop.DAY - timedelta(days=9)}


def everything(shop: Any) -> dict[Any, tuple[datetime, Any]]:
    rows: dict[Any, tuple[datetime, Any]] = shop.parts.online.read(
        ["basket_v1"], [key_of(number) for number in shop.ids.values()]
    )
    return rows


def test_nothing_to_materialize_is_noted(shop: Any) -> None:
    long_ago = shop.DAY - timedelta(days=3_000)
    (done,) = shop.store("shop.analyst").materialize(["basket"], as_of=long_ago)
    assert (done.rows, done.written) == (0, 0)
    with shop.parts.sql.connect() as connection:
        noted = connection.execute(text("select at from ethogram.materialization where view = 'basket@1' order by at"))
        assert noted.scalars().first() == long_ago


def test_the_layout_of_a_row_has_the_views_features_in_order(shop: Any) -> None:
    shop.store("shop.analyst").materialize(["basket"], as_of=shop.DAY)
    view = shop.store().view("basket")
    number = shop.parts.online.layout_id("basket_v1", Layout(view.features))
    assert shop.parts.online.layout(number).features == view.features
