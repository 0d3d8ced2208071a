"""Made events of one behavior over one year, seeded: raw files in no order, the lake made of them, observations.

Nothing is kept in the repository: data goes below `ETHOGRAM_BENCH_DATA`, else the system's temporary folder, and is
made once for each size.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import numpy.typing as npt

    from ethogram.ports import TableFiles

BEHAVIOR = "commerce.purchase"
START = 1_735_689_600_000  # 2025-01-01, milliseconds
MINUTE = 60_000
DAY = 86_400_000
DAYS = 365
LAST_DAY = datetime(2025, 12, 31, tzinfo=UTC)
INSTANT = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    {
        "event_id": pa.string(),
        "op": pa.string(),
        "target_id": pa.string(),
        "occurred_at": INSTANT,
        "available_at": INSTANT,
        "channel": pa.string(),
        "source": pa.string(),
        "run": pa.string(),
        "customer": pa.int64(),
        "amount": pa.decimal128(18, 6),
    }
)
_LAST_DAY = f"TIMESTAMPTZ '{LAST_DAY:%Y-%m-%d} 00:00:00+00'"
_MADE = "6"  # counts up when other events come out
_FILE = 1_000_000
_HOTTEST = 0.1


@dataclass(frozen=True)
class Load:
    """How much there is of what.

    Attributes:
        events, entities, observations: How many.
        skewed: Zipf-distributed: a tenth of the events, and of the observations, is one entity's.
    """

    events: int
    entities: int
    observations: int
    skewed: bool = False

    def __str__(self) -> str:
        return f"{short(self.events)} events, {short(self.entities)} entities, {short(self.observations)} observations"

    @property
    def folder(self) -> Path:
        root = Path(os.environ.get("ETHOGRAM_BENCH_DATA", Path(tempfile.gettempdir()) / "ethogram-benchmarks"))
        kind = "zipf" if self.skewed else "even"
        return root / f"{_MADE}-{kind}-{self.events}-{self.entities}-{self.observations}"

    def raw(self) -> list[str]:
        """Parquet files with the columns of `SCHEMA`, rows in no order."""
        place = self.folder / "raw"
        if not place.is_dir():
            with _whole(place) as making:
                for n, part in enumerate(self._parts()):
                    pq.write_table(part, making / f"part-{n:04}.parquet", compression="zstd")
        return sorted(map(str, place.glob("*.parquet")))

    def observations_file(self) -> str:
        """One Parquet file: `entity` (int64) and `as_of`, any instant of the second half of the year, in no order."""
        place = self.folder / "observations"
        if not place.is_dir():
            rng = np.random.default_rng([self.events, self.observations, 2])
            half = DAYS // 2 * DAY
            as_of = START + half + rng.integers(0, DAYS * DAY - half, self.observations)
            asked = {"entity": self._entities(rng, self.observations), "as_of": _instants(as_of)}
            with _whole(place) as making:
                pq.write_table(pa.table(asked), making / "part.parquet", compression="zstd")
        return str(place / "part.parquet")

    def lake(self) -> TableFiles:
        """The same events as the lake keeps them: a file a month, sorted by entity and time."""
        from ethogram.adapters.delta.lake import DeltaLake

        return DeltaLake(self._lake("lake", "true")).files(f"events/{BEHAVIOR}")

    def lake_of_all_days_but_the_last(self) -> Path:
        """A lake whose table of events misses what happened on `LAST_DAY`; whoever changes it copies it first."""
        return self._lake("lake-before", f"occurred_at < {_LAST_DAY}")

    def last_day(self) -> TableFiles:
        """What `lake_of_all_days_but_the_last` misses, laid out alike."""
        from ethogram.adapters.delta.lake import DeltaLake

        return DeltaLake(self._lake("lake-last", f"occurred_at >= {_LAST_DAY}")).files(f"events/{BEHAVIOR}")

    def _lake(self, name: str, which: str) -> Path:
        place = self.folder / name
        if not place.is_dir():
            raw = self.raw()
            with _whole(place) as making:
                sort_into(making, raw, which)
        return place

    def _entities(self, rng: np.random.Generator, many: int) -> npt.NDArray[np.int64]:
        if not self.skewed:
            return rng.integers(1, self.entities + 1, many)
        ranks = np.searchsorted(_zipf(self.entities), rng.random(many))
        return np.random.default_rng(1).permutation(self.entities)[ranks] + 1

    def _parts(self) -> Iterator[pa.Table]:
        for first in range(0, self.events, _FILE):
            many = min(_FILE, self.events - first)
            rng = np.random.default_rng([self.events, first, 1])
            # Behavior comes in bursts: five events on average, some minutes apart, a few with a pause inside.
            breaks = rng.random(many) < 0.2
            gaps = rng.exponential(5 * MINUTE, many) * np.where(rng.random(many) < 0.03, 20, 1)
            # Now and then somebody goes on for a day without a pause of half an hour.
            for endless in (slice(at, at + 300) for at in rng.integers(0, many, -(-many // 50_000))):
                breaks[endless] = False
                gaps[endless] = np.minimum(gaps[endless], 20 * MINUTE)
            burst = np.cumsum(breaks)
            starts = rng.integers(0, DAYS * DAY, burst[-1] + 1)
            run = np.cumsum(gaps.astype(np.int64))
            began = np.searchsorted(burst, np.arange(burst[-1] + 1))
            # What would reach into the next year goes on at the beginning of this one.
            occurred = START + (starts[burst] + run - run[began][burst]) % (DAYS * DAY)
            order = rng.permutation(many)
            at = _instants(occurred[order])
            cents = np.minimum(rng.lognormal(8.0, 1.0, many), 1e8).astype(np.int64)
            columns = [
                _hex(rng.bytes(16 * many)),
                _same("assert", many),
                _same(None, many),
                at,
                at,
                pa.array(["web", "app", "store"]).take(pa.array(rng.integers(0, 3, many))),
                _same("shop", many),
                _same("run", many),
                pa.array(self._entities(rng, burst[-1] + 1)[burst][order]),
                _money(cents * 10_000),
            ]
            yield pa.table(columns, schema=SCHEMA)


def sort_into(root: Path, raw: list[str], which: str) -> None:
    """Raw rows, as far as `which` is true of them, as ingest lays them out in the lake below `root`."""
    from ethogram.adapters.delta.lake import DeltaLake
    from ethogram.adapters.duckdb.session import Sessions

    connection = Sessions(root.parent / "spill", threads=2)()
    listed = ", ".join(f"'{path}'" for path in raw)
    sorted_rows = connection.sql(
        "SELECT *, strftime(occurred_at, '%Y-%m') AS month "
        f"FROM read_parquet([{listed}]) WHERE {which} "
        "ORDER BY year(occurred_at), month(occurred_at), customer, occurred_at, event_id"
    ).to_arrow_reader(131_072)
    try:
        DeltaLake(root).append(f"events/{BEHAVIOR}", sorted_rows, unit="made", partition_by=["month"])
    finally:
        connection.close()


def short(many: int) -> str:
    """ "10 M", "100 k".

    >>> short(100_000), short(2_500)
    ('100 k', '2500')
    """
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if many >= size and many % size == 0:
            return f"{many // size} {unit}"
    return str(many)


def _instants(milliseconds: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(milliseconds * 1000).cast(INSTANT)


def _money(micros: npt.NDArray[np.int64]) -> pa.Array:
    halves = np.stack([micros, micros >> 63], axis=1)
    return pa.Array.from_buffers(pa.decimal128(18, 6), len(micros), [None, pa.py_buffer(halves.tobytes())])


def _same(text: str | None, many: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), many)


def _hex(random: bytes) -> pa.Array:
    text = random.hex().encode()
    offsets = np.arange(0, len(text) + 1, 32, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def _zipf(many: int) -> npt.NDArray[np.float64]:
    """Cumulative shares by rank, with the exponent that gives the first rank its tenth."""
    low, high = 0.5, 2.0
    ranks = np.arange(1, many + 1, dtype=np.float64)
    for _ in range(50):
        middle = (low + high) / 2
        shares = ranks**-middle
        low, high = (middle, high) if shares[0] / shares.sum() < _HOTTEST else (low, middle)
    cumulative = np.cumsum(shares)
    return np.asarray(cumulative / cumulative[-1])


@contextlib.contextmanager
def _whole(place: Path) -> Iterator[Path]:
    """A folder that is there only when everything in it is."""
    making = place.with_name(f"{place.name}.making-{os.getpid()}")
    making.mkdir(parents=True)
    try:
        yield making
        making.rename(place)
    finally:
        shutil.rmtree(making, ignore_errors=True)
