"""Sessions as the engine gives them; it also names each, and says where it began and ended."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.events import BEHAVIOR
from benchmarks.side import Job, contest
from benchmarks.windows.signal import TAXONOMY
from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.adapters.duckdb.session import Sessions as Connections
from ethogram.core.signals.sessions import Sessions, plan_sessions
from ethogram.ports import TableFiles


def answer(job: Job) -> pa.Table:
    plan = plan_sessions(Sessions("visits", entity="customer", of=BEHAVIOR, gap="30m", max_length="12h"), TAXONOMY)
    events = TableFiles(f"events/{BEHAVIOR}", 0, tuple(job.events), pq.read_schema(job.events[0]))
    engine = DuckdbEngine(Connections(Path(job.spill), threads=job.threads))
    return engine.sessions(plan, {BEHAVIOR: events}).select(["entity", "started_at", "ended_at", "events"])


if __name__ == "__main__":
    contest(answer)
