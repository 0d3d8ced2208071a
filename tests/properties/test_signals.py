"""What no example can say of the engine: it equals the reference to the bit, in any order of what it is given."""

from __future__ import annotations

import dataclasses
import itertools
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.core.events import Event
from ethogram.core.outcomes.declaration import Outcome, absence, occurrence
from ethogram.core.signals.aggregates.basic import count, last, maximum, mean, minimum, recency, total
from ethogram.core.signals.declaration import Signal

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

# Few distinct instants, so that ties, edges of hops and equal times happen all the time; odd microseconds too.
instants = st.builds(
    lambda hours, tick: START + hours * HOUR + timedelta(microseconds=tick),
    st.integers(-40 * 24, 40 * 24),
    st.sampled_from([0, 0, 0, 1, 999_999, 1_800_000_000]),
)
waits = st.one_of(st.just(timedelta(0)), st.integers(0, 60 * 24).map(lambda hours: hours * HOUR))
money = st.one_of(st.none(), st.decimals(-(10**12) + 1, 10**12 - 1, places=6))
properties = st.fixed_dictionaries(
    {},
    optional={
        "amount": money,
        "items": st.one_of(st.none(), st.integers(-(2**58), 2**58)),
        "weight": st.decimals(-(10**9) + 1, 10**9 - 1, places=9),
        "rating": st.floats(allow_nan=False, allow_infinity=False),
        "category": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
        "gift": st.booleans(),
        "due": instants,
        "day": st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    },
)


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    ids = itertools.count()
    events = []
    for _ in range(draw(st.integers(0, 14))):
        at = draw(instants)
        entities = draw(st.sampled_from([{"customer": 1}, {"customer": 1}, {"customer": 2}, {}]))
        found = draw(properties)
        behavior = draw(st.sampled_from(["commerce.purchase", "commerce.purchase", "commerce.refund"]))
        if behavior == "commerce.refund":
            found = {name: value for name, value in found.items() if name == "amount"}
        channel = draw(st.sampled_from(["web", "store", None]))
        op, target = draw(
            st.sampled_from([("assert", None)] * 4 + [("correct", "0"), ("correct", "1"), ("retract", "0")])
        )
        events.append(Event(f"{next(ids)}", behavior, entities, at, at + draw(waits), found, channel, op, target))
    return events


observation_lists = st.lists(st.tuples(st.sampled_from([1, 1, 2, 7, None]), instants), max_size=8)
_WHERE = st.sampled_from([None, None, "amount > 0", "channel = 'web'", "not amount between -1 and 1"])
_OVER = st.sampled_from([None, "12h", "1d", "7d", "30d"])


@st.composite
def features(draw: st.DrawFn, number: int) -> Any:
    over, where, name = draw(_OVER), draw(_WHERE), f"f{number}"
    kind = draw(st.sampled_from([count, recency, total, mean, minimum, maximum, last]))
    if kind in (count, recency):
        return kind(over=over, where=where, name=name, of=draw(st.sampled_from([None, "commerce.*"])))
    if kind in (total, mean):
        return kind(draw(st.sampled_from(["amount", "items", "weight"])), over=over, where=where, name=name)
    ordered = ["amount", "items", "weight", "rating", "due", "day"]
    property = draw(st.sampled_from(ordered if kind is not last else [*ordered, "category", "gift"]))
    return kind(property, over=over, where=where, name=name)


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    declared = [draw(features(number)) for number in range(draw(st.integers(1, 5)))]
    freshness = draw(st.sampled_from(["live", "live", "hourly", "daily"]))
    delay = "0s" if freshness == "live" else draw(st.sampled_from(["0s", "2h", "36h"]))
    hop = draw(st.sampled_from(["auto", "auto", None, "5m"]))
    return Signal("s", version=1, entity="customer", of="commerce.purchase", features=declared,
                  freshness=freshness, delay=delay, hop=hop)  # fmt: skip


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    kind = draw(st.sampled_from([occurrence, absence]))
    behavior = draw(st.sampled_from(["commerce.purchase", "commerce.*", ["commerce.refund", "commerce.purchase"]]))
    happens = kind(
        behavior, within=draw(st.sampled_from(["1h", "7d", "30d"])), where=draw(st.sampled_from([None, "amount > 0"]))
    )
    return Outcome("o", "customer", happens, matures_after=draw(st.sampled_from(["0s", "1d", "20d"])))


@settings(max_examples=40)
@given(signal=signals(), events=event_lists(), observations=observation_lists)
def test_the_engine_equals_the_reference_to_the_bit(engines, signal, events, observations):
    with tempfile.TemporaryDirectory() as folder:
        engines.assert_same(Path(folder), signal, events, observations)


@settings(max_examples=25)
@given(outcome=outcomes(), events=event_lists(), observations=observation_lists)
def test_labels_equal_the_reference(engines, outcome, events, observations):
    with tempfile.TemporaryDirectory() as folder:
        engines.assert_same(Path(folder), outcome, events, observations)


@settings(max_examples=20)
@given(signal=signals(), events=event_lists(), observations=observation_lists, random=st.randoms())
def test_the_order_of_events_and_of_observations_never_matters(engines, signal, events, observations, random):
    shuffled, turned = list(events), list(enumerate(observations))
    random.shuffle(shuffled)
    random.shuffle(turned)
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.Duckdb(Path(folder), events_at_once=1_000_000)
        first = engine.features(signal, events, observations)
        second = engine.features(signal, shuffled, [observation for _, observation in turned])
    assert [repr(first[i]) for i, _ in turned] == [repr(row) for row in second]


@settings(max_examples=20)
@given(signal=signals(), events=event_lists(), observations=observation_lists)
def test_an_observation_is_answered_alike_whoever_is_asked_beside_it(engines, signal, events, observations):
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.Duckdb(Path(folder), events_at_once=1_000_000)
        together = engine.features(signal, events, observations)
        alone = [row for each in observations[:3] for row in engine.features(signal, events, [each])]
    assert list(map(repr, alone)) == list(map(repr, together[:3]))


def _renamed(events: Sequence[Event]) -> list[Event]:
    return [
        dataclasses.replace(event, event_id=f"x{event.event_id}", target_id=event.target_id and f"x{event.target_id}")
        for event in events
    ]


@settings(max_examples=15)
@given(events=event_lists(), observations=observation_lists)
def test_counts_and_sums_add_up_over_events(engines, events, observations):
    """Twice the same events under other ids is twice the count and the sum: nothing is merged away."""
    signal = Signal("s", version=1, entity="customer", of="commerce.purchase",
                    features=[count(over="7d", name="n"), total("weight", over="7d", name="t")])  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.Duckdb(Path(folder), events_at_once=1_000_000)
        once = engine.features(signal, events, observations)
        twice = engine.features(signal, [*events, *_renamed(events)], observations)
    assert [row["n"] * 2 for row in once] == [row["n"] for row in twice]
    assert all(abs(row["t"] * 2 - other["t"]) <= Decimal("0.000001") for row, other in zip(once, twice, strict=True))
