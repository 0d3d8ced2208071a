"""Backfill: tiles of the days that are new or touched, the same values as from events, and nothing lost on the way."""

from __future__ import annotations

import errno
import itertools
import os
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from ethogram.adapters.delta import lake as delta_lake
from ethogram.adapters.delta.errors import LakeFull
from ethogram.core.signals.tiles import BackfillBusy, tilings
from ethogram.local import NotOwner

_numbers = itertools.count()


@pytest.fixture
def place(shop: Any) -> Any:
    """A state of its own with half a year of views, which `browsing` (daily, growth's) counts."""
    made = type(shop)(shop.root, f"tiles{os.getpid()}_{next(_numbers)}")
    made.add(views(made, range(1, 150)), unit="first")
    return made


def views(place: Any, days_ago: Any, *, late: timedelta = timedelta(0)) -> list[dict[str, Any]]:
    return [
        {
            "behavior": "engagement.page_viewed",
            "customer": str(17_000 + ago % 5),
            "occurred_at": at,
            "available_at": at + late,
        }
        for ago in days_ago
        for at in [place.DAY - timedelta(days=ago) + timedelta(hours=ago % 20, minutes=7)]
    ]


def backfill(place: Any) -> Any:
    (done,) = place.store("growth.analyst").backfill(["browsing"])
    return done


def noted(place: Any) -> dict[date, Any]:
    tiling = next(t for t in tilings(place.parts.workspace.signal("browsing@1")) if t.number == 0)
    return place.parts.tiles.days(tiling.table)


def values(place: Any, *, tiles: bool) -> list[dict[str, Any]]:
    """Everyone's `browsing` at some instants, from tiles or from events alone."""
    store = place.store()
    ids = sorted(place.ids.values())
    instants = [place.DAY - timedelta(days=days) for days in (-2, 0, 1, 30, 90)]
    asked = pa.table({
        "entity": pa.array([id for id in ids for _ in instants], pa.int64()),
        "as_of": pa.array(instants * len(ids), pa.timestamp("us", "UTC")),
    })  # fmt: skip
    if tiles:
        return store.values(store.view("browsing"), asked).to_pylist()
    plan = place.parts.workspace.signal("browsing@1")
    events = {behavior: place.parts.lake.files(f"events/{behavior}") for behavior in plan.behaviors}
    return place.parts.engine.features(plan, asked, events).to_pylist()


def test_it_makes_every_day_once_and_then_nothing(place):
    done = backfill(place)
    days = noted(place)
    assert (min(days), max(days)) == (date(2026, 1, 3), date(2026, 6, 1))
    assert len(days) == done.days == (max(days) - min(days)).days + 1
    assert backfill(place).days == 0
    assert "every day has its tiles" in str(backfill(place))


def test_values_are_those_of_events(place, monkeypatch):
    expected = values(place, tiles=False)
    backfill(place)
    read = []
    whole = type(place.parts.engine)._tiled
    monkeypatch.setattr(type(place.parts.engine), "_tiled", lambda *a: read.append(a) or whole(*a))
    assert values(place, tiles=True) == expected
    assert read, "no tile was read"


def test_a_new_day_makes_its_own_tiles_only(place):
    backfill(place)
    place.add(views(place, [-1, -1]), unit="second")
    place.clock.at += timedelta(days=1)
    ahead = place.store("growth.analyst").estimate(["browsing"])[0]
    assert (ahead.days, ahead.events) == (1, 2)
    assert str(ahead) == "browsing@1: 1 day from 2 events, about 1 s"
    assert backfill(place).days == 1
    assert values(place, tiles=True) == values(place, tiles=False)


def test_late_events_touch_only_the_days_they_occurred_on(place, monkeypatch):
    backfill(place)
    place.add(views(place, [40, 90, 200], late=timedelta(days=39)), unit="late")
    made = []
    whole = type(place.parts.engine).tiles
    monkeypatch.setattr(
        type(place.parts.engine), "tiles", lambda self, t, e, days: made.extend(days) or whole(self, t, e, days)
    )
    assert values(place, tiles=True) == values(place, tiles=False), "tiles that are behind were read"
    backfill(place)
    first = date(2025, 11, 13)
    before = [first + timedelta(days=k) for k in range((date(2026, 1, 3) - first).days)]
    assert sorted(set(made)) == [*before, date(2026, 3, 3), date(2026, 4, 22)]
    # As of a day before they were known they are not there, whatever the tiles hold.
    assert values(place, tiles=True) == values(place, tiles=False)


class Killed(BaseException):
    pass


def test_a_run_that_is_killed_goes_on_where_it_was(place, monkeypatch):
    ledger = type(place.parts.tiles)
    whole, calls = ledger.note, []

    def note(self, *args: Any, **kwargs: Any) -> None:
        if len(calls) == 3:
            raise Killed
        calls.append(args)
        whole(self, *args, **kwargs)

    monkeypatch.setattr(ledger, "note", note)
    with pytest.raises(Killed):
        backfill(place)
    monkeypatch.undo()
    kept = len(noted(place))
    assert kept == sum(len(args[2]) for args in calls) > 0
    assert values(place, tiles=True) == values(place, tiles=False)
    total = (date(2026, 6, 1) - date(2026, 1, 3)).days + 1
    assert backfill(place).days == total - kept
    assert len(noted(place)) == total
    assert values(place, tiles=True) == values(place, tiles=False)


def test_a_disk_that_fills_up_loses_nothing(place, monkeypatch):
    whole = delta_lake.pq.ParquetWriter.write_table
    written = []

    def full(writer: Any, table: Any, row_group_size: int | None = None) -> Any:
        if len(written) == 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(table)
        return whole(writer, table, row_group_size)

    monkeypatch.setattr(delta_lake.pq.ParquetWriter, "write_table", full)
    with pytest.raises(LakeFull, match="No space left on device; nothing was committed; free some space"):
        backfill(place)
    monkeypatch.undo()
    kept = len(noted(place))
    assert 0 < kept < 149
    assert values(place, tiles=True) == values(place, tiles=False)
    backfill(place)
    assert values(place, tiles=True) == values(place, tiles=False)


def test_two_at_once_are_refused(place):
    table = tilings(place.parts.workspace.signal("browsing@1"))[0].table
    with place.parts.tiles.locked(table), pytest.raises(BackfillBusy, match="wait for it, then run this again"):
        backfill(place)
    assert backfill(place).days > 0


def test_only_the_owner_does_it_and_a_live_signal_has_no_tiles(place):
    with pytest.raises(NotOwner, match="risk may not backfill it"):
        place.store("risk.modeller").backfill(["browsing"])
    (ahead,) = place.store("growth.analyst").estimate(["purchase_rhythm"])
    assert str(ahead).endswith("no tiles; its features are computed from events")
