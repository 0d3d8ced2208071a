"""The heart of it: what could not be known at an instant never changes what is said of it."""

from __future__ import annotations

import dataclasses
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ethogram.core.events import Event
from ethogram.core.outcomes.declaration import Outcome, absence
from ethogram.core.outcomes.plan import plan_outcome
from ethogram.core.signals.aggregates.basic import count, last, maximum, mean, minimum, recency, total
from ethogram.core.signals.aggregates.decay import decay
from ethogram.core.signals.aggregates.gaps import gaps
from ethogram.core.signals.aggregates.moments import skew, variance
from ethogram.core.signals.aggregates.ratios import rate, ratio, share
from ethogram.core.signals.aggregates.rfm import active_span, frequency, monetary, tenure
from ethogram.core.signals.aggregates.seasonal import concentration, seasonal
from ethogram.core.signals.aggregates.selections import distinct, frequent, histogram, last_k, quantile, top_k
from ethogram.core.signals.aggregates.sequences import (
    funnel,
    ngrams,
    sequence,
    sequence_gaps,
    time_since_each,
    transitions,
)
from ethogram.core.signals.aggregates.streaks import streak
from ethogram.core.signals.aggregates.touch import first_touch, last_touch, since_first
from ethogram.core.signals.aggregates.trend import change, slope
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.signals.sessions import Sessions

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
VISITS = Sessions("visits", entity="customer", of="commerce.*", gap="3h", max_length="6h")
LATE = Sessions("late_visits", entity="customer", of="commerce.purchase", gap="3h", late="12h", cut="midnight")
FEATURES = [
    count(over=["1d", "7d"]), count(), total("amount", over="7d", name="t"), mean("items", over="7d", name="m"),
    minimum("amount", over="7d", name="lo"), maximum("amount", name="hi"), last("items", name="l"), recency(),
    count(over="7d", where="amount > 0", name="c"),
    variance("amount", over="7d"), skew("items"), last_k("items", 2), top_k("amount", 2, over="7d"),
    frequent("items", 2), distinct("items", over="7d"), distinct("items", sketch=4, name="e"), quantile("amount", 0.5),
    quantile("items", 0.9, sketch=0.1), histogram("amount", edges=[0], over="7d"), histogram("channel", over="7d"),
    ratio("amount", "items"), rate(per="1h", over="1d"), share("amount > 0", name="s"), total("items", by="channel"),
    frequency(), active_span(over="7d"), tenure(), monetary("amount", name="mo"), gaps("cv", over="7d"), gaps("max"),
    streak("current"), streak("longest", over="7d"), slope("items", every="1d", over="7d", name="sl"),
    change("amount", over="1d", name="ch"), decay("amount", half_life="1d", name="d"), decay(half_life="1h", over="7d"),
    seasonal("hour_of_day", timezone="Europe/London"), concentration("day_of_week", over="7d"),
    first_touch("items"), last_touch("amount", over="7d"), since_first(over="7d"),
    sequence(3, property="items"), sequence_gaps(3, property="items"), transitions(property="channel", name="tr"),
    ngrams(2, over="7d", name="ng"), time_since_each(name="te"), funnel(["commerce.purchase"] * 2, name="fu"),
    count(of=VISITS, over="7d"), total("duration", of=VISITS, name="vd"), last("events", of=VISITS, name="ve"),
    last("open", of=VISITS, name="vo"), last("since_previous", of=VISITS, name="vs"),
    transitions(of=VISITS, as_="count", over="7d", name="vt"), mean("duration", of=LATE, over="7d", name="ld"),
]  # fmt: skip

events_near = st.builds(
    lambda number, who, before, wait, tick, amount, items: Event(
        f"{number}", "commerce.purchase", {"customer": who}, NOON - before * HOUR + tick * TICK,
        NOON - before * HOUR + tick * TICK + wait * HOUR, {"amount": amount, "items": items}, "web",
    ),
    st.integers(0, 10**9), st.sampled_from([1, 1, 2]), st.integers(-48, 240), st.integers(0, 72), st.integers(-1, 1),
    st.one_of(st.none(), st.decimals(-1000, 1000, places=2)), st.one_of(st.none(), st.integers(-9, 9)),
)  # fmt: skip
event_lists = st.lists(events_near, max_size=10, unique_by=lambda event: event.event_id)


