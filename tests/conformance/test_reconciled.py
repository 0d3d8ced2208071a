"""One happening that several channels report, counted once, on every engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.basic import count, last, recency, total
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.reconciled import Reconciled

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR, MINUTE, TICK = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(microseconds=1)
PURCHASES = Reconciled(
    "deals", of="commerce.purchase", priority=["store", "web", "mobile"], within="10m", match=["amount"]
)


def seen(channel: str | None, at: datetime, amount: Any = 10, *, customer: int = 1, known: datetime | None = None,
         id: str = "", behavior: str = "commerce.purchase", op: str = "assert", about: str | None = None,
         **properties: Any) -> Event:  # fmt: skip
    found = {"amount": None if amount is None else Decimal(amount), **properties}
    event_id = id or f"{channel}/{at}/{amount}"
    return Event(event_id, behavior, {"customer": customer}, at, known or at, found, channel, op, about)


def signal(*features: Any, of: Reconciled = PURCHASES, **settings: Any) -> Signal:
    return Signal("s", version=1, entity="customer", of=of, features=list(features), **settings)


def counts(engine: Any, events: list[Event], asked: list[tuple[int, datetime]], **settings: Any) -> list[int]:
    return [row["n"] for row in engine.features(signal(count(name="n"), **settings), events, asked)]


def test_what_two_channels_saw_counts_once_and_the_first_one_is_believed(engine):
    at = NOON - DAY
    events = [seen("web", at), seen("store", at + 3 * MINUTE), seen("mobile", at - 2 * MINUTE)]
    declared = signal(count(name="n"), total("amount", name="t"), last("channel", name="c"), recency())
    (row,) = engine.features(declared, events, [(1, NOON)])
    assert list(row.values())[2:] == [1, Decimal(10), "store", (DAY - 3 * MINUTE) / DAY]


def test_the_tolerance_is_inclusive_on_both_sides(engine):
    at = NOON - DAY
    for apart, together in [(10 * MINUTE, 1), (10 * MINUTE + TICK, 2), (-10 * MINUTE, 1), (-10 * MINUTE - TICK, 2)]:
        assert counts(engine, [seen("store", at), seen("web", at + apart)], [(1, NOON)]) == [together]


def test_other_values_other_entities_and_a_missing_value_are_other_happenings(engine):
    at = NOON - DAY
    events = [seen("store", at), seen("web", at, 11), seen("web", at, customer=2), seen("web", at, None)]
    assert counts(engine, events, [(1, NOON), (2, NOON)]) == [3, 1]
    assert counts(engine, [seen("store", at, None), seen("web", at, None)], [(1, NOON)]) == [2]


def test_one_channel_that_saw_it_twice_saw_two(engine):
    at = NOON - DAY
    events = [seen("store", at, id="a"), seen("store", at + MINUTE, id="b"), seen("web", at, id="c")]
    assert counts(engine, events, [(1, NOON)]) == [2]


def test_channels_that_are_not_listed_count_as_they_are_and_hide_nothing(engine):
    at = NOON - DAY
    events = [seen("phone", at), seen(None, at), seen("web", at), seen("phone", at + MINUTE)]
    assert counts(engine, events, [(1, NOON)]) == [4]


def test_a_chain_of_channels_is_one_happening(engine):
    at = NOON - DAY
    events = [seen("store", at), seen("web", at + 8 * MINUTE), seen("mobile", at + 16 * MINUTE)]
    assert counts(engine, events, [(1, NOON)]) == [1]


def test_the_lower_channel_counts_until_the_higher_one_is_known(engine):
    at = NOON - DAY
    events = [seen("web", at, items=1), seen("store", at, known=NOON, items=2)]
    declared = signal(count(name="n"), total("items", name="t"))
    rows = engine.features(declared, events, [(1, NOON - HOUR), (1, NOON - TICK), (1, NOON), (1, NOON + DAY)])
    assert [(row["n"], row["t"]) for row in rows] == [(1, 1), (1, 1), (1, 2), (1, 2)]


def test_the_lower_channel_counts_again_once_the_higher_one_is_retracted(engine):
    at = NOON - 5 * DAY
    events = [
        seen("web", at, items=1, id="w"),
        seen("store", at, known=NOON - 4 * DAY, items=2, id="s"),
        seen("store", at, known=NOON - 2 * DAY, id="r", op="retract", about="s"),
        seen("mobile", at + MINUTE, items=4, id="m"),
        seen("web", at, known=NOON, id="x", op="retract", about="w"),
    ]
    rows = engine.features(
        signal(total("items", name="t"), last("items", name="l")), events,
        [(1, NOON + k * DAY + HOUR) for k in (-5, -4, -2, 0)],
    )  # fmt: skip
    assert [(row["t"], row["l"]) for row in rows] == [(1, 1), (2, 2), (1, 1), (4, 4)]


def test_a_filter_asks_of_what_is_left(engine):
    at = NOON - DAY
    events = [seen("web", at), seen("store", at), seen("web", at - HOUR)]
    rows = engine.features(signal(count(where="channel = 'web'", name="n")), events, [(1, NOON)])
    assert [row["n"] for row in rows] == [1]


def test_an_event_just_before_the_window_hides_what_is_just_inside(engine):
    edge = NOON - 7 * DAY
    events = [seen("store", edge - MINUTE), seen("web", edge + MINUTE)]
    rows = engine.features(signal(count(over="7d", name="n")), events, [(1, NOON)])
    assert [row["n"] for row in rows] == [0]


def test_behaviors_can_be_the_channels(engine):
    book = Reconciled(
        "deals", of=["commerce.purchase", "commerce.refund"], by="behavior", within="2m",
        priority=["commerce.refund", "commerce.purchase"], match=["amount"],
    )  # fmt: skip
    at = NOON - DAY
    events = [seen("web", at), seen("web", at + MINUTE, behavior="commerce.refund"), seen("web", at, 7)]
    declared = signal(count(), total("amount", name="t"), last("behavior", name="b"), of=book)
    (row,) = engine.features(declared, events, [(1, NOON)])
    assert list(row.items())[2:] == [("deals", 2), ("t", Decimal(17)), ("b", "commerce.refund")]


def test_daily_values_tell_channels_apart_as_known_at_the_boundary(engine):
    day = NOON - 12 * HOUR
    events = [seen("web", day - HOUR, items=1), seen("store", day - HOUR, known=day + HOUR, items=2)]
    for delay, found in [("0s", 1), ("2h", 2)]:
        declared = signal(total("items", name="t"), freshness="daily", delay=delay)
        assert [row["t"] for row in engine.features(declared, events, [(1, day + 3 * HOUR)])] == [found]
