"""Kernels of `aggregates.decay`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from ethogram.core.signals.aggregates.decay import HALVINGS, half_life_us
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Column, Ints, Values
from ethogram.core.signals.plan import FeaturePlan

Doubles = npt.NDArray[np.float64]


def decay(feature: FeaturePlan, asked: Asked) -> Column:
    """A range is put together from spans of one, two, four … events, each summed as of its last event.

    Weights are never above 1 and nothing is ever subtracted, so that years lose no digits and old events cannot drown
    new ones, as they would in running totals scaled by e^(+age). Which spans they are depends on the events in the
    range alone, so that not even the last bit hangs on who else is asked about.
    """
    half_life = half_life_us(dict(feature.settings))
    low, high = asked.range(feature.window)
    low = np.maximum(low, asked.since(asked.at - HALVINGS * half_life))
    left = np.maximum(high - low, 0)
    total = np.zeros(len(low))
    sums, last = _values(feature, asked), asked.events.occurred
    size = 1
    while len(rows := np.flatnonzero(left >= size)):
        rows = rows[left[rows] & size > 0]
        chosen = low[rows]
        total[rows] += sums[chosen] * _weight(asked.at[rows] - last[chosen], half_life)
        low[rows] += size
        later = last[size:]
        sums = sums[:-size] * _weight(later - last[:-size], half_life) + sums[size:]
        last, size = later, 2 * size
    return Column(total)


def _weight(age: Ints, half_life: int) -> Doubles:
    # Spans that reach over several entities, where time goes back, are never read.
    weight: Doubles = np.exp2(-np.maximum(age, 0) / half_life)
    return weight


def _values(feature: FeaturePlan, asked: Asked) -> Doubles:
    if feature.property is None:
        return np.ones(len(asked.events))
    column = asked.column(feature.property)
    values: Doubles = np.where(column.present, column.data, 0).astype(np.float64) / 10**feature.scale
    return values


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {"decay": decay}
