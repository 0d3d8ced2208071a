"""The task by our engine, from the lake's files or from unsorted ones.

Files say themselves whether a range of entities is scattered all over them; the engine then reads them fewer times.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.events import BEHAVIOR
from benchmarks.side import Job, contest
from benchmarks.windows.signal import plan
from benchmarks.windows.spans import COLUMNS
from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.adapters.duckdb.session import Sessions
from ethogram.ports import TableFiles


def answer(job: Job) -> pa.Table:
    events = TableFiles(f"events/{BEHAVIOR}", 0, tuple(job.events), pq.read_schema(job.events[0]))
    engine = DuckdbEngine(Sessions(Path(job.spill), threads=job.threads))
    return engine.features(plan(), pq.read_table(job.observations), {BEHAVIOR: events}).select(COLUMNS)


if __name__ == "__main__":
    contest(answer)
