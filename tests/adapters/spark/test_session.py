"""Spark sessions of ours: what they promise whoever computes in them, and what is said when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ethogram.adapters.spark.errors import SparkFailed, translated
from ethogram.adapters.spark.expressions import emit
from ethogram.adapters.spark.session import MEANING, connect
from ethogram.core.expressions import TIMESTAMP, decimal, parse
from ethogram.settings import Settings, read_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = pa.schema({"customer": pa.int64(), "occurred_at": pa.timestamp("us", "UTC"), "amount": pa.decimal128(38, 6)})
BEFORE_THE_EPOCH = datetime(1900, 1, 1, 0, 0, 0, 1, UTC)
EVENTS = pa.Table.from_pylist(
    [
        {"customer": 1, "occurred_at": datetime(2026, 3, 29, 0, 59, 59, 999_999, UTC), "amount": Decimal("0.000001")},
        {"customer": 1, "occurred_at": datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "amount": None},
        {"customer": 2, "occurred_at": BEFORE_THE_EPOCH, "amount": Decimal("-99999999999999999999.999999")},
        {"customer": 2, "occurred_at": datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "amount": Decimal("2.5")},
    ],
    schema=SCHEMA,
)
DDL = "customer bigint, occurred_at timestamp, amount decimal(38, 6)"


@pytest.fixture
def events(spark: SparkSession, tmp_path: Path):
    """Plain Parquet files, as `ports.TableFiles` lists them."""
    import pyarrow.parquet as pq

    for number in range(2):
        pq.write_table(EVENTS.slice(number * 2, 2), tmp_path / f"part {number}.parquet")
    return spark.read.parquet(*(str(path) for path in sorted(tmp_path.glob("*.parquet"))))


def test_instants_and_amounts_go_through_arrow_and_come_back_to_the_microsecond_and_digit(events):
    def same(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            assert batch.schema.field("occurred_at").type == pa.timestamp("us", "UTC")
            assert batch.schema.field("amount").type == pa.decimal128(38, 6)
            yield batch

    with translated():
        back = events.mapInArrow(same, DDL).toArrow()
    assert back.sort_by("occurred_at").cast(SCHEMA).equals(EVENTS.sort_by("occurred_at"))


def test_a_kernel_over_the_events_of_each_observation_runs_in_cogrouped_arrow(spark, events):
    observations = spark.createDataFrame(
        pa.table(
            {
                "customer": pa.array([1, 2, 3]),
                "as_of": pa.array([datetime(2026, 3, 29, 1, 0, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC")),
            }
        )
    )

    def count_before(asked: pa.Table, seen: pa.Table) -> pa.Table:
        times = np.sort(seen["occurred_at"].cast(pa.int64()).to_numpy())
        found = np.searchsorted(times, asked["as_of"].cast(pa.int64()).to_numpy(), side="left")
        return pa.table({"customer": asked["customer"], "seen": pa.array(found, pa.int64())})

    grouped = observations.groupBy("customer").cogroup(events.groupBy("customer"))
    counted = grouped.applyInArrow(count_before, "customer bigint, seen bigint").toArrow()
    assert dict(zip(counted["customer"].to_pylist(), counted["seen"].to_pylist(), strict=True)) == {1: 1, 2: 1, 3: 0}


def test_files_are_filtered_by_our_expressions_before_they_reach_python(events):
    types = {"amount": decimal(6), "occurred_at": TIMESTAMP}
    kept = events.filter(emit(parse("amount > 0 and occurred_at >= timestamp(make_date(2026, 4, 1))"), types))
    assert kept.toArrow()["amount"].to_pylist() == [Decimal("2.500000")]


def test_groups_of_one_customer_reach_a_kernel_whole(events):
    def total(rows: pa.Table) -> pa.Table:
        return pa.table({"customer": rows["customer"][:1], "events": pa.array([rows.num_rows], pa.int64())})

    found = events.groupBy("customer").applyInArrow(total, "customer bigint, events bigint").toArrow()
    assert pc.sum(found["events"]).as_py() == 4
    assert found.num_rows == 2


def test_every_session_has_our_meaning_and_options_and_shares_what_runs(spark):
    other = connect(Settings(Path("/nowhere")), options={"spark.sql.shuffle.partitions": "3"})
    assert other.sparkContext is spark.sparkContext
    assert {name: other.conf.get(name) for name in MEANING} == MEANING
    assert (other.conf.get("spark.sql.shuffle.partitions"), spark.conf.get("spark.sql.shuffle.partitions")) == (
        "3",
        "2",
    )
    assert other.sparkContext.getConf().get("spark.ui.enabled") == "false"
    assert other.sparkContext.uiWebUrl is None


def test_the_work_is_below_the_workspace(spark):
    where = Path(spark.sparkContext.getConf().get("spark.local.dir"))
    assert where.parent.parent.name == ".ethogram"
    assert (where / "spark.log").is_file()


def test_what_spark_refuses_is_an_error_of_ours_in_one_line(spark, capfd):
    with (
        pytest.raises(SparkFailed, match=r"^Spark gave up: \[ARITHMETIC_OVERFLOW\].*run again$") as raised,
        translated(),
    ):
        spark.sql("SELECT id + 9223372036854775807 FROM range(1, 2)").toArrow()
    assert raised.value.condition == "ARITHMETIC_OVERFLOW"
    with pytest.raises(SparkFailed, match="TABLE_OR_VIEW_NOT_FOUND"), translated():
        spark.sql("SELECT * FROM nothing_of_that_name")
    assert capfd.readouterr().err == ""


def test_a_task_that_fails_in_python_says_so(spark):
    def wrong(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        raise ValueError("the kernel met what it cannot be")
        yield from batches

    with pytest.raises(SparkFailed, match="up: ValueError: the kernel met what it cannot be; nothing"), translated():
        spark.range(2).mapInArrow(wrong, "id bigint").toArrow()


def test_the_master_is_a_setting(workspace):
    assert read_settings(start=workspace, environment={}).spark_master == "local[*]"
    there = {"ETHOGRAM_SPARK_MASTER": "spark://cluster:7077"}
    assert read_settings(start=workspace, environment=there).spark_master == "spark://cluster:7077"


START = """
import sys
from pathlib import Path
from ethogram.errors import EthogramError
from ethogram.settings import Settings
{before}
from ethogram.adapters.spark.session import connect
try:
    connect(Settings(Path(sys.argv[1]), spark_master="local[1]"))
