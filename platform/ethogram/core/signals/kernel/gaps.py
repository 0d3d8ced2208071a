"""Kernels of `aggregates.gaps`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ethogram.core.signals.aggregates.aggregate import SECONDS
from ethogram.core.signals.aggregates.gaps import MEASURES
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Column, Ints, Mask, Values
from ethogram.core.signals.kernel.periods import at
from ethogram.core.signals.kernel.ranges import Sums, extremes
from ethogram.core.signals.numbers import quotients
from ethogram.core.signals.plan import FeaturePlan

_HALF = 30
_FITS = 2**62


def before(asked: Asked) -> Ints:
    """Time from the event before to each event, in microseconds; 0 for an entity's first."""

    def make() -> Ints:
        gap = np.zeros(len(asked.events), np.int64)
        same = asked.events.entity[1:] == asked.events.entity[:-1]
        gap[1:] = np.where(same, np.diff(asked.events.occurred), 0)
        return gap

    return asked.keep("gaps", make)


def gaps(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    measure = feature.setting("measure")
    some = high - low >= MEASURES[measure]
    low, high = np.where(some, low, 0), np.where(some, high, 0)
    if measure in {"std", "cv"}:
        return _spread(feature, asked, low, high, some)
    number = np.ones(len(low), np.int64)
    if measure == "mean":
        number = high - low - 1
        found = at(asked.events.occurred, high - 1, some) - at(asked.events.occurred, low, some)
    elif measure == "last":
        found = at(before(asked), high - 1, some)
    else:
        found = extremes(before(asked), low + 1, high, largest=measure == "max")
    return Column(quotients(found, number * SECONDS[feature.setting("unit")] * 1_000_000), some)


def _spread(feature: FeaturePlan, asked: Asked, low: Ints, high: Ints, some: Mask) -> Column:
    """Standard deviation, or its ratio to the mean: whole numbers up to one division and one root."""
    # Counted in their greatest common divisor, times of whole seconds or days need 64 bits only.
    grain = asked.keep("grain", lambda: max(1, int(np.gcd.reduce(before(asked), initial=0))))
    number: npt.NDArray[Any] = np.where(some, high - low - 1, 0)
    whole: npt.NDArray[Any] = (
        at(asked.events.occurred, high - 1, some) - at(asked.events.occurred, low, some)
    ) // grain
    squares = _squares(asked, grain)(np.where(some, low + 1, 0), high)
    unit = 1 if feature.setting("measure") == "cv" else SECONDS[feature.setting("unit")] * 1_000_000
    up = 1 if feature.setting("measure") == "cv" else grain
    up, down = up // math.gcd(up, unit), unit // math.gcd(up, unit)
    most, largest = int(number.max(initial=1)), int(squares.max(initial=1))
    if max(most**2 * largest, most * largest * up**2, (most * down) ** 2) >= _FITS:
        number, whole, squares = (each.astype(object) for each in (number, whole, squares))
    # n times the sum of squares less the square of the sum: n (n - 1) variances.
    spread = number * squares - whole * whole
    if feature.setting("measure") == "cv":
        variance = quotients(spread * number, (number - 1) * whole * whole)
        some = some & (whole > 0)
    else:
        variance = quotients(spread * up**2, number * (number - 1) * down**2)
    return Column(np.sqrt(np.where(some, variance, 0.0)), some)


def _squares(asked: Asked, grain: int) -> Callable[[Ints, Ints], npt.NDArray[Any]]:
    """Sums of the squares of gaps, counted in `grain`, over ranges; Python integers where 64 bits are too few."""

    def make() -> Callable[[Ints, Ints], npt.NDArray[Any]]:
        gap = before(asked) // grain
        if int(gap.max(initial=0)) < 2**31:
            return Sums(gap * gap).between
        upper, lower = gap >> _HALF, gap & ((1 << _HALF) - 1)
        parts = [Sums(upper * upper), Sums(2 * upper * lower), Sums(lower * lower)]

        def between(low: Ints, high: Ints) -> npt.NDArray[Any]:
            far, middle, near = (each.between(low, high).astype(object) for each in parts)
            found: npt.NDArray[Any] = (far << 2 * _HALF) + (middle << _HALF) + near
            return found

        return between

    return asked.keep("squares of gaps", make)


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {"gaps": gaps}
