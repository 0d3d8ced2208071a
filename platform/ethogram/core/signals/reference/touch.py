"""Definitions of `aggregates.touch`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.rfm import since_first
from ethogram.core.signals.reference.seen import Definition, Seen, leaving, present


def first_touch(feature: FeaturePlan, seen: Seen) -> Any:
    values = present(feature, seen.inside(feature.window))
    return leaving(values[0]) if values else None


def last_touch(feature: FeaturePlan, seen: Seen) -> Any:
    values = present(feature, seen.inside(feature.window))
    return leaving(values[-1]) if values else None


REFERENCE: Mapping[str, Definition] = {
    "first_touch": first_touch,
    "last_touch": last_touch,
    "since_first": since_first,
}
