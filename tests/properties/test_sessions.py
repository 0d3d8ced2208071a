"""Sessions and sequences on random events: the engine equals the reference, and the naive rule counts the same."""

from __future__ import annotations

import itertools
import random
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.basic import count, first, last, maximum, mean, recency, total
from ethogram.core.signals.aggregates.ratios import ratio
from ethogram.core.signals.aggregates.sequences import (
    funnel,
    ngrams,
    sequence,
    sequence_gaps,
    time_since_each,
    transitions,
)
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.kernel import sequences, sessions
from ethogram.core.signals.reference.seen import counted, in_order
from ethogram.core.signals.reference.sessions import sessions_of
from ethogram.core.signals.reference.standing import standing
from ethogram.core.signals.sessions import Sessions, plan_sessions

START = datetime(2026, 3, 28, tzinfo=UTC)  # clocks in Europe change the next night
MINUTE, TICK = timedelta(minutes=1), timedelta(microseconds=1)
BOUGHT, BACK = "commerce.purchase", "commerce.refund"

# Every ten minutes for two days: pauses of exactly the gap, ties and midnights happen all the time.
instants = st.builds(
    lambda tens, ticks: START + tens * 10 * MINUTE + ticks * TICK, st.integers(0, 290), st.sampled_from([0, 0, 0, -1])
)
waits = st.sampled_from([0, 0, 0, 0, 20, 60, 600]).map(lambda minutes: minutes * MINUTE)


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    ids = itertools.count()
    events = []
    for at, wait, who, again in draw(
        st.lists(st.tuples(instants, waits, st.sampled_from([1, 1, 2]), st.integers(1, 4)), max_size=8)
    ):
        for k in range(again):
            behavior = draw(st.sampled_from([BOUGHT, BACK]))
            properties: dict[str, Any] = {"amount": Decimal(draw(st.integers(0, 2)))}
            if behavior == BOUGHT:
                properties["category"] = draw(st.sampled_from([None, "a", "ü"]))
            channel = draw(st.sampled_from(["web", "store", None]))
            occurred = at + k * 10 * MINUTE
            events.append(
                Event(str(next(ids)), behavior, {"customer": who}, occurred, occurred + wait, properties, channel)
            )
    return events


observation_lists = st.lists(st.tuples(st.sampled_from([1, 1, 2, 7, None]), instants), min_size=1, max_size=8)
cuts = st.sampled_from(
    [{}, {}, {"cut": "midnight", "timezone": "Europe/London"}, {"cut": "campaign", "campaign": "category"}]
)


@st.composite
def declared_sessions(draw: st.DrawFn) -> Sessions:
    return Sessions(
        "visits", entity="customer", of="commerce.*", gap=draw(st.sampled_from(["30m", "30m", "10m", "1h"])),
        max_length=draw(st.sampled_from([None, "1h"])), late=draw(st.sampled_from([None, None, "30m"])),
        where=draw(st.sampled_from([None, None, "amount > 0"])), **draw(cuts),
    )  # fmt: skip


_OVER = st.sampled_from([None, "12h", "1d"])
_WHERE = st.sampled_from(
    [None, None, f"reached('{BACK}') and events > 1", "duration > 600 or open", f"entry = '{BACK}' or channel = 'web'",
     "since_previous is null", f"steps('{BOUGHT}', '{BACK}') >= 1"]
)  # fmt: skip


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    features = []
    for number in range(draw(st.integers(1, 5))):
        given_ = {"over": draw(_OVER), "where": draw(_WHERE), "name": f"f{number}"}
        kind = draw(
            st.sampled_from([count, total, mean, maximum, first, last, last, recency, ratio, transitions, sequence])
        )
        if kind in (total, mean):
            numbers = ["duration", "events", "behaviors", "since_previous", f"steps('{BOUGHT}', '{BACK}', '{BOUGHT}')"]
            features.append(kind(draw(st.sampled_from(numbers)), **given_))
        elif kind is maximum:
            features.append(kind(draw(st.sampled_from(["duration", "ended_at", "occurred_at"])), **given_))
        elif kind in (first, last):
            texts = ["entry", "exit", "channel", "open", "events", f"reached('{BACK}')", "since_previous"]
            features.append(kind(draw(st.sampled_from(texts)), **given_))
        elif kind is transitions:
            features.append(draw(st.sampled_from([
                transitions(as_="count", **given_), transitions(3, top=2, **given_), ngrams(2, **given_),
            ])))  # fmt: skip
        elif kind is sequence:
            features.append(draw(st.sampled_from([
                sequence(2, property="exit", **given_), sequence_gaps(2, property="entry", **given_),
                time_since_each(property="exit", **given_),
            ])))  # fmt: skip
        elif kind is ratio:
            features.append(ratio("duration", "events", **given_))
        elif kind is count:
            features.append(count(**given_, by=draw(st.sampled_from([None, "entry", "channel"]))))
        else:
            features.append(kind(**given_))
    freshness = draw(st.sampled_from([("live", "0s"), ("live", "0s"), ("hourly", "0s"), ("daily", "2h")]))
    return Signal("s", version=1, entity="customer", of=draw(declared_sessions()), features=features,
                  freshness=freshness[0], delay=freshness[1])  # fmt: skip


