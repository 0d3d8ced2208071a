"""Definitions of `aggregates.basic`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ethogram.core import time
from ethogram.core.signals.aggregates.aggregate import SECONDS
from ethogram.core.signals.numbers import LARGEST, SMALLEST, Overflow, fixed
from ethogram.core.signals.numbers import mean as exact_mean
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen, leaving, present, read, units


def count(feature: FeaturePlan, seen: Seen) -> int:
    return len(seen.inside(feature.window))


def total(feature: FeaturePlan, seen: Seen) -> Any:
    return in_type(feature, sum(units(feature, v) for v in present(feature, seen.inside(feature.window))))


def in_type(feature: FeaturePlan, whole: int) -> Any:
    """A sum of units as the feature's type: an integer that fits 64 bits, or a decimal with six digits."""
    if feature.type == "decimal":
        return fixed(Decimal(whole).scaleb(-feature.scale))
    if not SMALLEST <= whole <= LARGEST:
        raise Overflow(feature.name)
    return whole


def mean(feature: FeaturePlan, seen: Seen) -> float | None:
    values = [units(feature, v) for v in present(feature, seen.inside(feature.window))]
    return exact_mean(sum(values), len(values), feature.scale) if values else None


def minimum(feature: FeaturePlan, seen: Seen) -> Any:
    return leaving(min(present(feature, seen.inside(feature.window)), default=None))


def maximum(feature: FeaturePlan, seen: Seen) -> Any:
    return leaving(max(present(feature, seen.inside(feature.window)), default=None))


def first(feature: FeaturePlan, seen: Seen) -> Any:
    events = seen.inside(feature.window)
    return leaving(read(events[0], feature.property)) if events else None


def last(feature: FeaturePlan, seen: Seen) -> Any:
    events = seen.inside(feature.window)
    return leaving(read(events[-1], feature.property)) if events else None


def recency(feature: FeaturePlan, seen: Seen) -> float | None:
    events = seen.inside(feature.window)
    if not events:
        return None
    age = (seen.at - events[-1].occurred_at) // time.MICROSECOND
    return float(age) / float(SECONDS[feature.setting("unit")] * 1_000_000)


REFERENCE: Mapping[str, Definition] = {
    "count": count,
    "sum": total,
    "mean": mean,
    "min": minimum,
    "max": maximum,
    "first": first,
    "last": last,
    "recency": recency,
}
