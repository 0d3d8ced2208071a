"""Kernels of `aggregates.trend`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ethogram.core.signals.aggregates.trend import step
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.basic import in_type, sums
from ethogram.core.signals.kernel.columns import Column, Ints, Mask, Values
from ethogram.core.signals.numbers import quotients
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.window import Window

_FITS = 2**62


def amount(feature: FeaturePlan, asked: Asked, low: Ints, high: Ints) -> npt.NDArray[Any]:
    """How many events are in each range, or the sum of their property in whole units."""
    return high - low if feature.property is None else sums(asked, feature.property).between(low, high)


def slope(feature: FeaturePlan, asked: Asked) -> Column:
    """By steps: one search for each, not one for each event."""
    assert feature.window is not None
    each = step(dict(feature.settings), feature.window)
    steps = feature.window.length // each.length
    low, high = asked.range(feature.window)
    total = amount(feature, asked, low, high)
    # An event of step x is in x of the spans that reach from the second step, the third and so on to the instant.
    moment: npt.NDArray[Any] = np.zeros(len(low), np.int64)
    for k in range(1, steps):
        span = amount(feature, asked, asked.range(Window(each.length * k, each.hop))[0], high)
        moment = _wide(moment, 1) + _wide(span, 1)
    rise = 12 * _wide(moment, 12) - 6 * (steps - 1) * _wide(total, 6 * steps)
    divisor: int = steps * (steps**2 - 1) * 10**feature.scale
    return Column(quotients(rise, np.full(len(low), divisor, object if divisor >= _FITS else np.int64)))


def _wide(values: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """`values` so that a product with `factor`, and the sum of two of those, fits."""
    if values.dtype == object or not len(values):
        return values
    most = max(abs(int(values.max())), abs(int(values.min())))
    return values.astype(object) if most * factor >= _FITS // 2 else values


def both(feature: FeaturePlan, asked: Asked) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The amount of the window, and of the one before."""
    low, high = asked.range(feature.window)
    earlier, _ = asked.range(feature.span)
    return amount(feature, asked, low, high), amount(feature, asked, earlier, low)


def change(feature: FeaturePlan, asked: Asked) -> Column:
    this, before = both(feature, asked)
    return in_type(feature, _wide(this, 1) - _wide(before, 1))


def change_ratio(feature: FeaturePlan, asked: Asked) -> Column:
    this, before = both(feature, asked)
    some: Mask = before != 0
    return Column(quotients(this, before), some)


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {
    "slope": slope,
    "change": change,
    "change_ratio": change_ratio,
}
