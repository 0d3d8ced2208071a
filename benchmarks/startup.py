"""How long a command and an import take before they do anything."""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

from benchmarks.measure import run
from benchmarks.row import Row

ROUNDS = 7


def measure() -> list[Row]:
    here = Path(sys.executable).parent
    rows = []
    for name, command, bar in (
        ("ethogram --help", [str(here / "ethogram"), "--help"], 0.5),
        ("import ethogram", [sys.executable, "-c", "import ethogram"], 0.3),
    ):
        runs = [run(command, env=dict(os.environ), cwd=Path.cwd()) for _ in range(ROUNDS + 1)][1:]
        assert all(one.status == 0 for one in runs), runs[0].output
        seconds = statistics.median(one.seconds for one in runs)
        rows.append(Row(name, f"median of {ROUNDS}", seconds, "s", f"< {bar} s", seconds < bar))
    return rows
