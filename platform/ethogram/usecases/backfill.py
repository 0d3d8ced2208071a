"""Make a signal's tiles: those of new days, and of days that late events touched; nothing else is read."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import PurePath

from ethogram.core.signals.plan import SignalPlan
from ethogram.core.signals.tiles import Tiling, tilings
from ethogram.ports import Engine, Lake, TableFiles, TileLedger, Tiles

_DAY = timedelta(days=1)
# Events a second, before any backfill told how fast this machine is.
RATE = 2_000_000.0
PARTITION = "day"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one table of tiles.

    Attributes:
        days: To be made, in order.
        current: Days whose tiles are right as they are, though the event tables have grown.
        events: In the files that will be read; those of other days in them included.
    """

    tiling: Tiling
    tables: Mapping[str, TableFiles]
    days: tuple[date, ...]
    current: tuple[date, ...]
    events: int

    @property
    def versions(self) -> dict[str, int]:
        return {files.name: files.version for files in self.tables.values()}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a backfill would do: how many days' tiles it makes, from how many events, in about how many seconds."""

    ref: str
    days: int
    events: int
    seconds: float
    work: tuple[Work, ...] = field(repr=False)

    def __str__(self) -> str:
        if not self.work:
            return f"{self.ref}: no tiles; its features are computed from events"
        if not self.days:
            return f"{self.ref}: every day has its tiles"
        many = "1 day" if self.days == 1 else f"{self.days:,} days"
        return f"{self.ref}: {many} from {self.events:,} events, about {max(1, round(self.seconds)):,} s"


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What one backfill did."""

    ref: str
    days: int
    tiles: int
    events: int
    seconds: float

    def __str__(self) -> str:
        if not self.days:
            return f"{self.ref}: every day has its tiles"
        many = "1 day" if self.days == 1 else f"{self.days:,} days"
        return f"{self.ref}: {many}, {self.tiles:,} tiles from {self.events:,} events   {self.seconds:.1f} s"


def estimate(plan: SignalPlan, *, until: datetime, engine: Engine, lake: Lake, ledger: TileLedger) -> Estimate:
    """What is left to do for the days that are over at `until`."""
    last = until.astimezone(UTC).date()
    work = [
        _outstanding(tiling, tables, last, engine=engine, lake=lake, ledger=ledger)
        for tiling, tables in _tiled(plan, engine=engine, lake=lake)
    ]
    days = {day for each in work for day in each.days}
    events = sum(each.events for each in work)
    return Estimate(plan.ref, len(days), events, events / (ledger.rate() or RATE), tuple(work))


def backfill(
    plan: SignalPlan,
    *,
    until: datetime,
    engine: Engine,
    lake: Lake,
    ledger: TileLedger,
    progress: Callable[[int], None] = lambda _: None,
) -> Backfilled:
    """Make what is left to do, a month at a time; a run that is cut short goes on where it was.

    Each month is one commit to the lake, then one entry in the ledger: between the two the tiles are there and will be
    made once more, the same.

    Raises:
        BackfillBusy: another backfill of the signal is under way.
        NoSpace: the disk is full; what was made before stays.
    """
    started = time.perf_counter()
    last = until.astimezone(UTC).date()
    days: set[date] = set()
    made: list[TableFiles] = []
    events = 0
    for tiling, tables in _tiled(plan, engine=engine, lake=lake):
        with ledger.locked(tiling.table):
            work = _outstanding(tiling, tables, last, engine=engine, lake=lake, ledger=ledger)
            if work.current:
                ledger.note(tiling.table, tiling.digest, work.current, work.versions, events=0, seconds=0.0)
            for month in _months(work.days):
                begun = time.perf_counter()
                parts = [f"{day}" for day in month]
                with engine.tiles(tiling, tables, month) as batches:
                    stands = lake.replace_parts(
                        tiling.table, batches, unit=uuid.uuid4().hex, partition=PARTITION, parts=parts
                    )
                made.append(_of(stands, parts))
                share = work.events * len(month) // len(work.days)
                seconds = time.perf_counter() - begun
                ledger.note(tiling.table, tiling.digest, month, work.versions, events=share, seconds=seconds)
                progress(len(month))
            days.update(work.days)
            events += work.events
    tiles = engine.rows(made) if made else 0
    return Backfilled(plan.ref, len(days), tiles, events, time.perf_counter() - started)


def current(plan: SignalPlan, events: Mapping[str, TableFiles], *, lake: Lake, ledger: TileLedger) -> list[Tiles]:
    """Tables of tiles that are right for these very versions of the events."""
    found = []
    for tiling in tilings(plan):
        versions = {events[behavior].name: events[behavior].version for behavior in tiling.stream.behaviors}
        days, right = ledger.days(tiling.table), (tiling.digest, versions)
        if days and all(entry == right for entry in days.values()):
            end = max(days) + _DAY
            if len(days) == (end - min(days)).days:
                until = datetime(end.year, end.month, end.day, tzinfo=UTC)
                found.append(Tiles(tiling, lake.files(tiling.table), until))
    return found


def _tiled(plan: SignalPlan, *, engine: Engine, lake: Lake) -> Iterator[tuple[Tiling, dict[str, TableFiles]]]:
    """What of a signal has tiles, with the event tables as they are now."""
    for tiling in tilings(plan):
        tables = {behavior: lake.files(f"events/{behavior}") for behavior in tiling.stream.behaviors}
        if not engine.corrected(list(tables.values())):
            yield tiling, tables


def _of(files: TableFiles, parts: Sequence[str]) -> TableFiles:
    """The files of some days alone."""
    folders = {f"{PARTITION}={part}" for part in parts}
    return replace(files, paths=tuple(path for path in files.paths if path.split("/")[-2] in folders))


def _outstanding(
    tiling: Tiling, tables: Mapping[str, TableFiles], last: date, *, engine: Engine, lake: Lake, ledger: TileLedger
) -> Work:
    noted = ledger.days(tiling.table)
    versions = {files.name: files.version for files in tables.values()}
    if not noted:
        there = engine.days(list(tables.values()))
        first = min(there, default=last)
        days = tuple(_through(first, last))
        return Work(tiling, tables, days, (), engine.rows(list(tables.values())) if days else 0)
    right = tiling.digest
    redone = {day for day, (digest, _) in noted.items() if digest != right}
    stale = {day: then for day, (_, then) in noted.items() if then != versions and day not in redone}
    read: dict[str, TableFiles] = {}
    touched: set[date] = set()
    for then in {tuple(sorted(then.items())): then for then in stale.values()}.values():
        added, removed = _changed(tables.values(), then, lake)
        read |= {path: replace(added[path], paths=(path,)) for path in added}
        touched |= engine.days([replace(files, paths=(path,)) for path, files in added.items()])
        touched |= {day for path in removed for day in _month(path)}
    touched = {day for day in touched if day < last}
    new = set(_through(max(noted) + _DAY, last))
    if touched and min(touched) < min(noted):
        new |= set(_through(min(touched), min(noted)))
    todo = redone | new | (touched & set(noted))
    kept = tuple(day for day in stale if day not in todo)
    whole = redone or not read
    size = engine.rows(list(tables.values()) if whole else list(read.values())) if todo else 0
    return Work(tiling, tables, tuple(sorted(todo)), kept, size)


def _changed(
    tables: Iterable[TableFiles], then: Mapping[str, int], lake: Lake
) -> tuple[dict[str, TableFiles], set[str]]:
    """Files that a table has now and had not then, with their table, and those that it had."""
    added: dict[str, TableFiles] = {}
    removed: set[str] = set()
    for files in tables:
        version = then.get(files.name, -1)
        before = set(lake.files(files.name, version=version).paths) if version >= 0 else set()
        added |= {path: files for path in files.paths if path not in before}
        removed |= before - set(files.paths)
    return added, removed


def _month(path: str) -> Iterator[date]:
    """Days of the month whose partition a file was in."""
    label = next(part for part in PurePath(path).parts if part.startswith("month="))
    day = date.fromisoformat(f"{label.removeprefix('month=')}-01")
    month = day.month
    while day.month == month:
        yield day
        day += _DAY


def _through(first: date, end: date) -> Iterator[date]:
    while first < end:
        yield first
        first += _DAY


def _months(days: Sequence[date]) -> Iterator[list[date]]:
    for _, month in groupby(days, key=lambda day: (day.year, day.month)):
        yield list(month)
