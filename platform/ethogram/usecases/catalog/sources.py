"""Sources as pages show them: what became of every raw row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ethogram.core.catalog import QuarantineReason, SourceRun, SourceUnit
from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.errors import NotInCatalog
from ethogram.usecases.catalog.figures import mapping, text, whole
from ethogram.usecases.catalog.lineage import source_behaviors
from ethogram.usecases.catalog.signals import State


@dataclass(frozen=True, slots=True)
class Account:
    """What became of raw rows: the four parts add up to `rows`, and several mapped rows can make one event."""

    rows: int
    mapped: int
    events: tuple[tuple[str, int], ...]
    anonymous: int
    unmapped: int
    quarantined: int

    @property
    def made(self) -> int:
        return sum(events for _, events in self.events)


@dataclass(frozen=True, slots=True)
class SourceSummary:
    name: str
    owner: str
    brief: str
    behaviors: tuple[str, ...]
    account: Account
    units: int
    last_run: SourceRun | None
    state: State


@dataclass(frozen=True, slots=True)
class UnitView:
    path: str
    done_at: datetime
    run: str
    account: Account


@dataclass(frozen=True, slots=True)
class SourceView:
    summary: SourceSummary
    origin: str
    contract: str
    where: str
    time: str
    known: str
    units: tuple[UnitView, ...]
    runs: tuple[SourceRun, ...]
    reasons: tuple[QuarantineReason, ...]


def sources(reader: CatalogReader) -> tuple[SourceSummary, ...]:
    """Every source that is declared or was taken in, by name."""
    declared = {d.name: d for d in reader.declarations("source")}
    units: dict[str, list[SourceUnit]] = {}
    for unit in reader.source_units():
        units.setdefault(unit.source, []).append(unit)
    runs: dict[str, list[SourceRun]] = {}
    for run in reader.source_runs():
        runs.setdefault(run.source, []).append(run)
    found = []
    for name in sorted({*declared, *units, *runs}):
        item = declared.get(name)
        body = item.body if item else {}
        own, first = units.get(name, []), runs.get(name, [])
        found.append(
            SourceSummary(
                name=name,
                owner=item.owner if item else "",
                brief=text(body, "brief"),
                behaviors=source_behaviors(body),
                account=account([unit.report for unit in own]),
                units=len(own),
                last_run=first[0] if first else None,
                state=_state(first[0] if first else None, len(own)),
            )
        )
    return tuple(found)


def source(reader: CatalogReader, name: str) -> SourceView:
    """One source, its runs and files, and why rows were kept back."""
    found = {s.name: s for s in sources(reader)}
    if name not in found:
        raise NotInCatalog("source", name, known=list(found))
    declared = next((d for d in reader.declarations("source") if d.name == name), None)
    body = declared.body if declared else {}
    rows = body.get("rows")
    where = f"table {text(rows, 'table')}" if isinstance(rows, Mapping) else text(body, "rows")
    known = text(body, "known_at") or f"{text(body, 'time', 'its time')} + {text(body, 'known_after', '0s')}"
    return SourceView(
        summary=found[name],
        origin=declared.origin if declared else "",
        contract=text(body, "contract"),
        where=where,
        time=text(body, "time"),
        known=known,
        units=tuple(UnitView(u.path, u.done_at, u.run, account([u.report])) for u in reader.source_units(name)),
        runs=tuple(reader.source_runs(name)),
        reasons=tuple(reader.quarantine(name)),
    )


def account(reports: Sequence[Mapping[str, Any]]) -> Account:
    """Sum of the reports of several files.

    >>> account([{"rows": 3, "events": {"a.b": 2}, "quarantined": 1}, {"rows": 1, "events": {"a.b": 1}}]).events
    (('a.b', 3),)
    """
    events: dict[str, int] = {}
    for report in reports:
        for name in mapping(report, "events"):
            events[name] = events.get(name, 0) + whole(report, "events", name)
    total = {
        key: sum(whole(r, key) for r in reports) for key in ("rows", "mapped", "anonymous", "unmapped", "quarantined")
    }
    ordered = tuple(sorted(events.items(), key=lambda pair: (-pair[1], pair[0])))
    return Account(events=ordered, **total)


def _state(run: SourceRun | None, units: int) -> State:
    if run is None:
        return State("not taken in", "plain", "no run yet")
    if run.state == "failed":
        return State("failed", "bad", text(run.report, "error") or "its last run failed")
    if run.state == "running":
        return State("running", "plain", "a run is under way or was cut short")
    return State("taken in", "good", f"{units} file{'s' if units != 1 else ''}")
