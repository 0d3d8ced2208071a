"""The first page: what waits, what changed, how things stand, and every behavior at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ethogram.core.catalog import Reads
from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.behaviors import BehaviorSummary
from ethogram.usecases.catalog.behaviors import summaries as behavior_summaries
from ethogram.usecases.catalog.changes import ChangeGroup, group
from ethogram.usecases.catalog.models import ModelSummary, VersionView, models
from ethogram.usecases.catalog.signals import READS_SINCE, State
from ethogram.usecases.catalog.signals import summaries as signal_summaries
from ethogram.usecases.catalog.sources import SourceSummary, sources
from ethogram.usecases.catalog.teams import AgreementView, agreements

RECENT_CHANGES = 400
SHOWN_CHANGES = 7


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the health table: `good` of `total`, and what the rest lacks."""

    name: str
    good: int
    total: int
    why: str
    grave: bool = True  # whether the rest asks for somebody's attention

    @property
    def state(self) -> State:
        if not self.total:
            return State("none yet", "plain", self.why)
        if self.good == self.total:
            return State("all", "good", "")
        return State("look", "warn", self.why) if self.grave else State("some", "plain", self.why)


@dataclass(frozen=True, slots=True)
class Overview:
    behaviors: tuple[BehaviorSummary, ...]
    declared_behaviors: int
    events: int
    first: datetime | None
    last: datetime | None
    entities: tuple[tuple[str, int], ...]
    signals: int
    models: int
    champions: int
    versions: tuple[VersionView, ...]
    agreements: tuple[AgreementView, ...]
    failed: tuple[SourceSummary, ...]
    refused: tuple[Reads, ...]
    changes: tuple[ChangeGroup, ...]
    health: tuple[Part, ...]

    @property
    def waiting(self) -> int:
        """How many things ask for somebody's attention."""
        return len(self.versions) + len(self.agreements) + len(self.failed)


def overview(reader: CatalogReader, *, now: datetime) -> Overview:
    """What the store has and what waits."""
    declared = reader.declarations()
    behaviors = behavior_summaries(declared, reader.weeks())
    observed = [b for b in behaviors if b.events]
    starts = [week for b in observed for week, _ in b.weeks]
    all_signals, all_models, all_sources = signal_summaries(reader), models(reader), sources(reader)
    pacts = agreements(reader, declared, now=now)
    reads = reader.reads(since=now - READS_SINCE)
    return Overview(
        behaviors=tuple(observed),
        declared_behaviors=len(behaviors),
        events=sum(b.events for b in observed),
        first=min(starts, default=None),
        last=max(starts, default=None),
        entities=tuple((name, count) for name, count in reader.entities().items() if count),
        signals=len({s.name for s in all_signals}),
        models=len(all_models),
        champions=sum(m.champion is not None for m in all_models),
        versions=tuple(v for m in all_models if (v := _asking(m))),
        agreements=tuple(a for a in pacts if a.state.grade in {"warn", "bad"}),
        failed=tuple(s for s in all_sources if s.state.grade == "bad"),
        refused=tuple(r for r in reads if r.verdict != "compliant"),
        changes=tuple(group(reader.changes(limit=RECENT_CHANGES))[:SHOWN_CHANGES]),
        health=(
            Part(
                "Sources taken in",
                sum(s.units > 0 for s in all_sources),
                len(all_sources),
                "the rest has no data here",
                grave=False,
            ),
            Part("Behaviors seen", len(observed), len(behaviors), "the rest has no events here", grave=False),
            Part(
                "Signals with values",
                sum(s.profiled_at is not None or s.online_rows > 0 for s in all_signals),
                len(all_signals),
                "the rest was not computed here",
                grave=False,
            ),
            Part(
                "Champions within their gates",
                sum(m.champion is not None and m.champion.gates_passed == m.champion.gates > 0 for m in all_models),
                sum(m.champion is not None for m in all_models),
                "see the model's gates",
            ),
            Part(
                "Reads as agreed, 7 days",
                sum(r.reads for r in reads if r.verdict == "compliant"),
                sum(r.reads for r in reads),
                "the rest was refused",
            ),
        ),
    )


def _asking(model: ModelSummary) -> VersionView | None:
    """The newest version, if it is no champion and somebody has to decide about it."""
    newest = model.newest
    return newest if newest and not newest.aliases and newest.state.word in {"approve", "approved", "blocked"} else None
