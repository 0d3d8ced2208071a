"""Made data per second, two cores."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import run
from benchmarks.row import Row

EVENTS = 2_000_000


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(Path(sys.executable).parent / "ethogram"),
            "sample",
            "--events",
            str(EVENTS),
            "--out",
            f"{folder}/shop",
        ]
        done = run(command, env=dict(os.environ), cwd=Path(folder))
    assert done.status == 0, done.output
    rate = EVENTS / done.seconds
    return [
        Row("sample", f"{EVENTS:,} events", rate / 1000, "k events/s", ">= 100", rate >= 100_000),
        Row(
            "sample, largest process",
            f"{EVENTS:,} events",
            done.peak_bytes / 1e9,
            "GB",
            "< 2 GB",
            done.peak_bytes < 2e9,
        ),
    ]
