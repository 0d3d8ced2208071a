"""Kernels of `aggregates.touch`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ethogram.core.signals.kernel import basic
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Values
from ethogram.core.signals.kernel.rfm import since_first
from ethogram.core.signals.plan import FeaturePlan


def first_touch(feature: FeaturePlan, asked: Asked) -> Values:
    return basic.first(feature, asked.having(feature.property))


def last_touch(feature: FeaturePlan, asked: Asked) -> Values:
    return basic.last(feature, asked.having(feature.property))


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {
    "first_touch": first_touch,
    "last_touch": last_touch,
    "since_first": since_first,
}
