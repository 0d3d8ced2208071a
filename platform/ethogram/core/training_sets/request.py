"""Everything that decides the bytes of a training set; its digest is the version."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ethogram.core import time
from ethogram.core.governance.consent import Mask
from ethogram.core.governance.purpose import Purpose
from ethogram.core.observations import Schedule
from ethogram.core.outcomes.plan import OutcomePlan
from ethogram.core.signals.plan import FeaturePlan, SignalPlan

# Counts up when the same request gives other bytes: columns, order or meaning of a training set.
FORMAT = 2


@dataclass(frozen=True, slots=True)
class Beside:
    """What a training set takes beside signals: a published score, or a Feast view of others.

    Attributes:
        ref: As it was asked for: "lapse_score@1", "feast:customer_profile".
        name: What stands before a column's name that is taken.
        state: What decides its values: a table's version, or a digest of files and of how they are read.
    """

    ref: str
    name: str
    features: tuple[str, ...]
    state: str


def feature_columns(
    signals: Sequence[SignalPlan], beside: Sequence[Beside] = ()
) -> list[tuple[SignalPlan, FeaturePlan, str]]:
    """Each feature with its column: its own name, or `signal__feature` where two of a training set share one."""
    taken = _taken(signals, beside)
    return [
        (plan, feature, f"{plan.name}__{feature.name}" if feature.name in taken else feature.name)
        for plan in signals
        for feature in plan.features
    ]


def beside_columns(signals: Sequence[SignalPlan], beside: Sequence[Beside]) -> list[tuple[Beside, str, str]]:
    """The same of what stands beside signals."""
    taken = _taken(signals, beside)
    return [
        (each, name, f"{each.name}__{name}" if name in taken else name) for each in beside for name in each.features
    ]


def _taken(signals: Sequence[SignalPlan], beside: Sequence[Beside]) -> set[str]:
    names = [feature.name for plan in signals for feature in plan.features]
    names += [name for each in beside for name in each.features]
    return {"entity", "as_of", "label"} | {name for name, times in Counter(names).items() if times > 1}


@dataclass(frozen=True)
class Request:
    """One training set asked for.

    Attributes:
        signals: In the order of their columns.
        population: The signals that `among` reads, cut down to what it names.
        coverage: How far the data reaches: only outcomes that were ripe by then are labelled.
        tables: Version of each event table.
        consent: What entities said about the purpose.
        beside: Scores and Feast views of others; their columns come after the signals'.
    """

    outcome: OutcomePlan
    signals: tuple[SignalPlan, ...]
    population: tuple[SignalPlan, ...]
    schedule: Schedule
    purpose: Purpose
    coverage: datetime
    tables: Mapping[str, int]
    consent: Mask
    beside: tuple[Beside, ...] = ()

    @property
    def version(self) -> str:
        """`outcome/digest`; the same request always has the same one."""
        return f"{self.outcome.name}/{self.digest[:12]}"

    @property
    def digest(self) -> str:
        return _digest(
            {
                "format": FORMAT,
                "declarations": self._declarations(),
                "asked": {name: value for name, value in self.facts().items() if name != "digest"},
            }
        )

    def facts(self) -> dict[str, Any]:
        """What the store remembers of it, ready for JSON."""
        beside = [asdict(each) | {"features": list(each.features)} for each in self.beside]
        return ({"beside": beside} if beside else {}) | {
            "outcome": self.outcome.name,
            "signals": [plan.ref for plan in self.signals],
            "every": time.spell(self.schedule.every),
            "start": self.schedule.start.isoformat(),
            "end": self.schedule.end.isoformat(),
            "purpose": self.purpose.name,
            "coverage": self.coverage.isoformat(),
            "tables": dict(sorted(self.tables.items())),
            "consent": self._consent(),
            "declarations": _digest(self._declarations()),
        }

    def columns(self) -> list[tuple[SignalPlan, FeaturePlan, str]]:
        """Each feature of a signal with its column."""
        return feature_columns(self.signals, self.beside)

    def _declarations(self) -> dict[str, Any]:
        outcome = self.outcome
        return {
            "outcome": {
                "entity": outcome.entity,
                "behaviors": list(outcome.behaviors),
                "where": outcome.where.text if outcome.where else None,
                "horizon": time.spell(outcome.horizon),
                "matures_after": time.spell(outcome.matures_after),
                "negate": outcome.negate,
                "among": outcome.among.text if outcome.among else None,
            },
            "signals": [_signal(plan) for plan in self.signals],
            "population": [_signal(plan) for plan in self.population],
            "basis": self.purpose.basis,
        }

    def _consent(self) -> str:
        found = hashlib.sha256()
        for part in (self.consent.ids, self.consent.changed_at, self.consent.allowed):
            found.update(part.tobytes())
        return found.hexdigest()[:16]


def _signal(plan: SignalPlan) -> dict[str, Any]:
    return {
        "ref": plan.ref,
        "entity": plan.entity,
        "freshness": plan.freshness,
        "delay": time.spell(plan.delay),
        "features": [feature.facts() for feature in plan.features],
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
