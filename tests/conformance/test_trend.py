from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.trend import change, slope
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.numbers import Overflow

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


def weekly(*counts: int) -> list[Event]:
    """So many events in each week, the last week ending now."""
    weeks = len(counts)
    return [
        bought(NOON - (weeks - week) * 7 * DAY + k * HOUR, id=f"{week}/{k}", amount=Decimal(10), items=1)
        for week, count in enumerate(counts)
        for k in range(count)
    ]


def test_the_slope_is_the_rise_from_step_to_step(engine):
    both = [slope(every="7d", over="28d"), slope("amount", every="7d", over="28d")]
    assert values(engine, both, weekly(1, 2, 3, 4)) == [1.0, 10.0]
    assert values(engine, both, weekly(4, 3, 2, 1)) == [-1.0, -10.0]
    assert values(engine, both, weekly(2, 2, 2, 2)) == [0.0, 0.0]
    # x = -1.5, -0.5, 0.5, 1.5: (0.5 * 1 + 1.5 * 4) / 5
    assert values(engine, both, weekly(0, 0, 1, 4)) == [1.3, 13.0]
    assert values(engine, [slope(every="14d", over="28d")], weekly(1, 2, 3, 5)) == [5.0]


def test_nothing_has_no_slope_and_no_change(engine):
    features = [slope(every="7d", over="28d"), slope("amount", every="7d", over="28d"), change(over="28d"),
                change("amount", over="28d"), change("items", over="28d"), change(over="28d", by="ratio")]  # fmt: skip
    assert list(map(repr, values(engine, features, []))) == ["0.0", "0.0", "0", "Decimal('0.000000')", "0", "None"]
    assert values(engine, features, weekly(1)) == [0.3, 3.0, 1, Decimal(10), 1, None]


def test_steps_stand_on_the_hop_and_the_newest_reaches_to_the_instant(engine):
    # 24 h step by 2 h hops of an hour: at half past, steps begin on the hour and the newest has half an hour more.
    at = NOON + HOUR / 2
    feature = slope(every="12h", over="24h")
    assert values(engine, [feature], [bought(NOON - 12 * HOUR)], at) == [1.0]
    assert values(engine, [feature], [bought(NOON - 12 * HOUR - TICK)], at) == [-1.0]
    assert values(engine, [feature], [bought(NOON - 24 * HOUR)], at) == [-1.0]
    assert values(engine, [feature], [bought(NOON - 24 * HOUR - TICK)], at) == [0.0]
    assert values(engine, [feature], [bought(at - TICK)], at) == [1.0]
    exact = bought(at - 12 * HOUR - TICK)
    assert values(engine, [feature], [exact], at) == [1.0]
    assert values(engine, [feature], [exact], at, hop=None) == [-1.0]


def test_a_change_is_against_the_window_before(engine):
    both = [change(over="7d"), change(over="7d", by="ratio"), change("amount", over="7d"),
            change("amount", over="7d", by="ratio")]  # fmt: skip
    assert values(engine, both, weekly(9, 4, 3)) == [-1, 0.75, Decimal(-10), 0.75]
    assert values(engine, both, weekly(9, 0, 3)) == [3, None, Decimal(30), None]
    assert list(map(repr, values(engine, both, weekly(9, 4, 0)))) == ["-4", "0.0", "Decimal('-40.000000')", "0.0"]


def test_the_window_before_ends_where_this_one_begins(engine):
    at = NOON + HOUR / 2  # 7 d step by the hour
    for edge, expected in [(7 * DAY, 1), (7 * DAY + TICK, -1), (14 * DAY, -1), (14 * DAY + TICK, 0)]:
        assert values(engine, [change(over="7d")], [bought(NOON - edge)], at) == [expected]


def test_an_event_that_came_late_counts_in_the_window_before(engine):
    late = bought(NOON - 10 * DAY, known=NOON)
    assert values(engine, [change(over="7d")], [late, bought(NOON - DAY)], NOON - TICK) == [1]
    assert values(engine, [change(over="7d")], [late, bought(NOON - DAY)]) == [0]


def test_trends_of_the_largest_amounts_are_exact(engine):
    most = Decimal("999999999999.999999")
    events = [bought(NOON - day * DAY, id=str(day), amount=most if day <= 7 else -most) for day in range(1, 14)]
    found = values(engine, [change("amount", over="7d"), slope("amount", every="7d", over="14d")], events)
    assert found == [most * 13, float(most * 13)]


def test_a_change_beyond_64_bits_is_an_error(engine):
    events = [bought(NOON - DAY, items=2**62), bought(NOON - 8 * DAY, items=-(2**62))]
    assert values(engine, [change("items", over="7d", by="ratio")], events) == [-1.0]
    with pytest.raises(Overflow):
        values(engine, [change("items", over="7d")], events)
