"""The latest amount by our engine on Spark."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.events import BEHAVIOR
from benchmarks.side import Job, contest
from benchmarks.windows.signal import TAXONOMY
from ethogram import Signal, last
from ethogram.adapters.spark.engine import SparkEngine
from ethogram.adapters.spark.session import connect
from ethogram.core.signals.plan import plan_signal
from ethogram.ports import TableFiles
from ethogram.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLAN = plan_signal(
    Signal("latest", version=1, entity="customer", of=BEHAVIOR, features=[last("amount", name="amount")]), TAXONOMY
)


def answer(job: Job, session: SparkSession, rows: int | None = None) -> pa.Table:
    files = TableFiles(f"events/{BEHAVIOR}", 0, tuple(job.events), pq.read_schema(job.events[0]))
    asked = pq.read_table(job.observations).slice(0, rows)
    engine = SparkEngine(lambda: session, duckdb.connect)
    return engine.features(PLAN, asked, {BEHAVIOR: files}).select(["amount"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as room:
        session = connect(Settings(Path(room), spark_master="local[2]"))
        # What starts on first use, here and in the workers, is not what is compared; Feast's store is warmed alike.
        answer(Job(**json.loads(sys.argv[1])), session, 2)
        contest(lambda job: answer(job, session))
