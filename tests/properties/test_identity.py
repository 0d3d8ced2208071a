"""What no example can say of identities: the map of both times equals looking links up one by one, and later links
change no earlier value."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.basic import count, last, recency, total
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.signals.reference import evaluate
from ethogram.core.signals.reference.concerning import concerning

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

instants = st.integers(-8, 3).map(lambda days: NOON + days * 24 * HOUR)
waits = st.sampled_from([0, 0, 0, 1, 24, 60]).map(lambda hours: hours * HOUR)
customers = st.sampled_from([1, 1, 2, 3])
ops = st.sampled_from([("assert", None)] * 6 + [("correct", "0"), ("retract", "0"), ("retract", "1")])


@st.composite
def histories(draw: st.DrawFn, first: int = 0) -> list[Event]:
    """What visitors and customers did, and sign-ins that tell who they were."""
    ids = itertools.count(first)
    events = []
    for _ in range(draw(st.integers(0, 12))):
        at, (op, target) = draw(instants), draw(ops)
        entities = {"visitor": draw(st.sampled_from([5, 5, 6]))}
        linking = draw(st.booleans())
        if linking or draw(st.integers(0, 4)) == 0:
            entities["customer"] = draw(customers)
        behavior = "account.signed_in" if linking else "commerce.purchase"
        found = {} if linking else {"items": draw(st.integers(-9, 9))}
        events.append(Event(f"{next(ids)}", behavior, entities, at, at + draw(waits), found, "web", op, target))
    return events


signals = st.builds(
    lambda over, where, freshness: Signal(
        "s", version=1, entity="customer", of="commerce.purchase", identity="visitor",
        features=[count(name="n", over=over, where=where), total("items", name="t"), last("items", name="l", over=over),
                  recency(), count(of="account.signed_in", name="links")],
        freshness=freshness[0], delay=freshness[1],
    ),
    st.sampled_from([None, "7d"]), st.sampled_from([None, "items > 0"]),
    st.sampled_from([("live", "0s"), ("daily", "0s"), ("daily", "26h")]),
)  # fmt: skip
observations = st.lists(st.tuples(st.sampled_from([1, 2, 3, None]), instants), min_size=1, max_size=6)


@settings(max_examples=30)
@given(signal=signals, events=histories(), asked=observations)
def test_the_engine_attributes_as_the_reference_does(engines, signal, events, asked):
    with tempfile.TemporaryDirectory() as folder:
        engines.assert_same(Path(folder), signal, events, asked)


@settings(max_examples=25)
@given(signal=signals, events=histories(), asked=observations)
def test_what_is_fetched_of_an_entity_is_all_that_its_values_depend_on(engines, signal, events, asked):
    plan = plan_signal(signal, engines.TAXONOMY)
    with tempfile.TemporaryDirectory() as folder:
        tables = engines.write_events(Path(folder), events)
        engine = engines.Duckdb(Path(folder), events_at_once=1_000_000).engine
        found = concerning(engine.events(tables, "customer", [1, 2], plan.identities), "customer", plan.identities)
    for who, at in asked:
        if who in (1, 2):
            assert evaluate(plan, found.get(who, []), who, at) == evaluate(plan, events, who, at)


def _values(
    engines: object, signal: Signal, events: Sequence[Event], asked: Sequence[tuple[int | None, datetime]]
) -> str:
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.Duckdb(Path(folder), events_at_once=1_000_000)  # type: ignore[attr-defined]
        return repr(engine.features(signal, events, asked))


@settings(max_examples=30)
@given(signal=signals, events=histories(), more=histories(first=100))
def test_links_that_become_known_later_never_change_an_earlier_value(engines, signal, events, more):
    later = [event for event in more if event.available_at > NOON or event.occurred_at >= NOON]
    assume(any(event.behavior == "account.signed_in" for event in later))
    asked = [(who, NOON) for who in (1, 2, 3)]
    if signal.freshness == "daily":  # the boundary is at midnight, or at the midnight before
        later = [event for event in later if event.available_at > NOON]
    assert _values(engines, signal, events, asked) == _values(engines, signal, [*events, *later], asked)
