"""A place to take small sources in: real server, real lake, files made by the test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from ethogram.adapters.delta.lake import DeltaLake
from ethogram.adapters.duckdb.ingest import DuckdbRows
from ethogram.adapters.duckdb.session import Sessions
from ethogram.adapters.postgres.consents import PostgresConsents
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.keys import PostgresKeys
from ethogram.adapters.postgres.source_runs import PostgresSourceRuns
from ethogram.core.contracts import load_contract
from ethogram.core.sources.declaration import EventMapping, Source
from ethogram.core.sources.plan import SourcePlan, plan_source
from ethogram.core.sources.report import IngestReport
from ethogram.core.taxonomy import Taxonomy, load_taxonomy
from ethogram.usecases.ingest import ingest

_numbers = itertools.count(1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class FixedClock:
    def __init__(self, now: datetime = NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


@pytest.fixture(scope="session")
def taxonomy(project: Path) -> Taxonomy:
    paths = (project / "feature_repo" / "taxonomy").rglob("*.yaml")
    return load_taxonomy({path.relative_to(project).as_posix(): path.read_text() for path in paths})


@pytest.fixture(scope="module")
def engine(workspace: Path, state: str) -> Iterator[Engine]:
    opened = open_engine(workspace, state)
    yield opened
    opened.dispose()


class Place:
    """A lake of its own and a directory for raw files; sources get names that no other test uses."""

    def __init__(self, root: Path, engine: Engine, taxonomy: Taxonomy) -> None:
        self.data = root / "data"
        self.data.mkdir()
        self.engine, self.taxonomy = engine, taxonomy
        self.sessions = Sessions(root / "spill", memory="500MB")
        self.environment: dict[str, str] = {}
        self.lake = DeltaLake(root / "lake")
        self.rows = DuckdbRows(self.sessions, taxonomy, self.environment)
        self.keys = PostgresKeys(engine)
        self.runs = PostgresSourceRuns(engine)
        self.consents = PostgresConsents(engine)
        self.clock = FixedClock()
        self.name = f"src{os.getpid()}x{next(_numbers)}"

    def write(self, name: str, columns: Mapping[str, Any]) -> Path:
        """A Parquet file below the data directory."""
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(dict(columns)), path)
        return path

    def plan(
        self, *events: EventMapping, rows: str = "*.parquet", time: str = "at", contract: str | None = None, **more: Any
    ) -> SourcePlan:
        source = Source(more.pop("name", self.name), rows=rows, time=time, events=list(events), **more)
        return plan_source(source, self.taxonomy, load_contract(contract, "contract.yaml") if contract else None)

    def ingest(self, plan: SourcePlan, *, redo: bool = False, may_fail: bool = False, **parts: Any) -> IngestReport:
        """Take the source in; a file that cannot be read fails the test unless it may."""
        given: dict[str, Any] = {
            "data": self.data,
            "rows": self.rows,
            "lake": self.lake,
            "keys": self.keys,
            "runs": self.runs,
            "consents": self.consents,
            "clock": self.clock,
            "principal": "shop.analyst",
        }
        report = ingest(plan, redo=redo, **(given | parts))
        assert may_fail or report.ok, report.failed
        return report

    def events(self, behavior: str) -> list[dict[str, Any]]:
        """Events in the lake by time, their entities as keys."""
        found = self.table(behavior).sort_by([("occurred_at", "ascending"), ("event_id", "ascending")]).to_pylist()
        for entity in self.taxonomy.behaviors[behavior].entities:
            keys = self.keys.reveal(entity, [row[entity] for row in found])
            for row, key in zip(found, keys, strict=True):
                row[entity] = key
        return found

    def table(self, behavior: str) -> pa.Table:
        files = self.lake.files(f"events/{behavior}")
        if files.schema is None:
            return pa.table(
                {"event_id": pa.array([], pa.string()), "occurred_at": pa.array([], pa.timestamp("us", "UTC"))}
            )
        tables = [pq.read_table(path, partitioning=None) for path in files.paths]
        return pa.concat_tables(tables, promote_options="default")

    def quarantined(
        self, source: str | None = None
    ) -> list[tuple[int, Sequence[Mapping[str, str]], Mapping[str, Any]]]:
        """Position, reasons and raw row of everything kept back."""
        with self.engine.connect() as connection:
            found = connection.execute(
                text("select row, reasons, raw from ethogram.quarantine where source = :s order by path, row"),
                {"s": source or self.name},
            )
            return [(row, reasons, raw) for row, reasons, raw in found]


@pytest.fixture
def place(tmp_path: Path, engine: Engine, taxonomy: Taxonomy) -> Place:
    return Place(tmp_path, engine, taxonomy)


@pytest.fixture
def at() -> Callable[..., datetime]:
    """A UTC instant of 2025 by day of the year's first month, hour and minute."""

    def instant(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
        return datetime(2025, 1, day, hour, minute, second, tzinfo=UTC)

    return instant
