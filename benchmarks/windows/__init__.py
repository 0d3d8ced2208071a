"""A training set of windows: 4 windows of count, sum and maximum, and recency, against DuckDB and Polars by hand."""

from __future__ import annotations

import itertools
import tempfile

from benchmarks.events import Load, short
from benchmarks.race import Contestant, race
from benchmarks.row import Figure, Row
from benchmarks.side import Job

OURS = Contestant("ethogram", "benchmarks.windows.ours", ours=True)
RANGE_JOIN = Contestant("DuckDB, range join", "benchmarks.windows.duckdb_range_join")
RANGE_WINDOWS = Contestant("DuckDB, RANGE windows", "benchmarks.windows.duckdb_range_windows")
POLARS = Contestant("Polars", "benchmarks.windows.polars")
ALL = (OURS, RANGE_JOIN, RANGE_WINDOWS, POLARS)

WHOLE = Load(10_000_000, 100_000, 1_000_000)
SKEWED = Load(10_000_000, 100_000, 1_000_000, skewed=True)
SIZES = [Load(many, many // 100, many // 10) for many in (1_000_000, 10_000_000, 100_000_000)]


def measure() -> list[Row]:
    """From the lake and from raw files, and the memory that takes."""
    lake = _race(ALL, WHOLE, "windows, from the lake")
    raw = _race(ALL, WHOLE, "windows, from raw", sorted=False)
    peak = max(lake[0].peak_gb, raw[0].peak_gb)
    return [
        _against_the_best("windows, from the lake", WHOLE, lake, 1.3),
        _against_the_best("windows, from raw", WHOLE, raw, 1.8),
        Row("windows, memory", str(WHOLE), peak, "GB", "< 2.5 GB", peak < 2.5),
    ]


def skewed() -> list[Row]:
    """A tenth of the events, and of the observations, on one key."""
    figures = _race(ALL, SKEWED, "windows, Zipf")
    ours, join = figures[0], figures[1]
    row = Row(
        "windows, Zipf-skewed",
        str(SKEWED),
        ours.seconds,
        "s",
        ">= 10 x",
        join.seconds >= 10 * ours.seconds,
        join.seconds,
        join.contestant if join.finished else f"{join.contestant} (cut off)",
        tuple(figures),
    )
    return [row]


def growth() -> list[Row]:
    """Ten times the events, entities and observations, twice; peers as far as they fit into memory."""
    found = [
        _race(contestants, load, "windows, growth", compare=load.events < 100_000_000)
        for load, contestants in zip(SIZES, (ALL, ALL, (OURS,)), strict=True)
    ]
    rows = []
    for before, after in itertools.pairwise(found):
        size = f"{short(before[0].events)} to {short(after[0].events)} events"
        times = after[0].seconds / before[0].seconds
        figures = (*before, *after) if before is found[0] else tuple(after)
        rows.append(Row("windows, 10 x the events", size, times, "x", "<= 12 x", times <= 12, figures=figures))
    return rows


def _race(
    contestants: tuple[Contestant, ...], load: Load, task: str, *, sorted: bool = True, compare: bool = True
) -> list[Figure]:
    events = list(load.lake().paths) if sorted else load.raw()
    with tempfile.TemporaryDirectory() as spill:
        job = Job(events, load.observations_file(), sorted, spill)
        return race(contestants, job, task=task, events=load.events, compare=compare)


def _against_the_best(name: str, load: Load, figures: list[Figure], bar: float) -> Row:
    ours, best = figures[0], min(figures[1:], key=lambda each: each.seconds)
    holds = best.seconds >= bar * ours.seconds
    figures_of = tuple(figures)
    return Row(name, str(load), ours.seconds, "s", f">= {bar} x", holds, best.seconds, best.contestant, figures_of)
