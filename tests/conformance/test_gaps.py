from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from typing import Any

import pytest

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.gaps import MEASURES, gaps
from ethogram.core.signals.declaration import Signal

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


def bought(at: datetime, *, customer: int = 1, known: datetime | None = None, id: str = "", channel: str | None = "web",
           **properties: Any) -> Event:  # fmt: skip
    event_id = id or f"{customer}/{at.isoformat()}/{sorted(properties.items(), key=repr)}"
    return Event(event_id, "commerce.purchase", {"customer": customer}, at, known or at, properties, channel)


def values(engine: Any, features: list[Any], events: list[Event], as_of: datetime = NOON, **settings: Any) -> list[Any]:
    """Of customer 1, in the order of the features."""
    signal = Signal("s", version=1, entity="customer", of="commerce.purchase", features=features, **settings)
    (row,) = engine.features(signal, events, [(1, as_of)])
    return list(row.values())[2:]


def every(*days: float) -> list[Event]:
    return [bought(NOON - timedelta(days=day), id=str(k)) for k, day in enumerate(days)]


def test_each_measure_of_the_gaps(engine):
    events = every(11, 10, 8, 2)  # gaps of 1, 2 and 6 days
    variance = ((1 - 3) ** 2 + (2 - 3) ** 2 + (6 - 3) ** 2) / 2
    expected = {"mean": 3.0, "std": sqrt(variance), "cv": sqrt(variance / 9), "last": 6.0, "min": 1.0, "max": 6.0}
    assert values(engine, [gaps(measure) for measure in MEASURES], events) == [expected[m] for m in MEASURES]


def test_too_few_events_have_no_gaps(engine):
    features = [gaps(measure) for measure in MEASURES]
    assert values(engine, features, []) == [None] * 6
    assert values(engine, features, every(3)) == [None] * 6
    assert values(engine, features, every(3, 1)) == [2.0, None, None, 2.0, 2.0, 2.0]


def test_both_ends_of_a_gap_lie_in_the_window(engine):
    events = every(9, 6, 5, 1)
    assert values(engine, [gaps("max", over="7d", name="a"), gaps("mean", over="7d", name="b")], events) == [4.0, 2.5]
    assert values(engine, [gaps("mean", over="2d", name="c"), gaps("cv", over="5d", name="d")], events) == [None, None]


def test_events_at_one_instant_are_no_time_apart(engine):
    three = [bought(NOON - DAY, id=str(k)) for k in range(3)]
    assert values(engine, [gaps(m) for m in MEASURES], three) == [0.0, 0.0, None, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(("unit", "many"), [("weeks", 1 / 7), ("days", 1), ("hours", 24), ("seconds", 86400)])
def test_gaps_are_measured_in_their_unit(engine, unit, many):
    found = values(engine, [gaps("mean", unit=unit), gaps("std", unit=unit)], every(35, 28, 21))
    assert found == [7 * many, 0.0]


def test_a_late_event_divides_a_gap_once_it_is_known(engine):
    events = [*every(8, 2), bought(NOON - 4 * DAY, known=NOON, id="late")]
    assert values(engine, [gaps("last"), gaps("max")], events, NOON - TICK) == [6.0, 6.0]
    assert values(engine, [gaps("last"), gaps("max")], events) == [2.0, 4.0]


def test_microseconds_over_centuries_lose_no_digit(engine):
    instants = [datetime(1700, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC) + TICK, NOON - TICK]
    events = [bought(at) for at in instants]
    spans = [(later - earlier) // TICK for earlier, later in pairwise(instants)]
    mean = float(Fraction(sum(spans), 2 * 10**6))
    assert values(engine, [gaps("mean", unit="seconds")], events) == [mean]
    double = (spans[0] - spans[1]) ** 2  # twice the variance of two
    expected = [sqrt(double / (2 * 10**12)), sqrt(2 * double / sum(spans) ** 2)]
    assert values(engine, [gaps("std", unit="seconds"), gaps("cv")], events) == expected
