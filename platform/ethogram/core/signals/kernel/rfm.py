"""Kernels of `aggregates.rfm`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ethogram.core.signals.aggregates.aggregate import SECONDS
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.basic import sums
from ethogram.core.signals.kernel.columns import Column, Ints, Mask, Values
from ethogram.core.signals.kernel.periods import at, periods
from ethogram.core.signals.numbers import quotients
from ethogram.core.signals.plan import FeaturePlan


def in_units(feature: FeaturePlan, spans: Ints, some: Mask) -> Column:
    """Spans of microseconds in the feature's unit; null where `some` is false."""
    unit = SECONDS[feature.setting("unit")] * 1_000_000
    return Column(quotients(spans, np.full(len(spans), unit)), some)


def frequency(feature: FeaturePlan, asked: Asked) -> Column:
    found = periods(asked, feature.setting("period"))
    return Column(np.maximum(found.distinct(*asked.range(feature.window)) - 1, 0))


def active_span(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    some, occurred = low < high, asked.events.occurred
    return in_units(feature, at(occurred, high - 1, some) - at(occurred, low, some), some)


def since_first(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    some = low < high
    return in_units(feature, np.where(some, asked.at - at(asked.events.occurred, low, some), 0), some)


def monetary(feature: FeaturePlan, asked: Asked) -> Column:
    asked = asked.having(feature.property)
    low, high = asked.range(feature.window)
    found = periods(asked, feature.setting("period"))
    repeats = np.maximum(found.distinct(low, high) - 1, 0)
    # The events of the first period end where the next one begins.
    firsts = asked.keep(
        ("firsts", feature.setting("period")), lambda: np.flatnonzero(np.diff(found.begun, prepend=0, append=-1))
    )
    some = repeats > 0
    after = at(firsts, at(found.begun, low, some), some)
    whole = sums(asked, feature.property).between(after, np.where(some, high, after))
    return Column(quotients(whole, repeats * 10**feature.scale), some)


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {
    "frequency": frequency,
    "active_span": active_span,
    "tenure": since_first,
    "monetary": monetary,
}
