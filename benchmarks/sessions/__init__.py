"""Sessions of ten million events: 30 minutes' pause, 12 hours at most, against a DuckDB query by hand."""

from __future__ import annotations

import tempfile

from benchmarks.events import Load
from benchmarks.race import Contestant, race
from benchmarks.row import Row
from benchmarks.side import Job

OURS = Contestant("ethogram", "benchmarks.sessions.ours", ours=True)
DUCKDB = Contestant("DuckDB, by hand", "benchmarks.sessions.duckdb_by_hand")
WHOLE = Load(10_000_000, 100_000, 1_000_000)


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as spill:
        job = Job(list(WHOLE.lake().paths), "", True, spill)
        order = ["entity", "started_at"]
        figures = race((OURS, DUCKDB), job, task="sessions", events=WHOLE.events, order=order)
    ours, peer = figures
    holds = ours.seconds < 1.5 * peer.seconds
    size = f"{WHOLE.events:,} events"
    return [
        Row("sessions", size, ours.seconds, "s", "< 1.5 x", holds, peer.seconds, peer.contestant, tuple(figures)),
        Row("sessions, memory", size, ours.peak_gb, "GB", "< 2.5 GB", ours.peak_gb < 2.5),
    ]
