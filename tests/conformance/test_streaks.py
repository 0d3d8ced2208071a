from datetime import UTC, datetime, timedelta
from typing import Any

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.streaks import streak
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


BOTH = [streak("current"), streak("longest")]


def on(*days: int) -> list[Event]:
    return [bought(NOON - day * DAY, id=str(k)) for k, day in enumerate(days)]


def test_days_in_a_row_are_counted_once_each(engine):
    assert values(engine, BOTH, on(9, 8, 7, 6, 2, 1, 1)) == [2, 4]


def test_today_may_still_come(engine):
    yesterday = on(3, 2, 1)
    assert values(engine, BOTH, yesterday) == [3, 3]
    assert values(engine, BOTH, [*yesterday, bought(NOON - HOUR)]) == [4, 4]
    assert values(engine, BOTH, yesterday, NOON + DAY) == [0, 3]
    midnight = NOON - 12 * HOUR  # yesterday is over, and the day that begins has had nothing yet
    assert values(engine, BOTH, yesterday, midnight) == [3, 3]
    assert values(engine, BOTH, yesterday, midnight + DAY - TICK) == [3, 3]
    assert values(engine, BOTH, yesterday, midnight + DAY) == [0, 3]


def test_nobody_has_a_streak_over_nothing(engine):
    assert values(engine, BOTH, []) == [0, 0]
    assert values(engine, BOTH, on(1)) == [1, 1]


def test_a_day_belongs_to_utc(engine):
    midnight = NOON - 12 * HOUR
    assert values(engine, BOTH, [bought(midnight - TICK), bought(midnight)]) == [2, 2]
    assert values(engine, BOTH, [bought(midnight), bought(midnight + 11 * HOUR)]) == [1, 1]


def test_weeks_run_from_monday_to_sunday_over_new_year_too(engine):
    new_year = datetime(2027, 1, 1, tzinfo=UTC)  # a Friday of week 53
    weekly = [streak("current", period="week"), streak("longest", period="week")]
    events = [
        bought(new_year - 14 * DAY),
        bought(new_year - 5 * DAY),
        bought(new_year - TICK),
        bought(new_year + 3 * DAY),
    ]
    assert values(engine, weekly, events, new_year + 5 * DAY) == [4, 4]
    assert values(engine, weekly, events, new_year + 17 * DAY) == [0, 4]


def test_a_window_cuts_a_streak_off(engine):
    events = on(9, 8, 7, 6, 5, 4, 1)
    features = [streak("longest", over="7d", name="a"), streak("longest", over="30d", name="b"),
                streak("current", over="7d", name="c")]  # fmt: skip
    assert values(engine, features, events) == [4, 6, 1]
    events = on(8, 7, 6, 5, 4, 3, 2, 1)
    assert values(engine, features, events) == [7, 8, 7]


def test_a_late_event_closes_the_gap_once_it_is_known(engine):
    events = [*on(3, 1), bought(NOON - 2 * DAY, known=NOON, id="late")]
    assert values(engine, BOTH, events, NOON - TICK) == [1, 1]
    assert values(engine, BOTH, events) == [3, 3]
