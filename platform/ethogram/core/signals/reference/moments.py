"""Definitions of `aggregates.moments`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen, present, units


def _values(feature: FeaturePlan, seen: Seen) -> list[int]:
    return [units(feature, value) for value in present(feature, seen.inside(feature.window))]


def _second(values: list[int]) -> int:
    """n² times the variance."""
    return len(values) * sum(x**2 for x in values) - sum(values) ** 2


def variance(feature: FeaturePlan, seen: Seen) -> float | None:
    values = _values(feature, seen)
    return _second(values) / (len(values) ** 2 * 10 ** (2 * feature.scale)) if values else None


def std(feature: FeaturePlan, seen: Seen) -> float | None:
    found = variance(feature, seen)
    return None if found is None else math.sqrt(found)


def skew(feature: FeaturePlan, seen: Seen) -> float | None:
    values = _values(feature, seen)
    second = _second(values)
    if len(values) < 3 or second == 0:
        return None
    n, total, squares = len(values), sum(values), sum(x**2 for x in values)
    third = n**2 * sum(x**3 for x in values) - 3 * n * total * squares + 2 * total**3  # n³ times the central moment
    # Whatever the unit, the quotient is the same: n, scale and unit go.
    return math.copysign(math.sqrt(third**2 / second**3), third)


REFERENCE: Mapping[str, Definition] = {"variance": variance, "std": std, "skew": skew}
