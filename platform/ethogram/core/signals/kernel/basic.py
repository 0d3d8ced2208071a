"""Kernels of `aggregates.basic`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ethogram.core.signals.aggregates.aggregate import SECONDS
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Column, Ints, Values
from ethogram.core.signals.kernel.ranges import Extremes, Sums
from ethogram.core.signals.numbers import LARGEST, SCALE, SMALLEST, Overflow, means
from ethogram.core.signals.plan import FeaturePlan


def count(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    return Column(high - low)


def sums(asked: Asked, name: str | None) -> Sums:
    """Running totals of a property; nulls add nothing."""
    column = asked.column(name)
    return asked.keep(("sums", name), lambda: _sums(column))


def _sums(column: Column) -> Sums:
    return Sums(column.data if column.valid is None else np.where(column.valid, column.data, 0))


def counts(asked: Asked, name: str | None, low: Ints, high: Ints) -> Ints:
    """How many events of each range have the property."""
    column = asked.column(name)
    if column.valid is None:
        return high - low
    present = column.present
    found: Ints = asked.keep(("counts", name), lambda: Sums(present.astype(np.int64))).between(low, high)
    return found


def total(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    return in_type(feature, sums(asked, feature.property).between(low, high))


def in_type(feature: FeaturePlan, whole: npt.NDArray[Any]) -> Column:
    """Sums of units as the feature's type: integers that fit 64 bits, or decimals with six digits."""
    if feature.type == "decimal":
        return leaving(feature, Column(whole, scale=feature.scale))
    if len(whole) and not (int(whole.min()) >= SMALLEST and int(whole.max()) <= LARGEST):
        raise Overflow(feature.name)
    return Column(whole.astype(np.int64))


def mean(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    many = counts(asked, feature.property, low, high)
    whole = sums(asked, feature.property).between(low, high)
    exact = whole if whole.dtype != object else [int(each) for each in whole]
    return Column(means(exact, many, feature.scale), many > 0)


def extreme(largest: bool) -> Callable[[FeaturePlan, Asked], Column]:
    """The kernel of the least or of the largest value."""

    def kernel(feature: FeaturePlan, asked: Asked) -> Column:
        low, high = asked.range(feature.window)
        column = asked.column(feature.property)
        table = asked.keep(("extremes", feature.property, largest), lambda: _extremes(column, largest))
        found = table.between(low, high)
        return leaving(feature, Column(found, counts(asked, feature.property, low, high) > 0, column.scale))

    return kernel


def _extremes(column: Column, largest: bool) -> Extremes:
    worst = _worst(column.data.dtype, largest)
    return Extremes(
        column.data if column.valid is None else np.where(column.valid, column.data, worst), largest=largest
    )


def _worst(kind: np.dtype[Any], largest: bool) -> Any:
    if kind == np.float64:
        return -np.inf if largest else np.inf
    return np.iinfo(np.int64).min if largest else np.iinfo(np.int64).max


def leaving(feature: FeaturePlan, column: Column) -> Column:
    """A property's values as a feature's: six digits, rounded half away from zero, and no negative zero."""
    if column.data.dtype == np.float64:
        return Column(column.data + 0.0, column.valid)
    if feature.type != "decimal" or column.scale == SCALE:
        return column
    return Column(rescaled(column.data, column.scale), column.valid, SCALE)


def rescaled(data: npt.NDArray[Any], scale: int) -> npt.NDArray[Any]:
    """Whole units of 10^-`scale` as units of 10^-6, rounded half away from zero."""
    if scale > SCALE:
        unit = 10 ** (scale - SCALE)
        nearest = (abs(data) + unit // 2) // unit
        signed: npt.NDArray[Any] = np.where(data < 0, -nearest, nearest)
        return signed
    factor = 10 ** (SCALE - scale)
    if data.dtype != object and len(data) and max(abs(int(data.max())), abs(int(data.min()))) > LARGEST // factor:
        data = data.astype(object)
    grown: npt.NDArray[Any] = data * factor
    return grown


def at_index(feature: FeaturePlan, asked: Asked, index: Ints, some: npt.NDArray[np.bool_]) -> Values:
    """The property of one event for each observation; null where `some` is false."""
    column = asked.column(feature.property)
    if not len(column):
        return Column(np.zeros(len(index), column.data.dtype), some, column.scale, column.words)
    return leaving(feature, column.take(np.where(some, index, 0)).where(some))


def first(feature: FeaturePlan, asked: Asked) -> Values:
    low, high = asked.range(feature.window)
    return at_index(feature, asked, low, low < high)


def last(feature: FeaturePlan, asked: Asked) -> Values:
    low, high = asked.range(feature.window)
    return at_index(feature, asked, high - 1, low < high)


def recency(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    some = low < high
    if not len(asked.events):
        return Column(np.zeros(len(asked)), some)
    return age(feature, asked.at, Column(asked.events.occurred[np.where(some, high - 1, 0)], some))


def age(feature: FeaturePlan, at: Ints, newest: Column) -> Column:
    """How long ago the instants `newest` were, in the feature's unit."""
    since = (at - newest.data).astype(np.float64)
    return Column(since / float(SECONDS[feature.setting("unit")] * 1_000_000), newest.valid)


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {
    "count": count,
    "sum": total,
    "mean": mean,
    "min": extreme(largest=False),
    "max": extreme(largest=True),
    "first": first,
    "last": last,
    "recency": recency,
}
