"""Aggregates for each value of a property: maps from the value to what `count(by="category")` and the like count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ethogram.core.signals.aggregates import basic, selections
from ethogram.core.signals.aggregates.aggregate import Aggregate, Naming
from ethogram.core.signals.declaration import Setting

# Keys of a map: those with the most events, of equally many the first by code point. A map is part of every row that
# is stored and served, so that its size has to have an end, and one entity's odd history must not stop all others'.
MOST_KEYS = 1000
BASES = ("count", "sum", "mean", "min", "max", "distinct")


def _mapped(base: Aggregate) -> Aggregate:
    def kind(property: str | None, given: Mapping[str, Setting]) -> str:
        return f"map<{base.type(property, given)}>"

    def label(naming: Naming) -> str:
        return naming.joined(base.label(replace(naming, window="")), "by", naming.by)

    return replace(base, name=f"{base.name}_by", type=kind, label=label, empty=None, ordered=False)


AGGREGATES = tuple(_mapped(each) for each in (*basic.AGGREGATES, *selections.AGGREGATES) if each.name in BASES)
WORDS = ()
