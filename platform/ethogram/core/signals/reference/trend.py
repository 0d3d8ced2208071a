"""Definitions of `aggregates.trend`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from ethogram.core.signals.aggregates.trend import step
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.basic import in_type
from ethogram.core.signals.reference.seen import Definition, Seen, present, units
from ethogram.core.signals.window import Window


def amount(feature: FeaturePlan, seen: Seen, start: datetime, end: datetime) -> int:
    """How many events from `start` to before `end`, or the sum of their property in whole units."""
    events = [e for e in seen.events if start <= e.occurred_at < end]
    return len(events) if feature.property is None else sum(units(feature, v) for v in present(feature, events))


def slope(feature: FeaturePlan, seen: Seen) -> float:
    assert feature.window is not None
    each = step(dict(feature.settings), feature.window)
    steps = feature.window.length // each.length
    starts = [Window(each.length * k, each.hop).start(seen.at) for k in range(steps, 0, -1)]
    y = [amount(feature, seen, start, end) for start, end in zip(starts, [*starts[1:], seen.at], strict=True)]
    middle, mean = Fraction(steps - 1, 2), Fraction(sum(y), steps)
    rise = sum((x - middle) * (value - mean) for x, value in enumerate(y))
    return float(rise / sum((x - middle) ** 2 for x in range(steps)) / 10**feature.scale)


def both(feature: FeaturePlan, seen: Seen) -> tuple[int, int]:
    """The amount of the window, and of the one before."""
    assert feature.window is not None
    start = feature.window.start(seen.at)
    before = Window(2 * feature.window.length, feature.window.hop).start(seen.at)
    return amount(feature, seen, start, seen.at), amount(feature, seen, before, start)


def change(feature: FeaturePlan, seen: Seen) -> Any:
    this, before = both(feature, seen)
    return in_type(feature, this - before)


def change_ratio(feature: FeaturePlan, seen: Seen) -> float | None:
    this, before = both(feature, seen)
    return float(Fraction(this, before)) if before else None


REFERENCE: Mapping[str, Definition] = {"slope": slope, "change": change, "change_ratio": change_ratio}
