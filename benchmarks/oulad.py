"""OULAD whole: 10.6 million clicks from Parquet to a promoted model."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.row import Row
from benchmarks.workspace import demo_in_a_fresh_workspace


def measure() -> list[Row]:
    project = Path(__file__).resolve().parent.parent
    data = Path(os.environ.get("ETHOGRAM_SHARED_DATA", project.parent / "shared" / "data")) / "oulad"
    done = demo_in_a_fresh_workspace(["oulad", "--data", str(data)])
    size = "10,655,280 clicks"
    return [
        Row("oulad to a promoted model", size, done.seconds, "s", "< 480 s", done.status == 0 and done.seconds < 480),
        Row("oulad, largest process", size, done.peak_bytes / 1e9, "GB", "< 4 GB", done.peak_bytes < 4e9),
    ]
