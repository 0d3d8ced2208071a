"""Definitions of `aggregates.decay`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ethogram.core import time
from ethogram.core.signals.aggregates.decay import HALVINGS, half_life_us
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen, read, units


def decay(feature: FeaturePlan, seen: Seen) -> float:
    half_life = half_life_us(dict(feature.settings))
    added = []
    for event in seen.inside(feature.window):
        value = 1 if feature.property is None else read(event, feature.property)
        age = (seen.at - event.occurred_at) // time.MICROSECOND
        if value is not None and age <= HALVINGS * half_life:
            added.append(units(feature, value) / 10**feature.scale * 2 ** (-age / half_life))
    return math.fsum(added)


REFERENCE: Mapping[str, Definition] = {"decay": decay}