@st.composite
def corrected_lists(draw: st.DrawFn) -> list[Event]:
    """Events, some of them about others: corrections of what is there, of what is not, and retractions."""
    events = draw(event_lists)
    about = st.sampled_from([*(event.event_id for event in events), "nothing"])
    return [
        dataclasses.replace(event, op=op, target_id=draw(about)) if op != "assert" else event
        for event in events
        for op in [draw(st.sampled_from(["assert", "assert", "correct", "retract"]))]
    ]


freshness = st.sampled_from([("live", "0s"), ("hourly", "0s"), ("daily", "0s"), ("daily", "2h")])


@st.composite
def futures(draw: st.DrawFn) -> tuple[Signal, list[Event], list[Event]]:
    """A signal, events, and more events to add where they could not be known."""
    kind, delay = draw(freshness)
    signal = Signal(
        "s", version=1, entity="customer", of="commerce.purchase", features=FEATURES, freshness=kind, delay=delay
    )
    events = draw(corrected_lists())
    return signal, events, draw(corrected_lists())


def _unknown(event: Event, at: datetime, known: datetime) -> bool:
    return event.occurred_at >= at or event.available_at > known


@settings(max_examples=40)
@given(given_=futures(), amount=st.decimals(-1000, 1000, places=2), drop=st.booleans())
def test_what_is_not_known_yet_never_changes_a_value(engines, given_, amount, drop):
    signal, events, more = given_
    at, known = plan_signal(signal, engines.TAXONOMY).moment(NOON)
    taken = {event.event_id for event in events}
    changed = [
        dataclasses.replace(event, properties={"amount": Decimal(amount), "items": 7})
        if _unknown(event, at, known)
        else event
        for event in events
        if not (drop and _unknown(event, at, known))
    ]
    changed += [event for event in more if _unknown(event, at, known) and event.event_id not in taken]
    assume(changed != events)
    asked = [(1, NOON), (2, NOON)]
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.Duckdb(Path(folder), events_at_once=1_000_000)
        assert repr(engine.features(signal, events, asked)) == repr(engine.features(signal, changed, asked))


@settings(max_examples=40)
@given(events=event_lists, more=event_lists)
def test_what_is_known_does_change_it(engines, events, more):
    """The counterpart: were the property above true of an engine that sees nothing, this one would not be."""
    signal = Signal("s", version=1, entity="customer", of="commerce.purchase", features=[count(name="n")])
    taken = {event.event_id for event in events}
    new = [e for e in more if not _unknown(e, NOON, NOON) and e.event_id not in taken and e.entities["customer"] == 1]
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.Duckdb(Path(folder), events_at_once=1_000_000)
        (before,) = engine.features(signal, events, [(1, NOON)])
        (after,) = engine.features(signal, [*events, *new], [(1, NOON)])
    assert after["n"] == before["n"] + len(new)


@settings(max_examples=40)
@given(events=corrected_lists(), more=corrected_lists())
def test_a_ripe_label_never_changes(engines, events, more):
    """What becomes known after the label was ripe, or happens outside of the horizon, leaves it as it is."""
    outcome = Outcome("o", "customer", absence("commerce.purchase", within="1d"), matures_after="12h")
    ripe = plan_outcome(outcome, engines.TAXONOMY).ripe_at(NOON)
    taken = {event.event_id for event in events}
    late = [
        event
        for event in more
        if event.event_id not in taken
        and event.target_id not in taken
        and (event.available_at > ripe or not NOON <= event.occurred_at < NOON + 24 * HOUR)
    ]
    asked = [(1, NOON), (2, NOON)]
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.Duckdb(Path(folder), events_at_once=1_000_000)
        assert engine.labels(outcome, events, asked) == engine.labels(outcome, [*events, *late], asked)
