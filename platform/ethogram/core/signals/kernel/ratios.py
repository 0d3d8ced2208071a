"""Kernels of `aggregates.ratios`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np

from ethogram.core.signals.aggregates.ratios import units_of_time
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.basic import sums
from ethogram.core.signals.kernel.columns import Column, Values
from ethogram.core.signals.kernel.moments import factor, times
from ethogram.core.signals.numbers import quotients
from ethogram.core.signals.plan import FeaturePlan


def ratio(feature: FeaturePlan, asked: Asked) -> Column:
    ((divisor, _, scale),) = feature.also
    low, high = asked.range(feature.window)
    above, below = (sums(asked, name).between(low, high) for name in (feature.property, divisor))
    common = 10 ** min(scale, feature.scale)
    above = times(above, factor(10**scale // common))
    below = times(below, factor(10**feature.scale // common))
    return Column(quotients(above, below), (below != 0).astype(np.bool_))


def rate(feature: FeaturePlan, asked: Asked) -> Column:
    assert feature.window is not None
    low, high = asked.range(feature.window)
    length, per = units_of_time(dict(feature.settings), feature.window)
    unit = Fraction(per, length)
    divisors = np.full(len(low), unit.denominator, np.int64)
    return Column(quotients(times(high - low, factor(unit.numerator)), divisors))


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {"ratio": ratio, "rate": rate}
