from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.decay import HALVINGS, decay
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


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=0)


def test_an_event_counts_for_half_after_a_half_life(engine):
    events = [bought(NOON - 7 * DAY, amount=Decimal(40)), bought(NOON - 14 * DAY, amount=Decimal(100))]
    features = [decay(half_life="7d"), decay("amount", half_life="7d"), decay(half_life="7d", over="10d", name="w")]
    assert values(engine, features, events) == [near(0.75), near(45.0), near(0.5)]


def test_nothing_decays_to_nothing(engine):
    features = [decay(half_life="7d"), decay("amount", half_life="7d"), decay(half_life="7d", over="1d", name="w")]
    assert list(map(repr, values(engine, features, []))) == ["0.0"] * 3
    assert values(engine, features, [bought(NOON - 7 * DAY, amount=None)]) == [near(0.5), 0.0, 0.0]


def test_years_of_a_short_half_life_neither_overflow_nor_drown_what_is_new(engine):
    old = [bought(NOON - k * 400 * DAY, id=f"old{k}", amount=Decimal("999999999999")) for k in range(1, 25)]
    assert values(engine, [decay("amount", half_life="1h")], old) == [0.0]
    assert values(
        engine, [decay("amount", half_life="1h")], [*old, bought(NOON - HOUR, amount=Decimal("0.000002"))]
    ) == [near(0.000001)]
    hour_by_hour = [bought(NOON - k * HOUR, id=str(k)) for k in range(1, 300)]
    assert values(engine, [decay(half_life="1h")], hour_by_hour) == [near(1.0)]
    # In a window after a great deal nothing of it is left over, not even the error of having subtracted it.
    great = [
        bought(NOON - 3 * DAY, id="great", amount=Decimal("999999999999")),
        bought(NOON - HOUR, amount=Decimal("0.000002")),
    ]
    assert values(engine, [decay("amount", half_life="1h", over="2d")], great) == [near(0.000001)]


def test_what_is_older_than_two_hundred_half_lives_counts_for_nothing(engine):
    edge = NOON - HALVINGS * HOUR
    assert values(engine, [decay(half_life="1h")], [bought(edge)]) == [near(2.0**-200)]
    assert values(engine, [decay(half_life="1h")], [bought(edge - TICK)]) == [0.0]


def test_a_long_half_life_is_a_count(engine):
    events = [bought(NOON - k * DAY, id=str(k), items=k) for k in range(1, 40)]
    assert values(engine, [decay(half_life="36500d"), decay("items", half_life="36500d")], events) == [
        pytest.approx(39, rel=1e-3), pytest.approx(780, rel=1e-3)
    ]  # fmt: skip


def test_amounts_of_both_signs_are_right_to_what_was_added_up(engine):
    events = [bought(NOON - k * DAY, id=str(k), amount=Decimal(1000 if k % 2 else -1000)) for k in range(1, 20)]
    exact = sum((1000 if k % 2 else -1000) * 2 ** (-k / 5) for k in range(1, 20))
    assert values(engine, [decay("amount", half_life="5d")], events) == [pytest.approx(exact, abs=1e-9 * 19_000)]


def test_a_late_event_counts_from_when_it_is_known_by_its_own_age(engine):
    late = bought(NOON - 7 * DAY, known=NOON)
    assert values(engine, [decay(half_life="7d")], [late], NOON - TICK) == [0.0]
    assert values(engine, [decay(half_life="7d")], [late]) == [near(0.5)]
