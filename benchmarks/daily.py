"""Tiles of one new day on a year's history, against those of all the days before."""

from __future__ import annotations

import contextlib
import shutil
import statistics
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow.dataset as ds
import pyarrow.parquet as pq

from benchmarks.events import BEHAVIOR, LAST_DAY, Load
from benchmarks.race import ROUNDS
from benchmarks.row import Row
from benchmarks.windows.signal import plan
from ethogram.adapters.delta.lake import DeltaLake
from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.adapters.duckdb.session import Sessions
from ethogram.usecases.backfill import Backfilled, backfill

WHOLE = Load(10_000_000, 100_000, 1_000_000)
SHARE = 0.03


def measure() -> list[Row]:
    """Medians of a few rounds, each in a copy of the lake of its own."""
    before, last = WHOLE.lake_of_all_days_but_the_last(), WHOLE.last_day()
    rounds = [_round(before, list(last.paths)) for _ in range(ROUNDS)]
    whole = statistics.median(full.seconds for full, _ in rounds)
    one = statistics.median(new.seconds for _, new in rounds)
    size = f"{rounds[0][1].events:,} of {WHOLE.events:,} events"
    share = one / whole
    return [
        Row("one new day on a year", size, 100 * share, "% of a full backfill", "<= 3 %", share <= SHARE),
        Row("full backfill", f"{rounds[0][0].events:,} events", whole, "s", "none", True),
    ]


def _round(before: Path, last: list[str]) -> tuple[Backfilled, Backfilled]:
    signal = plan("daily")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(before, f"{folder}/lake")
        lake, ledger = DeltaLake(Path(folder) / "lake"), _Ledger()
        engine = DuckdbEngine(Sessions(Path(folder) / "spill", threads=2))
        full = backfill(signal, until=LAST_DAY, engine=engine, lake=lake, ledger=ledger)
        rows = ds.dataset(last, partitioning="hive", partition_base_dir=_base(last[0])).scanner().to_reader()
        lake.append(f"events/{BEHAVIOR}", rows, unit="new", partition_by=["month"])
        new = backfill(signal, until=LAST_DAY + timedelta(days=1), engine=engine, lake=lake, ledger=ledger)
    assert (full.days, new.days) == (364, 1)
    assert new.events == sum(pq.read_metadata(path).num_rows for path in last)
    return full, new


def _base(path: str) -> str:
    return str(Path(path).parent.parent)


class _Ledger:
    """Which days have their tiles, in memory: what PostgreSQL adds is one short transaction a month."""

    def __init__(self) -> None:
        self._days: dict[str, dict[date, tuple[str, Mapping[str, int]]]] = defaultdict(dict)
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._rate: float | None = None

    @contextlib.contextmanager
    def locked(self, table: str) -> Iterator[None]:
        with self._locks[table]:
            yield

    def days(self, table: str) -> Mapping[date, tuple[str, Mapping[str, int]]]:
        return dict(self._days[table])

    def note(
        self, table: str, digest: str, days: Iterable[date], versions: Mapping[str, int], *, events: int, seconds: float
    ) -> None:
        self._days[table] |= dict.fromkeys(days, (digest, dict(versions)))
        self._rate = events / seconds if events and seconds else self._rate

    def rate(self) -> float | None:
        return self._rate
