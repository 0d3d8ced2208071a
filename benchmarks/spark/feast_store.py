"""The latest amount by plain Feast with its own Spark store: its template, nothing of ours."""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.types import Float64, Int64

from benchmarks.side import Job, contest

YAML = """
project: bench
provider: local
registry: registry.db
offline_store:
  type: spark
  spark_conf:
    spark.master: "local[2]"
    spark.driver.memory: 2g
    spark.ui.enabled: "false"
    spark.sql.session.timeZone: UTC
    spark.sql.shuffle.partitions: "4"
    spark.sql.execution.arrow.pyspark.enabled: "true"
    spark.local.dir: {room}
online_store:
  type: sqlite
  path: online.db
entity_key_serialization_version: 3
"""


def answer(job: Job, store: FeatureStore, rows: int | None = None) -> pa.Table:
    asked = pq.read_table(job.observations).slice(0, rows)
    frame = asked.rename_columns(["customer", "event_timestamp"]).append_column("row", pa.array(range(len(asked))))
    found = store.get_historical_features(entity_df=frame.to_pandas(), features=["latest:amount"]).to_arrow()
    ordered = found.take(pc.sort_indices(found["row"]))
    return pa.table({"amount": ordered["amount"].cast(pa.decimal128(38, 6))})


def defined(folder: Path, events: list[str]) -> FeatureStore:
    """A repository with one view over the event files."""
    (folder / "feature_store.yaml").write_text(YAML.format(room=folder / "room"))
    store = FeatureStore(repo_path=str(folder))
    customer = Entity(name="customer", join_keys=["customer"], value_type=ValueType.INT64)
    source = SparkSource(
        name="events",
        path=str(Path(events[0]).parents[1]),
        file_format="parquet",
        timestamp_field="occurred_at",
    )
    schema = [Field(name="customer", dtype=Int64), Field(name="amount", dtype=Float64)]
    view = FeatureView(name="latest", entities=[customer], ttl=timedelta(0), schema=schema, source=source)
    store.apply([customer, view])
    return store


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as room:
        given = Job(**json.loads(sys.argv[1]))
        repository = defined(Path(room), given.events)
        answer(given, repository, 2)  # what starts on first use is not what is compared
        contest(lambda job: answer(job, repository))
