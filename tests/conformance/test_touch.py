from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.touch import first_touch, last_touch, since_first
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


def test_the_first_and_the_last_channel(engine):
    events = [bought(NOON - 9 * DAY, channel="mail"), bought(NOON - 3 * DAY, channel="store"), bought(NOON - DAY)]
    features = [first_touch(), last_touch(), first_touch(over="7d"), since_first(), since_first(over="7d")]
    assert values(engine, features, events) == ["mail", "web", "store", 9.0, 3.0]


def test_touches_look_on_where_nothing_is_known(engine):
    events = [
        bought(NOON - 5 * DAY, channel=None), bought(NOON - 4 * DAY, channel="store", items=4),
        bought(NOON - 2 * DAY, channel="mail", amount=Decimal("2.5"), category="𝕏"), bought(NOON - DAY, channel=None),
    ]  # fmt: skip
    features = [first_touch(), last_touch(), first_touch("category"), last_touch("items"), last_touch("amount"),
                since_first()]  # fmt: skip
    assert values(engine, features, events) == ["store", "mail", "𝕏", 4, Decimal("2.500000"), 5.0]


def test_nobody_was_touched(engine):
    features = [first_touch(), last_touch(), since_first(), first_touch("items"), last_touch("items", over="7d")]
    assert values(engine, features, []) == [None] * 5
    assert values(engine, features, [bought(NOON - 8 * DAY, channel=None)]) == [None, None, 8.0, None, None]


def test_at_a_tie_the_first_is_the_first_known_and_the_last_the_greatest_id(engine):
    at = NOON - DAY
    tied = [
        bought(at, id="b", channel="b"),
        bought(at, id="c", channel="c"),
        bought(at, id="a", channel="a", known=at + HOUR),
    ]
    assert values(engine, [first_touch(), last_touch()], tied, at + HOUR / 2) == ["b", "c"]
    assert values(engine, [first_touch(), last_touch()], tied) == ["b", "a"]


def test_an_earlier_touch_that_becomes_known_is_the_first_from_then_on(engine):
    events = [bought(NOON - DAY, channel="web"), bought(NOON - 2 * DAY, channel="mail", known=NOON)]
    assert values(engine, [first_touch(), last_touch()], events, NOON - TICK) == ["web", "web"]
    assert values(engine, [first_touch(), last_touch()], events) == ["mail", "web"]
