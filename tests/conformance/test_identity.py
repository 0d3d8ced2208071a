"""Events of a visitor who turned out to be a customer, on every engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.basic import count, last, total
from ethogram.core.signals.declaration import Signal

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


def bought(id: str, at: datetime, *, visitor: int | None = None, customer: int | None = None,
           known: datetime | None = None, **properties: Any) -> Event:  # fmt: skip
    named = {"visitor": visitor, "customer": customer}
    entities = {name: id for name, id in named.items() if id is not None}
    return Event(id, "commerce.purchase", entities, at, known or at, properties, "web")


def signed_in(id: str, at: datetime, visitor: int, customer: int | None, *, known: datetime | None = None,
              op: str = "assert", about: str | None = None) -> Event:  # fmt: skip
    entities = {"visitor": visitor} | ({} if customer is None else {"customer": customer})
    return Event(id, "account.signed_in", entities, at, known or at, {}, "web", op, about)


def signal(*features: Any, identity: str | None = "visitor", **settings: Any) -> Signal:
    return Signal("s", version=1, entity="customer", of="commerce.purchase", features=list(features), identity=identity,
                  **settings)  # fmt: skip


def counts(engine: Any, events: list[Event], asked: list[tuple[int, datetime]], **settings: Any) -> list[int]:
    return [row["n"] for row in engine.features(signal(count(name="n"), **settings), events, asked)]


def test_what_a_visitor_did_counts_for_the_customer_from_the_sign_in_on_and_not_before(engine):
    events = [bought("a", NOON - 3 * DAY, visitor=5), signed_in("l", NOON, 5, 1), bought("b", NOON + DAY, visitor=5)]
    asked = [(1, NOON - DAY), (1, NOON), (1, NOON + TICK), (1, NOON + 2 * DAY), (2, NOON + 2 * DAY)]
    assert counts(engine, events, asked) == [0, 0, 1, 2, 0]


def test_a_signal_that_does_not_follow_the_identity_counts_what_names_the_customer(engine):
    events = [bought("a", NOON - 3 * DAY, visitor=5), signed_in("l", NOON - DAY, 5, 1), bought("b", NOON, customer=1)]
    assert counts(engine, events, [(1, NOON + DAY)], identity=None) == [1]
    assert counts(engine, events, [(1, NOON + DAY)]) == [2]


def test_a_link_counts_from_when_it_is_known(engine):
    events = [bought("a", NOON - 3 * DAY, visitor=5), signed_in("l", NOON - 2 * DAY, 5, 1, known=NOON)]
    assert counts(engine, events, [(1, NOON - DAY), (1, NOON - TICK), (1, NOON)]) == [0, 0, 1]


def test_an_event_that_names_a_customer_is_theirs_whatever_links_say(engine):
    events = [signed_in("l", NOON - 3 * DAY, 5, 1), bought("a", NOON - 2 * DAY, visitor=5, customer=2)]
    assert counts(engine, events, [(1, NOON), (2, NOON)]) == [0, 1]


def test_on_a_shared_device_each_has_what_came_after_they_signed_in_and_the_first_what_came_before(engine):
    events = [
        bought("a", NOON - 9 * DAY, visitor=5),
        signed_in("l", NOON - 8 * DAY, 5, 1),
        bought("b", NOON - 7 * DAY, visitor=5),
        signed_in("m", NOON - 6 * DAY, 5, 2),
        bought("c", NOON - 6 * DAY, visitor=5),
        bought("d", NOON - 5 * DAY, visitor=5),
        signed_in("n", NOON - 4 * DAY, 5, 1),
        bought("e", NOON - 3 * DAY, visitor=5),
    ]
    assert counts(engine, events, [(1, NOON), (2, NOON)]) == [3, 2]
    # As each was seen at the time: c and d were the first customer's until the second one's sign-in was known.
    assert counts(engine, events, [(1, NOON - 5 * DAY), (2, NOON - 5 * DAY)]) == [2, 1]


def test_a_sign_in_that_becomes_known_late_moves_what_came_after_it_from_then_on(engine):
    events = [
        signed_in("l", NOON - 8 * DAY, 5, 1),
        signed_in("m", NOON - 6 * DAY, 5, 2, known=NOON - DAY),
        bought("c", NOON - 5 * DAY, visitor=5),
    ]
    asked = [(who, at) for at in (NOON - 2 * DAY, NOON) for who in (1, 2)]
    assert counts(engine, events, asked) == [1, 0, 0, 1]


def test_an_earlier_sign_in_that_becomes_known_late_takes_what_came_before(engine):
    events = [
        bought("a", NOON - 9 * DAY, visitor=5),
        signed_in("m", NOON - 6 * DAY, 5, 2),
        signed_in("l", NOON - 8 * DAY, 5, 1, known=NOON - DAY),
        bought("b", NOON - 7 * DAY, visitor=5),
    ]
    asked = [(who, at) for at in (NOON - 2 * DAY, NOON) for who in (1, 2)]
    assert counts(engine, events, asked) == [0, 2, 2, 0]


def test_a_link_that_is_corrected_or_retracted_counts_until_that_is_known(engine):
    at = NOON - 8 * DAY
    events = [
        bought("a", NOON - 7 * DAY, visitor=5),
        signed_in("l", at, 5, 1),
        signed_in("m", at, 5, 2, known=NOON - 4 * DAY, op="correct", about="l"),
        signed_in("n", at, 5, 2, known=NOON - 2 * DAY, op="retract", about="l"),
        signed_in("o", at, 5, 3, known=NOON, op="correct", about="l"),
    ]
    seen = {k: counts(engine, events, [(who, NOON + k * DAY) for who in (1, 2, 3)]) for k in (-5, -3, -1, 1)}
    assert seen == {-5: [1, 0, 0], -3: [0, 1, 0], -1: [0, 0, 0], 1: [0, 0, 1]}


def test_without_the_retracted_link_the_one_before_is_in_force_again(engine):
    events = [
        signed_in("l", NOON - 9 * DAY, 5, 1),
        signed_in("m", NOON - 8 * DAY, 5, 2),
        bought("a", NOON - 7 * DAY, visitor=5),
        signed_in("n", NOON - 8 * DAY, 5, 2, known=NOON - DAY, op="retract", about="m"),
    ]
    asked = [(who, at) for at in (NOON - 2 * DAY, NOON) for who in (1, 2)]
    assert counts(engine, events, asked) == [0, 1, 1, 0]


def test_of_links_of_one_instant_the_latest_known_counts_then_the_greatest_id(engine):
    at = NOON - 8 * DAY
    events = [
        signed_in("b", at, 5, 1),
        signed_in("c", at, 5, 2),
        signed_in("a", at, 5, 3, known=NOON - DAY),
        bought("x", NOON - 9 * DAY, visitor=5),
        bought("y", NOON - 7 * DAY, visitor=5),
    ]
    asked = [(who, at) for at in (NOON - 2 * DAY, NOON) for who in (1, 2, 3)]
    assert counts(engine, events, asked) == [0, 2, 0, 0, 0, 2]


def test_an_attributed_event_that_is_corrected_stays_attributed(engine):
    correction = Event("c", "commerce.purchase", {"visitor": 5}, NOON - 3 * DAY, NOON, {"amount": Decimal(2)}, "web",
                       "correct", "a")  # fmt: skip
    events = [bought("a", NOON - 3 * DAY, visitor=5, amount=Decimal(9)), correction, signed_in("l", NOON - DAY, 5, 1)]
    rows = engine.features(signal(total("amount", name="t")), events, [(1, NOON - HOUR), (1, NOON)])
    assert [row["t"] for row in rows] == [Decimal(9), Decimal(2)]


def test_a_filter_and_windows_are_of_the_event_and_not_of_the_link(engine):
    events = [
        bought("a", NOON - 9 * DAY, visitor=5, items=1),
        bought("b", NOON - 2 * DAY, visitor=5, items=2),
        bought("c", NOON - 2 * DAY, visitor=5, items=9),
        signed_in("l", NOON - DAY, 5, 1),
    ]
    declared = signal(count(over="7d", where="items < 5", name="n"), last("items", where="items < 5", name="l"))
    assert [(row["n"], row["l"]) for row in engine.features(declared, events, [(1, NOON)])] == [(1, 2)]


def test_ties_go_by_when_the_event_itself_was_known(engine):
    at = NOON - 5 * DAY
    events = [
        bought("a", at, customer=1, known=at + DAY, items=1),
        bought("b", at, visitor=5, items=2),
        signed_in("l", NOON - DAY, 5, 1),
    ]
    (row,) = engine.features(signal(last("items", name="l"), count(name="n")), events, [(1, NOON)])
    assert (row["l"], row["n"]) == (1, 2)


def test_daily_values_take_links_as_they_are_known_at_the_boundary(engine):
    day = NOON - 12 * HOUR
    events = [bought("a", day - 2 * DAY, visitor=5), signed_in("l", day - HOUR, 5, 1, known=day + HOUR)]
    asked = [(1, day + 2 * HOUR), (1, day + DAY)]
    assert counts(engine, events, asked, freshness="daily") == [0, 1]
    assert counts(engine, events, [(1, day + 2 * HOUR)], freshness="daily", delay="2h") == [1]
