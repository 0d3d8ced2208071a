"""Kernels of `aggregates.streaks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Column, Ints, Values
from ethogram.core.signals.kernel.periods import Periods, at, numbers, periods
from ethogram.core.signals.kernel.ranges import extremes
from ethogram.core.signals.plan import FeaturePlan


def streak(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    found = periods(asked, feature.setting("period"))
    if feature.setting("which") == "longest":
        lengths = asked.keep(
            ("lengths of runs", feature.setting("period")), lambda: found.distinct(found.starts[:-1], found.starts[1:])
        )
        return Column(_longest(found, lengths, low, high))
    some = low < high
    now = numbers(asked.at, feature.setting("period"))
    some &= at(found.number, high - 1, some) >= now - 1
    begin = at(found.starts, at(found.run, high - 1, some), some)
    return Column(np.where(some, found.distinct(np.maximum(low, begin), high), 0))


def _longest(found: Periods, lengths: Ints, low: Ints, high: Ints) -> Ints:
    """The longest of the run that the range begins in, of that which it ends in, and of the whole ones between."""
    some = low < high
    first, last = at(found.run, low, some), at(found.run, high - 1, some)
    head = found.distinct(low, np.minimum(at(found.starts, first + 1, some), high))
    tail = found.distinct(np.maximum(low, at(found.starts, last, some)), high)
    between = extremes(lengths, first + 1, last, largest=True)
    return np.where(some, np.maximum.reduce([head, tail, np.where(last > first + 1, between, 0)]), 0)


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {"streak": streak}
