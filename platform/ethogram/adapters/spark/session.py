"""Spark sessions that compute as our expressions need it: UTC, overflow is an error, decimals keep their digits."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.adapters.rooms import new_room
from ethogram.adapters.spark.errors import JavaMissing, SparkMissing, SparkTrouble, SparkWouldNotStart
from ethogram.settings import Settings

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

MEANING = {
    "spark.sql.ansi.enabled": "true",  # overflow and a cast that fails are errors
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    # Else DECIMAL(38, 18) + DECIMAL(38, 18) has 17 digits after the point, and a product of two decimals 6.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    # Else a name or text with ${…} in it would be replaced by a setting or an environment variable.
    "spark.sql.variable.substitute": "false",
    # Else '\\' in a text is no escape.
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
"""What every session of ours has, whoever started Spark."""

_LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
}


def connect(settings: Settings, *, options: Mapping[str, str] | None = None) -> SparkSession:
    """A session of our own settings; Spark is started if none runs in this process, which takes some seconds.

    Spark is one per process: if one runs already, its master and resources stay as they are and only the session is
    new. Spilled data goes below the workspace's state and is removed when the process ends.

    Args:
        settings: `spark_master` is where it works (ETHOGRAM_SPARK_MASTER), by default all cores of this machine. On a
            cluster, its Python must have this package and the same Python version.
        options: Spark's own settings, such as `spark.sql.shuffle.partitions`; those of memory and cores only matter to
            whoever starts Spark.
    """
    try:
        from pyspark import SparkContext
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SparkMissing from error
    running = SparkContext._active_spark_context
    if running is None:
        running = _start(settings, options or {})
    # Every error that has a place in the SQL would go to the standard error stream too, as JSON with Java's stack.
    for noisy in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL + 1)
    session = SparkSession(running).newSession()
    for name, value in {**MEANING, **(options or {})}.items():
        if session.conf.isModifiable(name):
            session.conf.set(name, value)
    return session


def _start(settings: Settings, options: Mapping[str, str]) -> SparkContext:
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway

    _require_java()
    room = new_room(settings.home / "spark")
    local = settings.spark_master.startswith("local")
    if local:
        # Else the workers are whatever python3 is first on the path.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    chosen = {
        "spark.master": settings.spark_master,
        "spark.app.name": "ethogram",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": str(room),
        "spark.sql.warehouse.dir": str(room / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        **(_LOCAL if local else {}),
        **options,
    }
    log = room / "spark.log"
    conf = SparkConf(loadDefaults=False)
    for name, value in chosen.items():
        conf.set(name, value)
    try:
        if SparkContext._gateway is None:
            with log.open("ab") as output:
                # Java speaks before any setting can silence it; what it says is for the error, if there is one.
                gateway = launch_gateway(conf, popen_kwargs={"stdout": output, "stderr": output})
            return SparkContext(conf=conf, gateway=gateway)
        return SparkContext(conf=conf)
    except (PySparkException, Py4JError, OSError) as error:
        said = str(error).strip().splitlines()
        raise SparkWouldNotStart(settings.spark_master, said[0] if said else type(error).__name__, log) from error
    except ValueError as error:  # a second context in this process
        raise SparkTrouble(f"Spark cannot start twice in one process; {error}") from error


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if home:
        program = Path(home) / "bin" / "java"
        if not os.access(program, os.X_OK):
            raise JavaMissing([f"JAVA_HOME: {program}"])
    elif shutil.which("java") is None:
        raise JavaMissing(["JAVA_HOME: not set", "java on PATH"])
