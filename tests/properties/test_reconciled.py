"""What no example can say of channels: the engine equals the reference, where reports come late or are taken back."""

from __future__ import annotations

import itertools
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.basic import count, last, total
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.reconciled import Reconciled

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

instants = st.builds(
    lambda day, minute: NOON - day * 24 * HOUR + minute * MINUTE,
    st.integers(0, 1),
    st.sampled_from([0, 0, 4, 8, 9, 60]),
)
waits = st.sampled_from([0, 0, 1, 2, 30]).map(lambda hours: hours * HOUR)
ops = st.sampled_from([("assert", None)] * 5 + [("correct", "0"), ("retract", "0"), ("retract", "1")])


@st.composite
def reports(draw: st.DrawFn) -> list[Event]:
    ids = itertools.count()
    events = []
    for _ in range(draw(st.integers(0, 12))):
        at, (op, target) = draw(instants), draw(ops)
        who = draw(st.sampled_from([{"customer": 1}, {"customer": 1}, {"customer": 2}, {"visitor": 5}]))
        found = {"items": draw(st.sampled_from([1, 1, 2, None])), "category": draw(st.sampled_from(["a", "a", "b"]))}
        channel = draw(st.sampled_from(["store", "web", "web", "mobile", "phone", None]))
        events.append(Event(f"{next(ids)}", "commerce.purchase", who, at, at + draw(waits), found, channel, op, target))
    if draw(st.booleans()):
        events.append(Event("in", "account.signed_in", {"customer": 1, "visitor": 5}, NOON, NOON + HOUR, {}, "web"))
    return events


signals = st.builds(
    lambda within, match, where, over, freshness: Signal(
        "s", version=1, entity="customer", identity="visitor", freshness=freshness[0], delay=freshness[1],
        of=Reconciled("deals", of="commerce.purchase", priority=["store", "web", "mobile"], within=within, match=match),
        features=[count(name="n", over=over, where=where), total("items", name="t"), last("channel", name="c")],
    ),
    st.sampled_from(["0s", "4m", "5m", "1d"]), st.sampled_from([[], ["items"], ["items", "category"]]),
    st.sampled_from([None, "channel = 'web'"]), st.sampled_from([None, "1d"]),
    st.sampled_from([("live", "0s"), ("daily", "0s"), ("daily", "26h")]),
)  # fmt: skip
observations = st.lists(
    st.tuples(st.sampled_from([1, 1, 2]), st.sampled_from([-24, 0, 1, 2, 24, 48]).map(lambda h: NOON + h * HOUR)),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=40)
@given(signal=signals, events=reports(), asked=observations)
def test_the_engine_reconciles_as_the_reference_does(engines, signal, events, asked):
    with tempfile.TemporaryDirectory() as folder:
        engines.assert_same(Path(folder), signal, events, asked)
