"""Definitions of `aggregates.rfm`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ethogram.core import time
from ethogram.core.events import Event
from ethogram.core.signals.aggregates.aggregate import SECONDS
from ethogram.core.signals.numbers import mean as exact_mean
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen, read, units


def period_of(event: Event, period: str) -> tuple[int, ...]:
    """The UTC day or the ISO week that an event belongs to."""
    if period == "week":
        return tuple(event.occurred_at.isocalendar()[:2])
    return (event.occurred_at.toordinal(),)


def in_units(span: timedelta, feature: FeaturePlan) -> float:
    """A span of time in the feature's unit: exact until the one division."""
    return (span // time.MICROSECOND) / (SECONDS[feature.setting("unit")] * 1_000_000)


def frequency(feature: FeaturePlan, seen: Seen) -> int:
    periods = {period_of(event, feature.setting("period")) for event in seen.inside(feature.window)}
    return max(len(periods) - 1, 0)


def active_span(feature: FeaturePlan, seen: Seen) -> float | None:
    events = seen.inside(feature.window)
    return in_units(events[-1].occurred_at - events[0].occurred_at, feature) if events else None


def since_first(feature: FeaturePlan, seen: Seen) -> float | None:
    events = seen.inside(feature.window)
    return in_units(seen.at - events[0].occurred_at, feature) if events else None


def monetary(feature: FeaturePlan, seen: Seen) -> float | None:
    events = [e for e in seen.inside(feature.window) if read(e, feature.property) is not None]
    totals: dict[tuple[int, ...], int] = {}
    for event in events:
        period = period_of(event, feature.setting("period"))
        totals[period] = totals.get(period, 0) + units(feature, read(event, feature.property))
    repeats = [totals[period] for period in sorted(totals)[1:]]
    return exact_mean(sum(repeats), len(repeats), feature.scale) if repeats else None


REFERENCE: Mapping[str, Definition] = {
    "frequency": frequency,
    "active_span": active_span,
    "tenure": since_first,
    "monetary": monetary,
}
