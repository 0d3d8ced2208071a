"""The catalog's reader against real rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from ethogram.adapters.postgres import tables
from ethogram.adapters.postgres.catalog import PostgresCatalog
from ethogram.adapters.postgres.engine import open_engine

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(workspace: Path, state: str) -> Iterator[Engine]:
    engine = open_engine(workspace, state)
    yield engine
    engine.dispose()


@pytest.fixture
def reader(engine: Engine) -> PostgresCatalog:
    """Over empty tables."""
    with engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.schema == "ethogram":
                connection.execute(table.delete())
    return PostgresCatalog(engine)


def add(engine: Engine, table, *rows: dict) -> None:
    with engine.begin() as connection:
        connection.execute(insert(table), list(rows))


def test_an_entity_has_opted_out_if_its_latest_word_on_the_purpose_says_so(engine: Engine, reader: PostgresCatalog):
    def said(id: int, allowed: bool, day: int, purpose: str = "churn") -> dict:
        at = NOON + timedelta(days=day)
        row = {"entity": "customer", "id": id, "purpose": purpose, "allowed": allowed, "recorded_by": "x"}
        return {**row, "changed_at": at}

    add(
        engine,
        tables.consent,
        said(1, False, 0),
        said(2, False, 0),
        said(2, True, 1),
        said(3, False, 5),
        said(3, True, 2),  # recorded later, but older
        said(4, True, 0),
        said(4, False, 0, "service"),
    )
    assert reader.opted_out() == {"churn": 2, "service": 1}


def test_quarantined_rows_are_counted_by_reason_with_the_first_of_them(engine: Engine, reader: PostgresCatalog):
    def kept(path: str, row: int, *rules: str) -> dict:
        reasons = [{"rule": rule, "column": "price", "message": f"{rule} broken"} for rule in rules]
        unit = f"{path}-digest"
        return {"source": "s", "unit": unit, "row": row, "path": path, "run": "r", "reasons": reasons, "raw": {}}

    add(engine, tables.quarantine, kept("b", 1, "low"), kept("a", 9, "low", "late"), kept("a", 3, "low"))
    found = [(r.rule, r.column, r.message, r.rows, r.path, r.row) for r in reader.quarantine("s")]
    assert found == [("low", "price", "low broken", 3, "a", 3), ("late", "price", "late broken", 1, "a", 9)]
    assert reader.quarantine("other") == []


def test_reads_are_summed_by_who_and_why_since_an_instant(engine: Engine, reader: PostgresCatalog):
    def read(hours: int, team: str, duration_s: float | None = None) -> dict:
        row = {"principal": "p", "purpose": "churn", "asset": "rhythm", "verdict": "compliant", "how": "lookup"}
        return {**row, "at": NOON - timedelta(hours=hours), "team": team, "rows": 10, "duration_s": duration_s}

    add(
        engine,
        tables.reading,
        read(1, "risk", 0.2),
        read(2, "risk", 0.4),
        read(3, "risk"),
        read(1, "shop"),
        read(99, "shop"),
    )
    found = {r.team: (r.reads, r.rows, r.median_s) for r in reader.reads(since=NOON - timedelta(days=1))}
    assert found == {"risk": (3, 30, pytest.approx(0.3)), "shop": (1, 10, None)}


def test_the_ledger_is_read_from_its_end_and_pages_backwards(engine: Engine, reader: PostgresCatalog):
    entry = {
        "at": NOON,
        "principal": "p",
        "action": "create",
        "subject": "team x",
        "body": {},
        "previous": "",
        "hash": "",
    }
    add(engine, tables.change, *({**entry, "seq": n} for n in range(1, 6)))
    assert [c.seq for c in reader.changes(limit=2)] == [5, 4]
    assert [c.seq for c in reader.changes(limit=9, before=4)] == [3, 2, 1]


def test_each_view_is_shown_at_its_newest_materialization(engine: Engine, reader: PostgresCatalog):
    rows = [{"view": v, "at": NOON + timedelta(days=d), "rows": d} for v in ("a@1", "b@1") for d in (0, 2, 1)]
    add(engine, tables.materialization, *rows)
    assert [(m.view, m.rows) for m in reader.materializations()] == [("a@1", 2), ("b@1", 2)]


def test_a_signals_profiles_are_told_oldest_first_and_its_newest_instant(engine: Engine, reader: PostgresCatalog):
    row = {"signal": "a@1", "feature": "f", "profile": {"count": 1}}
    add(engine, tables.feature_profile, *({**row, "as_of": NOON + timedelta(days=d)} for d in (2, 0, 1)))
    add(engine, tables.feature_profile, {**row, "signal": "b@1", "as_of": NOON})
    assert reader.profiled() == {"a@1": NOON + timedelta(days=2), "b@1": NOON}
    assert [p.as_of.day for p in reader.profiles("a@1")] == [23, 24, 25]


def test_filters_and_orders_are_as_the_port_says(engine: Engine, reader: PostgresCatalog):
    week = {"behavior": "b.x", "week": NOON, "events": 1}
    add(engine, tables.behavior_profile, week, {**week, "behavior": "a.x"}, {**week, "week": NOON - timedelta(weeks=1)})
    assert [(w.behavior, w.week) for w in reader.weeks()] == [
        ("a.x", NOON),
        ("b.x", NOON - timedelta(weeks=1)),
        ("b.x", NOON),
    ]
    assert [w.behavior for w in reader.weeks("a.x")] == ["a.x"]
    assert reader.entities() == {}
    for empty in (reader.declarations, reader.source_runs, reader.source_units, reader.score_runs):
        assert empty() == []
    for empty in (
        reader.training_sets,
        reader.model_versions,
        reader.gate_results,
        reader.approvals,
        reader.alias_moves,
    ):
        assert empty("x") == []
