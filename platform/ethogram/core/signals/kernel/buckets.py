"""Kernels of `aggregates.buckets`: each bucket of an entity is an entity of its own to the kernel of the aggregate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ethogram.core.signals.aggregates.buckets import BASES, MOST_KEYS
from ethogram.core.signals.kernel import basic, selections
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Column, Lists, Maps, Values, concat
from ethogram.core.signals.kernel.events import Events
from ethogram.core.signals.kernel.groups import groups, seen
from ethogram.core.signals.kernel.selections import item_of
from ethogram.core.signals.plan import FeaturePlan

Kernel = Callable[[FeaturePlan, Asked], Values]


def _mapped(base: Kernel) -> Kernel:
    def kernel(feature: FeaturePlan, asked: Asked) -> Values:
        ((by, _, _),) = feature.also
        here = asked.having(by)
        if feature.property is not None:
            here = here.having(feature.property)
        low, high = here.range(feature.window)
        made = groups(here, by)
        inner = replace(item_of(feature), window=None)
        taken = here.events.take(made.order)
        events = Events(made.number, taken.occurred, taken.available, None, taken.columns)
        parts: list[Values] = []
        for part in seen(made, here.events.entity, low, high):
            if len(part.owner) and int(np.diff(part.offsets()).max()) > MOST_KEYS:
                part = part.only(np.sort(part.most(MOST_KEYS)))
            at = here.at[part.first : part.end][part.owner]
            question = Asked(events, at, part.low, part.high, here.keys, at, here.earliest, here.latest)
            items = base(inner, question)
            assert isinstance(items, Column)
            keys = here.column(by)
            names = Column(keys.data[made.order[part.low]], None, 0, keys.words)
            parts.append(Maps(Lists(part.offsets(), names), items))
        if parts:
            return concat(parts)
        items = base(inner, Asked(events, at=low, first=low, end=low, keys=here.keys, base=low, earliest=0, latest=0))
        assert isinstance(items, Column)
        return Maps(Lists(np.zeros(1, np.int64), Column(low, words=())), items)

    return kernel


_BASES: Mapping[str, Kernel] = {**basic.KERNELS, **selections.KERNELS}
KERNELS: Mapping[str, Kernel] = {f"{name}_by": _mapped(_BASES[name]) for name in BASES}
