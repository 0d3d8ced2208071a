"""Definitions of `aggregates.seasonal`."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from zoneinfo import ZoneInfo

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.seasonal import CYCLES
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen


def part(feature: FeaturePlan, event: Event) -> int:
    """The part of the cycle that an event falls into, by the clocks of the time zone."""
    local = event.occurred_at.astimezone(ZoneInfo(feature.setting("timezone")))
    day = local.weekday()
    return {"hour_of_day": local.hour, "day_of_week": day, "hour_of_week": day * 24 + local.hour}[
        feature.setting("cycle")
    ]


def shares(feature: FeaturePlan, seen: Seen) -> list[Fraction]:
    """Share of the events in each part; empty without events."""
    parts = [part(feature, event) for event in seen.inside(feature.window)]
    return (
        [Fraction(parts.count(each), len(parts)) for each in range(CYCLES[feature.setting("cycle")])] if parts else []
    )


def seasonal(feature: FeaturePlan, seen: Seen) -> list[float] | None:
    return [float(share) for share in shares(feature, seen)] or None


def concentration(feature: FeaturePlan, seen: Seen) -> float | None:
    found = shares(feature, seen)
    return float(sum(share**2 for share in found)) if found else None


REFERENCE: Mapping[str, Definition] = {"seasonal": seasonal, "concentration": concentration}
