"""The task by our engine from the lake's files, or by the same kernel from unsorted ones.

The engine expects the lake's order. Unsorted events are read once and parted by ranges of entities; each range is
sorted and computed as the engine does it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import ranges
from benchmarks.events import BEHAVIOR
from benchmarks.side import Job, contest
from benchmarks.windows.signal import plan
from benchmarks.windows.spans import COLUMNS
from ethogram.adapters.arrow.values import arrow, column
from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.adapters.duckdb.session import Sessions
from ethogram.core.signals.kernel import Column, Events, Values, concat, evaluate
from ethogram.ports import TableFiles

READ = ("customer", "occurred_at", "available_at", "amount")


def answer(job: Job) -> pa.Table:
    return _from_lake(job) if job.sorted else _from_raw(job)


def _from_lake(job: Job) -> pa.Table:
    events = TableFiles(f"events/{BEHAVIOR}", 0, tuple(job.events), pq.read_schema(job.events[0]))
    engine = DuckdbEngine(Sessions(Path(job.spill), threads=job.threads))
    return engine.features(plan(), pq.read_table(job.observations), {BEHAVIOR: events}).select(COLUMNS)


def _from_raw(job: Job) -> pa.Table:
    features = plan().features
    asked = pq.read_table(job.observations)
    whose, at = column(asked["entity"]).data, column(asked["as_of"]).data
    with ThreadPoolExecutor(job.threads) as pool:
        read = pool.map(lambda path: ranges.read(path, READ), job.events)
        entity, occurred, available, amount = map(np.concatenate, zip(*read, strict=True))
        cuts = ranges.cuts(entity)
        events, observations = ranges.by_range(entity, cuts), ranges.by_range(whose, cuts)

        def part(number: int) -> dict[str, Values]:
            rows, mine = events[number], observations[number]
            properties = {"amount": Column(amount[rows], None, 6)}
            found = Events(entity[rows], occurred[rows], available[rows], None, properties).in_order()
            return evaluate(features, found, whose[mine], at[mine])

        found = list(pool.map(part, range(len(cuts) + 1)))
    back = np.empty(len(at), np.int64)
    back[np.concatenate(observations)] = np.arange(len(at))
    return pa.table({f.name: arrow(concat([each[f.name] for each in found]).take(back), f.type) for f in features})


if __name__ == "__main__":
    contest(answer)
