"""Plain Feast, whichever offline store the repository names: times one historical retrieval, writes its answer.

Run by `benchmarks.latest_join` with our Python and with the peers' one; nothing of ours is imported here.
`python feast_retrieval.py REPO OUT ROWS`: REPO has feature_store.yaml, definitions.json and entities.parquet.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.data_format import ParquetFormat
from feast.types import Float64, Int64


def define(repo: Path) -> tuple[FeatureStore, list[str]]:
    """Apply the views that definitions.json lists; gives the store and every feature's reference."""
    store = FeatureStore(repo_path=str(repo))
    user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
    objects: list[Any] = [user]
    refs = []
    for view in json.loads((repo / "definitions.json").read_text()):
        source = FileSource(
            path=view["path"],
            file_format=ParquetFormat(),
            timestamp_field="happened_at",
            created_timestamp_column="created_at",
        )
        fields = [Field(name=name, dtype=Float64) for name in view["features"]]
        schema = [Field(name="user_id", dtype=Int64), *fields]
        ttl = timedelta(seconds=view["ttl_s"])
        objects.append(FeatureView(name=view["name"], entities=[user], ttl=ttl, schema=schema, source=source))
        refs += [f"{view['name']}:{name}" for name in view["features"]]
    store.apply(objects)
    return store, refs


def main(repo: Path, out: Path, rows: int) -> None:
    store, refs = define(repo)
    entities = pq.read_table(repo / "entities.parquet").slice(0, rows).to_pandas()
    warm = [ref for ref in refs if ref.startswith("warm:")]
    asked = [ref for ref in refs if ref not in warm]
    # Imports and first-use costs of either store are not what is compared.
    store.get_historical_features(entity_df=entities.head(2), features=warm).to_arrow()
    cpu, started = time.process_time(), time.perf_counter()
    answer = store.get_historical_features(entity_df=entities, features=asked).to_arrow()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = _peak_bytes()
    answer = answer.sort_by("row").select(["row", *(ref.split(":")[1] for ref in asked)])
    pq.write_table(pa.table(answer), out)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_bytes": peak, "rows": answer.num_rows}))


def _peak_bytes() -> int:
    # getrusage would count what the process that started this one had held.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
