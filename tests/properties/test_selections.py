"""Moments, selections, ratios and buckets equal their definitions on every engine, to the bit."""

from __future__ import annotations

import itertools
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.basic import count, maximum, mean, minimum, total
from ethogram.core.signals.aggregates.moments import skew, std, variance
from ethogram.core.signals.aggregates.ratios import rate, ratio, share
from ethogram.core.signals.aggregates.selections import (
    bottom_k,
    distinct,
    first_k,
    frequent,
    histogram,
    last_k,
    quantile,
    top_k,
)
from ethogram.core.signals.declaration import Signal

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

instants = st.builds(lambda hours, tick: START + hours * HOUR + timedelta(microseconds=tick),
                     st.integers(-20 * 24, 20 * 24), st.sampled_from([0, 0, 1]))  # fmt: skip
# Few values, so that they repeat; and some at the ends of what there is.
properties = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.one_of(
            st.none(),
            st.decimals(-3, 3, places=2),
            st.decimals(-(10**12) + 1, 10**12 - 1, places=6),
        ),
        "items": st.one_of(st.none(), st.integers(-3, 3), st.integers(-(2**58), 2**58)),
        "weight": st.decimals(-2, 2, places=9),
        "rating": st.one_of(st.sampled_from([0.0, -0.0, 0.1, 0.3, -0.1, 1e300, -5e-324]), st.floats(-1e9, 1e9)),
        "category": st.sampled_from([None, "a", "b", "B", "é", "𐀀", ""]),
        "gift": st.booleans(),
        "due": st.sampled_from([START, START + HOUR]),
        "day": st.dates(date(1969, 12, 30), date(1970, 1, 3)),
    },
)


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    ids = itertools.count()
    events = []
    for _ in range(draw(st.integers(0, 16))):
        at = draw(instants)
        who = draw(st.sampled_from([{"customer": 1}, {"customer": 1}, {"customer": 2}]))
        wait = draw(st.sampled_from([0, 0, 0, 30, 400])) * HOUR
        channel = draw(st.sampled_from(["web", "store", None]))
        events.append(Event(f"{next(ids)}", "commerce.purchase", who, at, at + wait, draw(properties), channel))
    return events


observation_lists = st.lists(st.tuples(st.sampled_from([1, 1, 2, 7, None]), instants), max_size=6)
NUMBERS, ORDERED = ["amount", "items", "weight"], ["amount", "items", "weight", "rating", "due", "day"]
ANY = [*ORDERED, "category", "gift", "channel"]
k = st.integers(1, 4)
q = st.sampled_from([0, 0.1, 0.25, 0.5, 0.9, 1])


@st.composite
def features(draw: st.DrawFn, number: int) -> Any:
    def one_of(*names: str) -> str:
        return draw(st.sampled_from(names))

    common: dict[str, Any] = {"over": draw(st.sampled_from([None, "1d", "7d"])), "name": f"f{number}"}
    common["where"] = draw(st.sampled_from([None, None, "channel = 'web'"]))
    kind = draw(st.integers(0, 14))
    if kind < 3:
        return (variance, std, skew)[kind](one_of(*NUMBERS), **common)
    if kind < 5:
        return (first_k, last_k)[kind - 3](one_of(*ANY), draw(k), **common)
    if kind < 7:
        return (top_k, bottom_k)[kind - 5](one_of(*ORDERED, "category"), draw(k), **common)
    if kind == 7:
        return frequent(one_of(*ANY), draw(k), **common)
    if kind == 8:
        return distinct(one_of(*ANY), **draw(st.sampled_from([{}, {"at_most": 2}, {"sketch": 4}])), **common)
    if kind == 9:
        return histogram(one_of("category", "channel"), k=draw(st.one_of(st.none(), k)), **common)
    if kind == 10:
        edges = draw(st.sampled_from([[0], [-1, "0.1", 2.5], [-(10**15), 0, 10**30]]))
        return histogram(one_of(*NUMBERS, "rating"), edges=edges, **common)
    if kind == 11:
        return quantile(one_of(*ORDERED), draw(q), **common)
    if kind == 12:
        return quantile(one_of(*NUMBERS, "rating"), draw(q), sketch=draw(st.sampled_from([0.01, 0.3])), **common)
    if kind == 13:
        made = draw(st.sampled_from([ratio, rate, share]))
        if made is ratio:
            return ratio(one_of(*NUMBERS), one_of(*NUMBERS), **common)
        if made is rate:
            return rate(per="36h", **(common | {"over": "7d"}))
        return share("amount > 0", **common)
    by = one_of("category", "channel")
    base = draw(st.sampled_from([count, total, mean, minimum, maximum, distinct]))
    if base is count:
        return count(by=by, **common)
    return base(one_of(*(NUMBERS if base in (total, mean) else ORDERED)), by=by, **common)


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    declared = [draw(features(number)) for number in range(draw(st.integers(1, 6)))]
    freshness = draw(st.sampled_from(["live", "live", "daily"]))
    return Signal("s", version=1, entity="customer", of="commerce.purchase", features=declared, freshness=freshness)


@settings(max_examples=60)
@given(signal=signals(), events=event_lists(), observations=observation_lists)
def test_every_engine_equals_the_definition_to_the_bit(engines, signal, events, observations):
    with tempfile.TemporaryDirectory() as folder:
        engines.assert_same(Path(folder), signal, events, observations)