except EthogramError as error:
    print(error.code, "|", error)
"""


def started(place: Path, *, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """What a process of its own says that has this environment."""
    command = [sys.executable, "-c", START.format(before=before), str(place)]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)


def test_without_the_extra_the_error_says_what_to_install(tmp_path):
    said = started(tmp_path, before="sys.modules['pyspark'] = None").stdout
    assert said.startswith("spark-missing | Spark is not installed")
    assert "pip install 'ethogram[spark]'" in said


def test_without_java_the_error_says_where_it_was_looked_for(tmp_path, spark):  # noqa: ARG001 - skips without Spark
    said = started(tmp_path, JAVA_HOME=str(tmp_path / "none")).stdout
    assert said.startswith(
        f"java-missing | Spark needs Java and there is none (looked at JAVA_HOME: {tmp_path}/none/bin"
    )
    (tmp_path / "empty").mkdir()
    said = started(tmp_path, JAVA_HOME="", PATH=str(tmp_path / "empty")).stdout
    assert "java on PATH); install Java 17 or later, or set JAVA_HOME to it" in said


def test_a_java_that_cannot_run_spark_is_quoted(tmp_path, spark):  # noqa: ARG001 - skips without Spark
    program = tmp_path / "old" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'UnsupportedClassVersionError: class file version 61.0' >&2\nexit 1\n")
    program.chmod(0o755)
    ended = started(tmp_path, JAVA_HOME=str(tmp_path / "old"))
    assert ended.stdout.startswith("spark-would-not-start | Spark would not start at local[1]")
    assert "  UnsupportedClassVersionError: class file version 61.0" in ended.stdout
    assert ended.stderr == ""
    assert not list((tmp_path / ".ethogram" / "spark").iterdir())
