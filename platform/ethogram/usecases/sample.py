"""Make a sample: the made shop, written block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ethogram.core.sample import labels
from ethogram.core.sample.shop import Request, shop
from ethogram.core.sample.tables import TABLES, Rows, Table

BY_MONTH_FROM = 500_000
"""Samples of at least so many events have their large tables split by month."""


class SampleFolder(Protocol):
    """Where a sample goes; nothing of it is to be seen there before `finish`."""

    def write(self, table: str, rows: Rows) -> None: ...

    def finish(self, *, readme: str, manifest: Mapping[str, object]) -> None: ...


class OpenSampleFolder(Protocol):
    def __call__(
        self, out: Path, *, tables: Sequence[Table], by_month: bool, facts: Mapping[str, str]
    ) -> AbstractContextManager[SampleFolder]: ...


@dataclass(frozen=True, slots=True)
class SampleReport:
    """`rows` by table; all but customers add up to `events`."""

    out: Path
    events: int
    seed: int
    start: datetime
    days: int
    rows: Mapping[str, int]

    @property
    def customers(self) -> int:
        return self.rows["customers"]

    def __str__(self) -> str:
        orders = self.rows["orders"]
        return f"{self.out}: {self.events:,} made events of {self.customers:,} made customers, {orders:,} orders"


def make_sample(
    out: Path,
    *,
    events: int,
    seed: int,
    start: datetime,
    days: int,
    progress: Callable[[int], None],
    open_folder: OpenSampleFolder,
) -> SampleReport:
    """Write `events` rows of the made shop into `out`, and in it everywhere that it is made.

    Memory does not grow with `events`: a block of customers is written while the next is being made. The same
    `events`, `seed`, `start` and `days` give the same bytes under the same versions of numpy and pyarrow.

    Args:
        out: A new or an empty folder, or one that holds an earlier made sample, which is replaced at the end.
        events: Rows of all tables but customers, exactly.
        seed: 0 or more; a larger sample of the same seed begins with the customers of a smaller one.
        start: Midnight UTC.
        days: 28 to 1830.
        progress: Called with the number of events just written.
        open_folder: What opens `out` for writing.
    """
    request = Request(events=events, seed=seed, start=start, days=days)
    counted = {table.name for table in TABLES if table.counted}
    rows = {table.name: 0 for table in TABLES}
    opened = open_folder(out, tables=TABLES, by_month=events >= BY_MONTH_FROM, facts=labels.facts(request))
    with opened as folder:
        for batch in _ahead(shop(request)):
            for name, part in batch.items():
                folder.write(name, part)
                rows[name] += len(part)
            progress(sum(len(part) for name, part in batch.items() if name in counted))
        folder.finish(readme=labels.readme(request, rows=rows), manifest=labels.manifest(request, rows=rows))
    return SampleReport(out=out, events=events, seed=seed, start=start, days=days, rows=rows)


def _ahead(batches: Iterator[Mapping[str, Rows]]) -> Iterator[Mapping[str, Rows]]:
    """The same batches, each made on another thread while the one before it is in use."""
    with ThreadPoolExecutor(max_workers=1) as maker:
        coming = maker.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = maker.submit(next, batches, None)
            yield batch
