"""Repeats, gaps, streaks, trends, decay, seasons and touches: the engine equals the reference, whatever happened."""

from __future__ import annotations

import itertools
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.core import time
from ethogram.core.events import Event
from ethogram.core.signals.aggregates.decay import decay
from ethogram.core.signals.aggregates.gaps import MEASURES, gaps
from ethogram.core.signals.aggregates.rfm import active_span, frequency, monetary, tenure
from ethogram.core.signals.aggregates.seasonal import concentration, seasonal
from ethogram.core.signals.aggregates.streaks import streak
from ethogram.core.signals.aggregates.touch import first_touch, last_touch, since_first
from ethogram.core.signals.aggregates.trend import change, slope
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.kernel.seasonal import offsets

START = datetime(2026, 3, 22, tzinfo=UTC)  # a Sunday; Europe's clocks change a week later
HOUR = timedelta(hours=1)
ZONES = ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]

# Days in a row, the same instants again and again, and now and then something that is no whole second.
instants = st.builds(
    lambda days, hours, tick: START + timedelta(days=days, hours=hours, microseconds=tick),
    st.integers(-30, 30),
    st.sampled_from([0, 0, 1, 12, 23]),
    st.sampled_from([0, 0, 0, 1, 999_999]),
)
waits = st.one_of(st.just(timedelta(0)), st.just(timedelta(0)), st.integers(0, 30 * 24).map(lambda n: n * HOUR))
properties = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.one_of(st.none(), st.decimals(-(10**12) + 1, 10**12 - 1, places=6)),
        "items": st.one_of(st.none(), st.integers(-(2**58), 2**58)),
        "weight": st.decimals(-(10**9) + 1, 10**9 - 1, places=9),
        "category": st.one_of(st.none(), st.sampled_from(["a", "é", "𝕏", ""])),
    },
)


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    ids = itertools.count()
    events = []
    for _ in range(draw(st.integers(0, 16))):
        at, found = draw(instants), draw(properties)
        entities = draw(st.sampled_from([{"customer": 1}, {"customer": 1}, {"customer": 2}]))
        channel = draw(st.sampled_from(["web", "store", None]))
        events.append(Event(f"{next(ids)}", "commerce.purchase", entities, at, at + draw(waits), found, channel))
    return events


observation_lists = st.lists(st.tuples(st.sampled_from([1, 1, 2, 7, None]), instants), max_size=8)
_UNITS = st.sampled_from(["weeks", "days", "hours", "minutes", "seconds"])
_PERIODS = st.sampled_from(["day", "week"])
_AMOUNTS = st.sampled_from(["amount", "items", "weight"])


@st.composite
def features(draw: st.DrawFn, number: int) -> Any:
    kind = draw(st.sampled_from([frequency, active_span, tenure, monetary, gaps, streak, slope, change, decay, seasonal,
                                 concentration, first_touch, last_touch, since_first]))  # fmt: skip
    given: dict[str, Any] = {
        "name": f"f{number}",
        "where": draw(st.sampled_from([None, None, "channel = 'web'", "amount > 0"])),
        "over": draw(st.sampled_from([None, "1d", "14d", "30d"])),
    }
    what: list[Any] = []
    if kind in (frequency, monetary, streak):
        given["period"] = draw(_PERIODS)
    if kind in (active_span, tenure, since_first):
        given["unit"] = draw(_UNITS)
    if kind is tenure:
        del given["over"]
    if kind is monetary:
        what = [draw(_AMOUNTS)]
    if kind is gaps:
        what = [draw(st.sampled_from(list(MEASURES)))]
        given["unit"] = None if what == ["cv"] else draw(_UNITS)
    if kind is streak:
        what = [draw(st.sampled_from(["current", "longest"]))]
    if kind in (slope, change):
        what = [draw(st.sampled_from([None, "amount", "items", "weight"]))]
        given["over"] = draw(st.sampled_from(["14d", "28d"]))
    if kind is slope:
        given["every"] = draw(st.sampled_from(["1d", "7d"]))
    if kind is change:
        given["by"] = draw(st.sampled_from(["difference", "ratio"]))
    if kind is decay:
        given |= {"half_life": draw(st.sampled_from(["1h", "3d", "400d"]))}
        if draw(st.booleans()):  # what cancels has no relative error to speak of
            what, given["where"] = ["amount"], "amount > 0"
    if kind in (seasonal, concentration):
        what = [draw(st.sampled_from(["hour_of_day", "day_of_week", "hour_of_week"]))]
        given["timezone"] = draw(st.sampled_from(ZONES))
    if kind in (first_touch, last_touch):
        what = [draw(st.sampled_from(["channel", "category", "amount", "items"]))]
    return kind(*what, **given)


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    declared = [draw(features(number)) for number in range(draw(st.integers(1, 5)))]
    freshness = draw(st.sampled_from(["live", "live", "daily"]))
    delay = "0s" if freshness == "live" else draw(st.sampled_from(["0s", "36h"]))
    hop = draw(st.sampled_from(["auto", "auto", None, "5m"]))
    return Signal("s", version=1, entity="customer", of="commerce.purchase", features=declared,
                  freshness=freshness, delay=delay, hop=hop)  # fmt: skip


@settings(max_examples=40)
@given(signal=signals(), events=event_lists(), observations=observation_lists)
def test_the_engine_equals_the_reference(engines, signal, events, observations):
    with tempfile.TemporaryDirectory() as folder:
        engines.assert_same(Path(folder), signal, events, observations)


@settings(max_examples=15)
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


@settings(max_examples=40)
@given(
    zone=st.sampled_from([*ZONES, "America/Sao_Paulo", "Africa/Casablanca", "Europe/Dublin", "Pacific/Apia"]),
    near=st.lists(st.datetimes(datetime(1880, 1, 1), datetime(2060, 1, 1)), min_size=1, max_size=20),
)
def test_clocks_are_ahead_as_the_zone_says_at_every_instant(zone, near):
    there = ZoneInfo(zone)
    instants = [each.replace(tzinfo=UTC) for each in near]
    found = offsets(np.array([time.micros(each) for each in instants]), zone)
    assert found.tolist() == [each.astimezone(there).utcoffset() // time.MICROSECOND for each in instants]


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_clocks_change_at_the_very_microsecond(zone):
    there = ZoneInfo(zone)
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + k * HOUR / 2 for k in range(2 * 24 * 365)]
    changes = [
        b for a, b in itertools.pairwise(hours) if a.astimezone(there).utcoffset() != b.astimezone(there).utcoffset()
    ]
    around = [change + tick * time.MICROSECOND for change in changes for tick in (-1, 0, 1)]
    assert len(changes) == 2
    found = offsets(np.array([time.micros(each) for each in around]), zone)
    assert found.tolist() == [each.astimezone(there).utcoffset() // time.MICROSECOND for each in around]
