"""Killed anywhere and run again: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ethogram import event

# Takes the source in, in a process of its own, and dies without a word at the named point.
SCRIPT = """
import os, signal, sys
from pathlib import Path

import pyarrow as pa

from ethogram import event
from ethogram.adapters.delta.lake import DeltaLake
from ethogram.adapters.duckdb.ingest import DuckdbRows
from ethogram.adapters.duckdb.session import Sessions
from ethogram.adapters.postgres.consents import PostgresConsents
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.keys import PostgresKeys
from ethogram.adapters.postgres.source_runs import PostgresSourceRuns
from ethogram.core.sources.declaration import Source
from ethogram.core.sources.plan import plan_source
from ethogram.core.taxonomy import load_taxonomy
from ethogram.usecases.ingest import ingest
from ethogram.wiring import SystemClock

project, workspace, state, root, name, point = sys.argv[1:]
project, root = Path(project), Path(root)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Lake(DeltaLake):
    appends = 0

    def append(self, table, batches, **keywords):
        self.appends += 1
        if point == f"before append {self.appends}":
            die()
        if point == f"within append {self.appends}":
            def cut(whole=batches):
                for batch in whole:
                    yield batch
                    die()
            batches = pa.RecordBatchReader.from_batches(batches.schema, cut())
        done = super().append(table, batches, **keywords)
        if point == f"after append {self.appends}":
            die()
        return done


class Runs(PostgresSourceRuns):
    def add_unit(self, unit, *, quarantined, **keywords):
        def cut():
            for row in quarantined:
                yield row
                if point == "within the ledger":
                    die()
        super().add_unit(unit, quarantined=cut(), **keywords)
        if point == "after the ledger":
            die()


taxonomy = load_taxonomy(
    {p.relative_to(project).as_posix(): p.read_text() for p in (project / "feature_repo" / "taxonomy").rglob("*.yaml")}
)
engine = open_engine(Path(workspace), state)
source = Source(name, rows="*.parquet", time="at", currency="EUR", events=[
    event("commerce.refund", customer="who", amount="price"),
    event("commerce.purchase", where="price > 3", customer="who", amount="price"),
])
ingest(
    plan_source(source, taxonomy, None), data=root / "data", rows=DuckdbRows(Sessions(root / "spill"), taxonomy, {}),
    lake=Lake(root / "lake"), keys=PostgresKeys(engine), runs=Runs(engine), consents=PostgresConsents(engine),
    clock=SystemClock(), principal="shop.analyst",
)
print("finished")
"""
ROWS = 3000
POINTS = [
    "before append 1",
    "within append 1",
    "after append 1",
    "before append 2",
    "after append 2",
    "within the ledger",
    "after the ledger",
    "nowhere",
]


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_is_killed_is_finished_by_the_next(place, project, workspace, state, point):
    at = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=i // 2) for i in range(ROWS)]
    price = [float(i % 7) if i % 100 else None for i in range(ROWS)]
    place.write("a.parquet", {"who": [f"c{i % 40}" for i in range(ROWS)], "at": at, "price": price})
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(project), str(workspace), state, str(place.data.parent), place.name, point],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(project) / "platform")},
        check=False,
    )
    assert killed.returncode == (0 if point == "nowhere" else -signal.SIGKILL), killed.stderr
    plan = place.plan(
        event("commerce.refund", customer="who", amount="price"),
        event("commerce.purchase", where="price > 3", customer="who", amount="price"),
        currency="EUR",
    )
    report = place.ingest(plan)
    bad = ROWS // 100
    more = sum(value is not None and value > 3 for value in price)
    if point in ("after the ledger", "nowhere"):
        assert report.skipped == ("a.parquet",)
    else:
        assert (report.account.mapped, report.account.quarantined, report.duplicates) == (ROWS - bad, bad, 0)
        assert report.events == {"commerce.refund": ROWS - bad, "commerce.purchase": more}
    for behavior, expected in {"commerce.refund": ROWS - bad, "commerce.purchase": more}.items():
        ids = place.table(behavior)["event_id"].to_pylist()
        assert len(ids) == len(set(ids)) == expected
    assert len(place.quarantined()) == bad
    with place.engine.connect() as connection:
        query = "select state from ethogram.source_run where source = %s and state = 'running'"
        left = connection.exec_driver_sql(query, (place.name,)).all()
    assert len(left) == (1 if point == "after the ledger" else 0)
