"""The primitives that features are made of: a module a family, each with the words that teams write for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ethogram.core.signals.aggregates import (
    basic,
    buckets,
    decay,
    derivation,
    gaps,
    moments,
    ratios,
    rfm,
    seasonal,
    selections,
    sequences,
    streaks,
    touch,
    trend,
)
from ethogram.core.signals.aggregates.aggregate import Aggregate

_FAMILIES = (
    basic,
    derivation,
    decay,
    gaps,
    rfm,
    seasonal,
    sequences,
    streaks,
    touch,
    trend,
    buckets,
    moments,
    ratios,
    selections,
)
AGGREGATES: Mapping[str, Aggregate] = {each.name: each for family in _FAMILIES for each in family.AGGREGATES}
# What a team's files may import from `ethogram`, by name.
WORDS: Mapping[str, Callable[..., Any]] = {each.__name__: each for family in _FAMILIES for each in family.WORDS}
