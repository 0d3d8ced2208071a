"""Take a source in: raw rows become canonical events, every row is accounted for, and doing it twice changes nothing.

The order of commits is what makes an interruption harmless: first the lake, each table once per file, then the ledger.
A file counts as in when it stands in the ledger; one that was cut short is mapped again, and tables that have its
events already say so themselves.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ethogram.core.sources.errors import MappingChanged, RowsUnreadable
from ethogram.core.sources.plan import SourcePlan
from ethogram.core.sources.report import FailedUnit, IngestReport, UnitReport
from ethogram.core.taxonomy import Behavior
from ethogram.ports import Clock, Consents, Keys, Lake, RawUnit, Rows, SourceRuns, Staged

PARTITION = ("month",)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: `done` of `units` files, and the rows of those."""

    source: str
    done: int
    units: int
    rows: int


def ingest(
    plan: SourcePlan,
    *,
    data: Path,
    rows: Rows,
    lake: Lake,
    keys: Keys,
    runs: SourceRuns,
    consents: Consents,
    clock: Clock,
    principal: str,
    redo: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> IngestReport:
    """Take in what is new of a source below `data`.

    A file that cannot be read fails alone and is named in the report; trouble of this machine or of the server stops
    the run, which can simply be repeated.

    Args:
        redo: Drop every event of the source first; for a changed mapping.
        progress: Called after each file.

    Raises:
        SourceBusy: another ingest of the source is under way.
        MappingChanged: something was taken in under another mapping, and `redo` is not given.
    """
    began = time.monotonic()
    with runs.locked(plan.name), rows.units(plan, data) as units:
        run, started_at = f"{plan.name}-{uuid.uuid4().hex[:12]}", clock.now()
        known = runs.units(plan.name)
        if redo:
            runs.start(run, source=plan.name, principal=principal, at=started_at)
            _drop(plan.name, run, lake, runs)
            known = {}
        if changed := [path for path, mapping in known.values() if mapping != plan.digest]:
            raise MappingChanged(plan.name, sorted(changed))
        skipped = tuple(unit.path for unit in units if unit.id in known)
        new = [unit for unit in units if unit.id not in known]
        words = {b.id: (b.noun, b.plural) for b in plan.behaviors.values()}
        if not new:
            return IngestReport(plan.name, "", (), skipped, (), time.monotonic() - began, words)
        if not redo:
            runs.start(run, source=plan.name, principal=principal, at=started_at)
        taking = _Taking(plan, data, run, rows, lake, keys, runs, consents, started_at, principal)
        done: list[UnitReport] = []
        failed: list[FailedUnit] = []
        try:
            for n, unit in enumerate(new, 1):
                try:
                    done.append(taking.take(unit))
                except RowsUnreadable as error:
                    failed.append(FailedUnit(unit.path, error.code, str(error)))
                progress(Progress(plan.name, n, len(new), sum(each.account.rows for each in done)))
            for behavior in sorted({behavior for unit in done for behavior in unit.events} | _dropped(redo, plan)):
                runs.profile(behavior, rows.weeks(lake.files(f"events/{behavior}")))
        except BaseException as error:
            _close(runs, run, {"error": str(error) or type(error).__name__}, clock)
            raise
        report = IngestReport(plan.name, run, tuple(done), skipped, tuple(failed), time.monotonic() - began, words)
        body = report.body() | ({"error": failed[0].message} if failed else {})
        runs.finish(run, state="failed" if failed else "done", report=body, at=clock.now())
        return report


@dataclass(frozen=True, slots=True)
class _Taking:
    plan: SourcePlan
    data: Path
    run: str
    rows: Rows
    lake: Lake
    keys: Keys
    runs: SourceRuns
    consents: Consents
    started_at: datetime
    principal: str

    def take(self, unit: RawUnit) -> UnitReport:
        """Take one unit in; afterwards it is in, and otherwise nothing of it counts."""
        name = f"{self.plan.name}/{unit.id}/{self.plan.digest}/{self.runs.generation(self.plan.name)}"
        with self.rows.stage(self.plan, unit, data=self.data, run=self.run, started_at=self.started_at) as staged:
            for entity in self.plan.entities:
                for part in staged.keys(entity):
                    staged.number(entity, part, self.keys.intern(entity, part))
            events: dict[str, int] = {}
            duplicates = 0
            for behavior in self.plan.behaviors:
                staged_events = staged.count(behavior)
                written = self.write(staged, behavior, unit=name) if staged_events else 0
                events[behavior] = written
                duplicates += staged_events - written
            for declared in self.plan.behaviors.values():
                if says_consent(declared):
                    self.record_consents(staged, declared)
            report = UnitReport(unit.path, staged.account, events, duplicates, staged.coverage())
            self.runs.add_unit(
                unit,
                source=self.plan.name,
                run=self.run,
                mapping=self.plan.digest,
                report=report.body() | ({"made": True} if unit.made else {}),
                quarantined=staged.quarantined(),
            )
        return report

    def write(self, staged: Staged, behavior: str, *, unit: str) -> int:
        """Append the unit's events of one behavior, unless an earlier attempt has; how many they are."""
        table = f"events/{behavior}"
        written = self.lake.appended(table, unit)
        if written is None:
            existing = self.lake.files(table)
            self.lake.append(table, staged.events(behavior, existing), unit=unit, partition_by=PARTITION)
            written = self.lake.appended(table, unit)
        return written or 0

    def record_consents(self, staged: Staged, behavior: Behavior) -> None:
        """What entities allowed or withdrew goes to the consent table too, which is what reads are masked by."""
        for entity in behavior.entities:
            if entity in self.plan.entities:
                self.consents.record(entity, staged.consents(behavior.id, entity), by=self.principal)


def says_consent(behavior: Behavior) -> bool:
    """Whether events of the behavior say that a purpose is allowed or not."""
    properties = behavior.properties
    return (
        {"purpose", "allowed"} <= properties.keys()
        and properties["purpose"].type == "string"
        and properties["allowed"].type == "boolean"
    )


def _drop(source: str, run: str, lake: Lake, runs: SourceRuns) -> None:
    """Remove every event of the source: the lake first, so that an interruption leaves the ledger asking for more."""
    for table in lake.tables("events"):
        lake.remove(table, "source", source)
    runs.drop(source, run=run)


def _dropped(redo: bool, plan: SourcePlan) -> set[str]:
    return set(plan.behaviors) if redo else set()


def _close(runs: SourceRuns, run: str, report: dict[str, Any], clock: Clock) -> None:
    # The server may be what failed: then the next start closes the run.
    try:
        runs.finish(run, state="failed", report=report, at=clock.now())
    except Exception:  # noqa: BLE001 - what stopped the run is what the caller has to see
        return
