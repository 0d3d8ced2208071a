"""The latest value on Spark, two cores: our engine against Feast's own Spark store, 1,000 versions an entity."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.events import Load
from benchmarks.race import Contestant, race
from benchmarks.row import Row
from benchmarks.side import Job

OURS = Contestant("ethogram", "benchmarks.spark.ours", ours=True)
# Feast and Spark stand in our environment too, so it runs there.
FEAST = Contestant("Feast's Spark store", "benchmarks.spark.feast_store", ours=True)
WHOLE = Load(1_000_000, 1_000, 100_000)
HALF_A_MILLISECOND = pa.scalar(500, pa.duration("us"))


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        asked = pq.read_table(WHOLE.observations_file())
        # Between two milliseconds nothing happens: Feast counts what happened at the very instant, and we do not.
        apart = asked.set_column(1, "as_of", pc.add(asked["as_of"], HALF_A_MILLISECOND))
        observations = str(Path(folder) / "observations.parquet")
        pq.write_table(apart, observations)
        job = Job(list(WHOLE.lake().paths), observations, True, folder)
        figures = race((OURS, FEAST), job, task="latest value on Spark", events=WHOLE.events, rounds=1)
    ours, peer = figures
    holds = peer.seconds >= 10 * ours.seconds
    size = f"{WHOLE.events:,} events, {WHOLE.entities:,} entities, {WHOLE.observations:,} obs"
    name, bar = "latest value on Spark", ">= 10 x"
    return [Row(name, size, ours.seconds, "s", bar, holds, peer.seconds, peer.contestant, tuple(figures))]
