"""What can go wrong with Spark, in words: what, where, next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ethogram.errors import EthogramError

_LINES = 8
_RAISED = re.compile(r"[A-Za-z_][\w.]*: ")  # the last line of a Python traceback


class SparkTrouble(EthogramError):
    """Spark cannot be used, or gave up."""

    code = "spark-trouble"


class SparkMissing(SparkTrouble):
    """pyspark is not installed."""

    code = "spark-missing"

    def __init__(self) -> None:
        super().__init__(
            "Spark is not installed (no package pyspark here); install it with `pip install 'ethogram[spark]'`, "
            "or leave Spark out: DuckDB computes the same"
        )


class JavaMissing(SparkTrouble):
    """There is no Java to run Spark."""

    code = "java-missing"

    def __init__(self, looked: Sequence[str]) -> None:
        self.looked = tuple(looked)
        super().__init__(
            f"Spark needs Java and there is none (looked at {', '.join(self.looked)}); "
            "install Java 17 or later, or set JAVA_HOME to it"
        )


class SparkWouldNotStart(SparkTrouble):
    """Spark ended before it could work; `lines` are its own last words."""

    code = "spark-would-not-start"

    def __init__(self, master: str, said: str, log: Path) -> None:
        self.master = master
        found = log.read_text(errors="replace").splitlines() if log.is_file() else []
        self.lines = tuple(line for line in found if line.strip())[-_LINES:]
        head = f"Spark would not start at {master} ({said}); Java 17 or later is needed, and a master that answers"
        super().__init__("\n".join([head, *(f"  {line}" for line in self.lines)]))


class SparkFailed(SparkTrouble):
    """Spark refused or gave up a query; `condition` is its own name for the reason, empty if it has none."""

    code = "spark-failed"

    def __init__(self, condition: str, said: str) -> None:
        self.condition = condition
        super().__init__(f"Spark gave up: {said}; nothing was written, so it can be run again")


@contextmanager
def translated() -> Iterator[None]:
    """Run a block on a Spark session; what Spark says went wrong is our `SparkFailed`."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        raise SparkFailed(error.getCondition() or "", _said(error)) from error
    except Py4JError as error:
        raise SparkFailed("", _said(error)) from error


def _said(error: Exception) -> str:
    """The line that matters of a message that goes on with the query and Java's stack."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    if any(line.startswith("Traceback ") for line in lines):
        lines = [line for line in lines if _RAISED.match(line)][-1:] or lines
    return lines[0].strip().rstrip(".;") if lines else type(error).__name__
