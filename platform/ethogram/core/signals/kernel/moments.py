"""Kernels of `aggregates.moments`: sums of powers over ranges, in whole numbers as small as they can be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Column, Ints, Values
from ethogram.core.signals.kernel.ranges import Sums
from ethogram.core.signals.numbers import quotients
from ethogram.core.signals.plan import FeaturePlan

_FITS = 2**62
_Whole = npt.NDArray[Any]


def _smallest(here: Asked, name: str) -> tuple[_Whole, int]:
    """Distances from the least value in units of what divides them all, and that unit: moments about the mean do not
    notice the former, and the latter is put back at the end."""
    data = here.column(name).data
    if not len(data):
        return data, 1
    least, most = int(data.min()), int(data.max())
    distances = (data if most - least < _FITS else data.astype(object)) - least
    unit = int(np.gcd.reduce(distances)) or 1
    return distances // unit, unit


def _power_sums(here: Asked, name: str, power: int) -> Sums:
    values, _ = here.keep(("smallest", name), lambda: _smallest(here, name))
    if len(values) and int(values.max()) ** power >= _FITS:
        values = values.astype(object)
    return here.keep(("powers", name, power), lambda: Sums(values**power))


def times(left: _Whole, right: _Whole) -> _Whole:
    """Products of whole numbers, as Python's where 64 bits are too few."""
    if left.dtype != object and right.dtype != object and _largest(left) * _largest(right) < _FITS:
        product: _Whole = left * right
        return product
    grown: _Whole = left.astype(object) * right.astype(object)
    return grown


def _largest(values: _Whole) -> int:
    return max(int(values.max()), -int(values.min())) if len(values) else 0


def _central(feature: FeaturePlan, asked: Asked, *, powers: int) -> tuple[Ints, list[_Whole], int]:
    """How many values, the sums of their powers, and the unit that these are in."""
    assert feature.property is not None
    here, name = asked.having(feature.property), feature.property
    low, high = here.range(feature.window)
    sums = [_power_sums(here, name, power).between(low, high) for power in range(1, powers + 1)]
    return high - low, sums, here.keep(("smallest", name), lambda: _smallest(here, name))[1]


def variance(feature: FeaturePlan, asked: Asked) -> Column:
    n, (total, squares), unit = _central(feature, asked, powers=2)
    back = Fraction(unit**2, 10 ** (2 * feature.scale))
    second = times(n, squares) - times(total, total)
    found = quotients(times(second, factor(back.numerator)), times(times(n, n), factor(back.denominator)))
    return Column(found, n > 0)


def std(feature: FeaturePlan, asked: Asked) -> Column:
    found = variance(feature, asked)
    return Column(np.sqrt(found.data), found.valid)


def skew(feature: FeaturePlan, asked: Asked) -> Column:
    n, (total, squares, cubes), _ = _central(feature, asked, powers=3)
    second = times(n, squares) - times(total, total)
    several = times(times(n, n), cubes) - times(times(factor(3), n), times(total, squares))
    third = several + times(factor(2), times(total, times(total, total)))
    some = (n >= 3) & (second != 0).astype(np.bool_)
    squared = quotients(times(third, third), times(second, times(second, second)))
    return Column(np.where(third < 0, -1.0, 1.0) * np.sqrt(squared), some)


def factor(value: int) -> _Whole:
    """A factor for a whole column."""
    return np.array([value], np.int64 if value < _FITS else object)


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {"variance": variance, "std": std, "skew": skew}
