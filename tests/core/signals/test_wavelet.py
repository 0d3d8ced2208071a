"""Many ranges at once against looking at each, and work in small portions against work in one go."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.signals.aggregates.basic import count, mean, total
from ethogram.core.signals.aggregates.selections import distinct, frequent, histogram, quantile, top_k
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.kernel import evaluate, groups, selections
from ethogram.core.signals.kernel.columns import Column, Lists, Maps, Values
from ethogram.core.signals.kernel.events import Events
from ethogram.core.signals.kernel.wavelet import below, smallest
from ethogram.core.signals.plan import plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy

TAXONOMY = Taxonomy(
    entities={"customer": Entity("customer", "Who buys.", "customers", "customer_id")},
    behaviors={"commerce.purchase": Behavior(
        "commerce.purchase", "Paid.", "purchase", "purchases", "customer", ("customer",),
        properties={"items": Property("items", "integer", unit="1"), "category": Property("category", "string")},
    )},
)  # fmt: skip


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int, int]]]:
    values = draw(st.lists(st.integers(0, draw(st.sampled_from([0, 1, 7, 2**30]))), max_size=20))
    place = st.integers(0, len(values))
    asked = draw(st.lists(st.tuples(place, place, st.integers(-2, 25)), max_size=12))
    return values, [(min(a, b), max(a, b), n) for a, b, n in asked]


@given(questions())
def test_ranks_and_counts_are_those_of_the_sorted_range(question: Any) -> None:
    values, asked = question
    low, high, number = (np.array([each[k] for each in asked], np.int64) for k in range(3))
    array = np.array(values, np.int64)
    right = [sum(value < n for value in values[a:b]) for a, b, n in asked]
    assert below(array, low, high, number).tolist() == right
    found = smallest(array, low, high, number)
    for (a, b, n), value in zip(asked, found.tolist(), strict=True):
        if 0 <= n < b - a:
            assert value == sorted(values[a:b])[n]


def _shown(values: Values) -> list[Any]:
    if isinstance(values, Maps):
        items = _shown(Lists(values.keys.offsets, values.items))
        return [list(zip(*pair, strict=True)) for pair in zip(_shown(values.keys), items, strict=True)]
    if isinstance(values, Lists):
        items, bounds = _shown(values.items), values.offsets.tolist()
        return [items[start:end] for start, end in pairwise(bounds)]
    plain = values.data.tolist()
    return plain if values.words is None else [values.words[number] for number in plain]


def test_small_portions_give_what_one_go_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    entity = np.sort(random.integers(0, 6, 300))
    occurred = random.integers(0, 10**12, 300)
    occurred = occurred[np.lexsort((occurred, entity))]
    columns = {
        "items": Column(random.integers(0, 9, 300), random.random(300) < 0.8),
        "category": Column(random.integers(0, 4, 300), random.random(300) < 0.8, 0, ("a", "b", "c", "d")),
    }
    events = Events(entity, occurred, occurred.copy(), None, columns)
    features = [
        top_k("items", 3, over="1d"), frequent("items", 2, over="7d"), histogram("category"), distinct("items"),
        quantile("items", 0.3), count(by="category", over="1d"), total("items", by="category"),
        mean("items", by="category", over="7d"), distinct("items", by="category"),
    ]  # fmt: skip
    plan = plan_signal(Signal("s", 1, "customer", "commerce.purchase", features), TAXONOMY)
    asked, at = random.integers(0, 7, 80), random.integers(0, 10**12, 80)

    def answered() -> dict[str, list[Any]]:
        found = evaluate(plan.features, replace(events), asked, at)
        return {name: _shown(values) for name, values in found.items()}

    whole = answered()
    for portion in (1, 7, 60):
        monkeypatch.setattr(groups, "AT_ONCE", portion)
        monkeypatch.setattr(selections, "AT_ONCE", portion)
        assert answered() == whole
    assert any(whole["purchases_by_category_1d"])


def test_beside_its_groups_or_beside_its_events_an_observation_sees_the_same() -> None:
    random = np.random.default_rng(5)
    entity = np.sort(random.integers(0, 4, 120))
    values = random.integers(0, 5, 120)
    order = np.lexsort((values, entity))
    new = np.ones(120, np.bool_)
    new[1:] = (np.diff(entity[order]) != 0) | (np.diff(values[order]) != 0)
    place = np.empty(120, np.int64)
    place[order] = np.arange(120)
    made = groups.Groups(order, np.cumsum(new) - 1, np.append(np.flatnonzero(new), 120), place)
    starts = np.searchsorted(entity, np.arange(4))
    ends = np.searchsorted(entity, np.arange(4), "right")
    low, high = starts + 3, ends - 2
    first, last = np.searchsorted(made.starts[:-1], starts), np.searchsorted(made.starts[:-1], ends)
    one = groups._by_group(made, 0, 4, first, last, low, high)
    other = groups._by_event(made, 0, 4, low, high)
    for name in ("owner", "group", "low", "high"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