@settings(max_examples=40)
@given(signal=signals(), events=event_lists(), observations=observation_lists)
def test_sessions_equal_the_reference_to_the_bit(engines, signal, events, observations):
    with tempfile.TemporaryDirectory() as folder:
        engines.assert_same(Path(folder), signal, events, observations)


@st.composite
def sequence_signals(draw: st.DrawFn) -> Signal:
    features = []
    for number in range(draw(st.integers(1, 4))):
        given_ = {"over": draw(_OVER), "where": draw(st.sampled_from([None, "amount > 0"])), "name": f"f{number}"}
        if draw(st.booleans()):
            given_ |= {"of": BOUGHT, "property": "category"}
        k = draw(st.integers(2, 4))
        features.append(draw(st.sampled_from([
            sequence(k, **given_), sequence_gaps(k, **given_), ngrams(k - 1, top=k, **given_),
            transitions(k, **given_), transitions(2, as_="count", top=1, **given_), time_since_each(**given_),
            funnel([BOUGHT, BACK, BACK], over=given_["over"], name=f"f{number}"),
        ])))  # fmt: skip
    return Signal("s", version=1, entity="customer", of="commerce.*", features=features)


@settings(max_examples=40)
@given(signal=sequence_signals(), events=event_lists(), observations=observation_lists)
def test_sequences_equal_the_reference_to_the_bit(engines, signal, events, observations):
    with tempfile.TemporaryDirectory() as folder:
        engines.assert_same(Path(folder), signal, events, observations)


@settings(max_examples=20)
@given(signal=st.one_of(signals(), sequence_signals()), events=event_lists(), observations=observation_lists)
def test_a_little_at_a_time_gives_the_same(engines, signal, events, observations):
    few_rows, few_pairs = patch.object(sessions, "COPIED_AT_ONCE", 2), patch.object(sequences, "PAIRS_AT_ONCE", 2)
    with tempfile.TemporaryDirectory() as folder, few_rows, few_pairs:
        engines.assert_same(Path(folder), signal, events, observations)


def _thirty_minutes(instants: list[datetime]) -> list[list[datetime]]:
    """The rule as it is written everywhere: half an hour of nothing ends a session."""
    found: list[list[datetime]] = []
    for at in sorted(instants):
        if found and at - found[-1][-1] < timedelta(minutes=30):
            found[-1].append(at)
        else:
            found.append([at])
    return found


@pytest.mark.parametrize("whole_days", [True, False], ids=["clicks by the day, as OULAD's", "made web events"])
def test_the_table_of_sessions_is_the_thirty_minute_rule(engines, tmp_path, whole_days):
    random_ = random.Random(7)
    events = []
    for number in range(3_000):
        at = START + (
            timedelta(days=random_.randrange(60)) if whole_days else timedelta(seconds=random_.randrange(60 * 3_600))
        )
        who = int(random_.paretovariate(1.0)) % 40 + 1
        events.append(Event(str(number), random_.choice([BOUGHT, BACK]), {"customer": who}, at, at, {}, "web"))
    plan = plan_sessions(Sessions("visits", entity="customer", of="commerce.*"), engines.TAXONOMY)
    expected = []
    for who in sorted({event.entities["customer"] for event in events}):
        for session in _thirty_minutes([event.occurred_at for event in events if event.entities["customer"] == who]):
            duration = Decimal(int((session[-1] - session[0]).total_seconds())).quantize(Decimal("0.000001"))
            expected.append((who, session[0], session[-1], len(session), duration))
    written = engines.write_events(tmp_path, events)
    for at_once in (1_000_000, 100):
        table = engines.Duckdb(tmp_path, events_at_once=at_once).engine.sessions(plan, written)
        rows = table.to_pylist()
        names = ("entity", "started_at", "ended_at", "events", "duration_s")
        assert [tuple(row[name] for name in names) for row in rows] == expected
        assert len({row["session_id"] for row in rows}) == len(rows)
        for before, row in itertools.pairwise(rows):
            same = before["entity"] == row["entity"]
            assert row["previous_id"] == (before["session_id"] if same else None)


@settings(max_examples=25)
@given(declared=declared_sessions(), events=event_lists(), at=st.one_of(st.none(), instants), some=st.booleans())
def test_the_table_holds_the_sessions_of_the_reference_as_known_at_the_instant(engines, declared, events, at, some):
    plan = plan_sessions(declared, engines.TAXONOMY)
    visible = standing([e for e in events if at is None or (e.occurred_at < at and e.available_at <= at)])
    expected = []
    for who in [1] if some else [1, 2]:
        mine = sorted(
            counted([e for e in visible if e.entities["customer"] == who], plan.behaviors, plan.where), key=in_order
        )
        expected += [
            (who, s[0].occurred_at, s[-1].occurred_at, len(s), s[0].behavior, s[-1].behavior)
            for s in sessions_of(plan, mine)
        ]
    with tempfile.TemporaryDirectory() as folder:
        written = engines.write_events(Path(folder), events)
        for at_once in (1_000_000, 1):
            engine = engines.Duckdb(Path(folder), events_at_once=at_once).engine
            rows = engine.sessions(plan, written, [1, 7] if some else None, at=at).to_pylist()
            names = ("entity", "started_at", "ended_at", "events", "entry", "exit")
            assert [tuple(row[name] for name in names) for row in rows] == expected
            assert len({row["session_id"] for row in rows}) == len(rows)
