"""Definitions of `aggregates.ratios`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ethogram.core.signals.aggregates.ratios import units_of_time
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen, read, units


def ratio(feature: FeaturePlan, seen: Seen) -> float | None:
    ((divisor, _, scale),) = feature.also
    events = seen.inside(feature.window)
    above = sum(units(feature, value) for e in events if (value := read(e, feature.property)) is not None)
    below = sum(int(Decimal(value).scaleb(scale)) for e in events if (value := read(e, divisor)) is not None)
    return above * 10**scale / (below * 10**feature.scale) + 0.0 if below else None


def rate(feature: FeaturePlan, seen: Seen) -> float:
    assert feature.window is not None
    length, per = units_of_time(dict(feature.settings), feature.window)
    return len(seen.inside(feature.window)) * per / length


REFERENCE: Mapping[str, Definition] = {"ratio": ratio, "rate": rate}
