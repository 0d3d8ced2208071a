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
    """A range is covered by blocks of two to some power, each summed as of its last event.

    Weights are never above 1 and nothing is ever subtracted, so that years lose no digits and old events cannot drown
    new ones, as they would in running totals scaled by e^(+age).
    """
    half_life = half_life_us(dict(feature.settings))
    low, high = asked.range(feature.window)
    low = np.maximum(low, asked.since(asked.at - HALVINGS * half_life))
    some = low < high
    low, high = np.where(some, low, 0), np.where(some, high, 0)
    total = np.zeros(len(low))
    block, last = _values(feature, asked), asked.events.occurred

    def add(rows: Ints, chosen: Ints) -> None:
        total[rows] += block[chosen] * _weight(asked.at[rows] - last[chosen], half_life)

    while len(rows := np.flatnonzero(low < high)):
        odd = rows[low[rows] & 1 == 1]
        add(odd, low[odd])
        odd = rows[high[rows] & 1 == 1]
        add(odd, high[odd] - 1)
        low, high = (low + 1) >> 1, high >> 1
        pairs = len(block) // 2
        later, earlier = last[1 : 2 * pairs : 2], last[: 2 * pairs : 2]
        block = block[: 2 * pairs : 2] * _weight(later - earlier, half_life) + block[1 : 2 * pairs : 2]
        last = later
    return Column(total)


def _weight(age: Ints, half_life: int) -> Doubles:
    # Blocks that reach over several entities, where time goes back, are never read.
    weight: Doubles = np.exp2(-np.maximum(age, 0) / half_life)
    return weight


def _values(feature: FeaturePlan, asked: Asked) -> Doubles:
    if feature.property is None:
        return np.ones(len(asked.events))
    column = asked.column(feature.property)
    values: Doubles = np.where(column.present, column.data, 0).astype(np.float64) / 10**feature.scale
    return values


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {"decay": decay}
