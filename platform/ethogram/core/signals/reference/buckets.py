"""Definitions of `aggregates.buckets`: the aggregate of the events of each bucket alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ethogram.core.signals.aggregates.buckets import BASES, MOST_KEYS
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference import basic, selections
from ethogram.core.signals.reference.seen import Definition, Seen, read


def _mapped(base: Definition) -> Definition:
    def definition(feature: FeaturePlan, seen: Seen) -> dict[str, Any]:
        ((by, _, _),) = feature.also
        buckets: dict[str, list[Any]] = {}
        for event in seen.inside(feature.window):
            key = read(event, by)
            if key is not None and (feature.property is None or read(event, feature.property) is not None):
                buckets.setdefault(key, []).append(event)
        largest = sorted(buckets, key=lambda key: (-len(buckets[key]), key))[:MOST_KEYS]
        inner = _inner(feature)
        return {key: base(inner, Seen(seen.at, buckets[key])) for key in sorted(largest)}

    return definition


def _inner(feature: FeaturePlan) -> FeaturePlan:
    return replace(feature, type=feature.type.removeprefix("map<").removesuffix(">"))


_BASES = {**basic.REFERENCE, **selections.REFERENCE}
REFERENCE: Mapping[str, Definition] = {f"{name}_by": _mapped(_BASES[name]) for name in BASES}
