from datetime import UTC, datetime, timedelta
from typing import Any

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.seasonal import concentration, seasonal
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


def shares(many: int, **parts: float) -> list[float]:
    """All parts of a cycle, those named as `at3` with a share."""
    return [parts.get(f"at{part}", 0.0) for part in range(many)]


def test_shares_stand_by_hour_from_midnight_and_by_day_from_monday(engine):
    tuesday = [bought(NOON - DAY - 12 * HOUR, id="a"), bought(NOON - 12 * HOUR, id="b"), bought(NOON - TICK, id="c")]
    features = [seasonal("hour_of_day"), seasonal("day_of_week"), seasonal("hour_of_week")]
    third = 1 / 3
    assert values(engine, features, tuesday) == [
        shares(24, at0=2 / 3, at11=third), shares(7, at0=third, at1=2 / 3),
        shares(168, at0=third, at24=third, at35=third),
    ]  # fmt: skip


def test_nobody_has_a_season(engine):
    features = [seasonal("day_of_week"), concentration("day_of_week"), seasonal("hour_of_day", over="1d", name="w")]
    assert values(engine, features, []) == [None, None, None]
    old = [bought(NOON - 3 * DAY)]
    assert values(engine, features, old) == [shares(7, at5=1.0), 1.0, None]


def test_hours_are_those_of_the_clocks_through_changes_of_the_clocks(engine):
    london = seasonal("hour_of_day", timezone="Europe/London")
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)  # 01:00 becomes 02:00
    for at, hour in [(change - TICK, 0), (change, 2), (change + 12 * HOUR, 14)]:
        assert values(engine, [london], [bought(at)], change + DAY) == [shares(24, **{f"at{hour}": 1.0})]
    back = datetime(2026, 10, 25, 1, tzinfo=UTC)  # 02:00 becomes 01:00: that hour is lived twice
    events = [bought(back - HOUR), bought(back - TICK), bought(back), bought(back + HOUR)]
    assert values(engine, [london], events, back + DAY) == [shares(24, at1=0.75, at2=0.25)]


def test_the_day_of_the_week_is_that_of_the_clocks(engine):
    sunday_evening = [bought(datetime(2026, 3, 9, 2, tzinfo=UTC))]
    found = values(engine, [seasonal("day_of_week", timezone="America/New_York"), seasonal("day_of_week", name="utc")],
                   sunday_evening)  # fmt: skip
    assert found == [shares(7, at6=1.0), shares(7, at0=1.0)]
    half = values(
        engine,
        [seasonal("hour_of_week", timezone="Asia/Kathmandu")],
        [bought(datetime(2026, 3, 8, 18, 15, tzinfo=UTC))],
    )
    assert half == [shares(168, at0=1.0)]


def test_concentration_is_one_where_all_keep_to_one_part(engine):
    daily = [bought(NOON - k * DAY - HOUR, id=str(k)) for k in range(7)]
    assert values(engine, [concentration("hour_of_day"), concentration("day_of_week")], daily) == [1.0, 1 / 7]
    two = [bought(NOON - HOUR), bought(NOON - 2 * HOUR), bought(NOON - 2 * HOUR + TICK)]
    assert values(engine, [concentration("hour_of_day")], two) == [(2 * 2 + 1) / 9]


def test_many_events_are_counted_like_few(engine):
    hours = [bought(NOON - k * HOUR, id=str(k)) for k in range(1, 401)]
    whole, week = values(engine, [seasonal("hour_of_day"), seasonal("hour_of_week", over="7d")], hours)
    assert whole == [(17 if hour < 12 or hour >= 20 else 16) / 400 for hour in range(24)]
    assert week == [1 / 168] * 168


def test_a_late_event_has_its_share_once_it_is_known(engine):
    events = [bought(NOON - 25 * HOUR), bought(NOON - 26 * HOUR, known=NOON)]
    assert values(engine, [seasonal("hour_of_day")], events, NOON - TICK) == [shares(24, at11=1.0)]
    assert values(engine, [seasonal("hour_of_day")], events) == [shares(24, at10=0.5, at11=0.5)]
