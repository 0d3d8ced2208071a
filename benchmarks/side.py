"""One contestant in a process of its own: reads a job, answers it, says how long that took.

Runs in either environment, so it imports nothing but pyarrow.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Job:
    """What to answer, and with what.

    Attributes:
        events: Parquet files.
        observations: A Parquet file, empty where nothing is observed.
        sorted: Whether the events come as the lake keeps them, month by month, by entity and time in each.
        spill: A folder to spill into.
        answer: Where the answer goes after the clock has stopped; None to leave it.
        memory: Where a limit can be set.
    """

    events: list[str]
    observations: str
    sorted: bool
    spill: str
    answer: str | None = None
    threads: int = 2
    memory: str = "2GB"

    def spell(self) -> str:
        return json.dumps(asdict(self))


def contest(answer: Callable[[Job], pa.Table]) -> None:
    """Answer the job that stands on the command line; the clock runs from after the imports to the Arrow table."""
    job = Job(**json.loads(sys.argv[1]))
    for late in ("pandas", "pyarrow.dataset"):  # pyarrow imports them on first use
        importlib.import_module(late)
    before, started = _cpu(), time.perf_counter()
    answered = answer(job)
    seconds, cpu = time.perf_counter() - started, _cpu() - before
    peak = _peak()
    if job.answer is not None:
        import pyarrow.parquet as pq

        pq.write_table(answered, job.answer)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "rows": len(answered)}))


def _peak() -> int:
    # getrusage would count what the process that started this one had held.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
