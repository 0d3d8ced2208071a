"""The whole demo on made data, from nothing to the pages, after the installation."""

from __future__ import annotations

from benchmarks.row import Row
from benchmarks.workspace import demo_in_a_fresh_workspace

EVENTS = 1_000_000


def measure() -> list[Row]:
    done = demo_in_a_fresh_workspace(["shop", "--events", str(EVENTS)])
    size = f"{EVENTS:,} events"
    return [
        Row("demo, made data", size, done.seconds, "s", "< 120 s", done.status == 0 and done.seconds < 120),
        Row("demo, largest process", size, done.peak_bytes / 1e9, "GB", "< 2 GB", done.peak_bytes < 2e9),
    ]
