"""Definitions of `aggregates.gaps`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from ethogram.core import time
from ethogram.core.signals.aggregates.aggregate import SECONDS
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen


def gaps(feature: FeaturePlan, seen: Seen) -> float | None:
    instants = [event.occurred_at for event in seen.inside(feature.window)]
    found = [Fraction((later - earlier) // time.MICROSECOND) for earlier, later in pairwise(instants)]
    if not found:
        return None
    measure = feature.setting("measure")
    unit = SECONDS[feature.setting("unit") or "seconds"] * 1_000_000
    simple = {"min": min(found), "max": max(found), "last": found[-1], "mean": sum(found) / len(found)}
    if measure in simple:
        return float(simple[measure] / unit)
    if len(found) < 2:
        return None
    mean = simple["mean"]
    variance = sum((each - mean) ** 2 for each in found) / (len(found) - 1)
    if measure == "std":
        return math.sqrt(variance / unit**2)
    return math.sqrt(variance / mean**2) if mean else None


REFERENCE: Mapping[str, Definition] = {"gaps": gaps}
