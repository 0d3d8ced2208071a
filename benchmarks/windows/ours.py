"""The task by our engine, from the lake's files or from raw ones, which it lays out as the lake first."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.events import BEHAVIOR, sort_into
from benchmarks.side import Job, contest
from benchmarks.windows.signal import plan
from benchmarks.windows.spans import COLUMNS
from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.adapters.duckdb.session import Sessions
from ethogram.ports import TableFiles


def answer(job: Job) -> pa.Table:
    if not job.sorted:
        with tempfile.TemporaryDirectory(dir=job.spill) as lake:
            return _features(job, sort_into(Path(lake), job.events))
    name = f"events/{BEHAVIOR}"
    return _features(job, TableFiles(name, 0, tuple(job.events), pq.read_schema(job.events[0])))


def _features(job: Job, events: TableFiles) -> pa.Table:
    engine = DuckdbEngine(Sessions(Path(job.spill), threads=job.threads))
    return engine.features(plan(), pq.read_table(job.observations), {BEHAVIOR: events}).select(COLUMNS)


if __name__ == "__main__":
    contest(answer)
