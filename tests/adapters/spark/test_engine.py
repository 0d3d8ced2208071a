"""The whole store on Spark: the setting is all it takes, and nothing comes out otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from ethogram.adapters.spark.engine import SparkEngine
from ethogram.adapters.spark.errors import SparkFailed
from ethogram.errors import AskedWrongly
from ethogram.local import Store
from ethogram.ports import TableFiles
from ethogram.settings import read_settings
from ethogram.wiring import parts_of


def test_a_store_on_spark_answers_as_one_on_duckdb(shop: Any, spark: Any) -> None:  # noqa: ARG001 - one Spark a process
    parts = parts_of(replace(shop.parts.settings, engine="spark", spark_master="local[2]"))
    assert isinstance(parts.engine, SparkEngine)
    here, there = shop.store(), Store(parts, principal="risk.modeller", purpose="churn_prevention")
    ids = sorted(shop.ids.values())[:6]
    instants = [shop.DAY - timedelta(days=days) for days in (60, 1)]
    asked = pa.table({
        "entity": pa.array([id for id in ids for _ in instants], pa.int64()),
        "as_of": pa.array(instants * len(ids), pa.timestamp("us", "UTC")),
    })  # fmt: skip
    for name in ("purchase_rhythm@4", "browsing@1"):
        expected = here.values(here.view(name), asked)
        assert there.values(there.view(name), asked).to_pylist() == expected.to_pylist()


def test_a_file_that_is_gone_is_said(shop: Any, spark: Any) -> None:
    engine = SparkEngine(lambda: spark, shop.parts.sessions)
    plan = shop.parts.workspace.signal("browsing@1")
    files = shop.parts.lake.files("events/engagement.page_viewed")
    gone = {files.name.removeprefix("events/"): TableFiles(files.name, 0, ("/nowhere/part.parquet",), files.schema)}
    asked = pa.table({"entity": pa.array([1]), "as_of": pa.array([shop.DAY], pa.timestamp("us", "UTC"))})
    with pytest.raises((SparkFailed, FileNotFoundError), match=r"part\.parquet|PATH_NOT_FOUND|does not exist"):
        engine.features(plan, asked, gone)


def test_an_engine_that_there_is_not_is_refused(workspace: Any) -> None:
    environment = {"ETHOGRAM_WORKSPACE": str(workspace), "ETHOGRAM_ENGINE": "sparc"}
    with pytest.raises(AskedWrongly, match="ETHOGRAM_ENGINE=sparc is no engine; did you mean spark"):
        read_settings(environment=environment)
