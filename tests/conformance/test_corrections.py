"""What was asserted and later corrected or retracted, on every engine.

The table of cases is Chronon's MutationsTest (airbnb/chronon), its facts typed anew: a value of a row as of a snapshot
is an event known by then, a mutation is a record known from the mutation's time on. Two things differ by our rules.
An update there has an after-image only if the row is in the window still; here a correction names its event. And theirs
joins a day's snapshot with the day's mutations; here one ledger of records gives both.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ethogram.core.events import Event
from ethogram.core.outcomes.declaration import Outcome, absence, occurrence
from ethogram.core.signals.aggregates.basic import count, first, last, maximum, mean, minimum, recency, total
from ethogram.core.signals.declaration import Signal

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


def said(id: str, at: datetime, customer: int | None = 1, *, known: datetime | None = None, op: str = "assert",
         about: str | None = None, behavior: str = "commerce.purchase", **properties: Any) -> Event:  # fmt: skip
    entities = {} if customer is None else {"customer": customer}
    return Event(id, behavior, entities, at, known or at, properties, "web", op, about)


def corrected(id: str, about: str, at: datetime, customer: int | None = 1, *, known: datetime, **rest: Any) -> Event:
    return said(id, at, customer, known=known, op="correct", about=about, **rest)


def retracted(id: str, about: str, at: datetime, customer: int | None = 1, *, known: datetime, **rest: Any) -> Event:
    return said(id, at, customer, known=known, op="retract", about=about, **rest)


def signal(*features: Any, **settings: Any) -> Signal:
    return Signal("s", version=1, entity="customer", of="commerce.purchase", features=list(features), **settings)


def values(engine: Any, feature: Any, events: list[Event], asked: list[tuple[int, datetime]], **settings: Any) -> list:
    rows = engine.features(signal(feature, **settings), events, asked)
    return [next(v for k, v in row.items() if k not in {"at", "known_at"}) for row in rows]


def test_a_correction_counts_from_when_it_is_known_and_the_assertion_until_then(engine):
    events = [
        said("a", NOON - 3 * DAY, amount=Decimal(10)),
        corrected("b", "a", NOON - 3 * DAY, known=NOON, amount=Decimal(7)),
    ]
    asked = [(1, NOON - DAY), (1, NOON - TICK), (1, NOON), (1, NOON + DAY)]
    assert values(engine, total("amount"), events, asked) == [Decimal(10), Decimal(10), Decimal(7), Decimal(7)]
    assert values(engine, count(), events, asked) == [1, 1, 1, 1]


def test_a_retraction_leaves_nothing_from_when_it_is_known(engine):
    events = [said("a", NOON - 3 * DAY), retracted("b", "a", NOON - 3 * DAY, known=NOON), said("c", NOON - 2 * DAY)]
    assert values(engine, count(), events, [(1, NOON - 3 * DAY + TICK), (1, NOON - TICK), (1, NOON)]) == [1, 2, 1]


def test_of_two_corrections_the_latest_known_counts_and_of_equals_the_greatest_id(engine):
    at = NOON - 3 * DAY
    events = [
        said("a", at, items=1),
        corrected("d", "a", at, known=NOON - DAY, items=2),
        corrected("c", "a", at, known=NOON, items=3),
        corrected("b", "a", at, known=NOON, items=4),
    ]
    asked = [(1, NOON - 2 * DAY), (1, NOON - HOUR), (1, NOON)]
    assert values(engine, total("items"), events, asked) == [1, 2, 3]


def test_what_was_retracted_can_come_back_corrected_and_go_again(engine):
    at = NOON - 5 * DAY
    events = [
        said("a", at, items=1),
        retracted("b", "a", at, known=NOON - 3 * DAY),
        corrected("c", "a", at, known=NOON - 2 * DAY, items=5),
        retracted("d", "a", at, known=NOON - DAY),
    ]
    asked = [(1, NOON - k * DAY + HOUR) for k in (4, 3, 2, 1)]
    assert values(engine, total("items"), events, asked) == [1, 0, 5, 0]
    assert values(engine, maximum("items"), events, asked) == [1, None, 5, None]


def test_a_correction_that_comes_before_its_event_stands_for_it_and_keeps_the_last_word(engine):
    at = NOON - 5 * DAY
    events = [
        corrected("b", "a", at, known=NOON - 3 * DAY, items=5),
        said("a", at, known=NOON - DAY, items=1),
    ]
    asked = [(1, NOON - 4 * DAY), (1, NOON - 2 * DAY), (1, NOON)]
    assert values(engine, total("items"), events, asked) == [0, 5, 5]
    assert values(engine, count(), events, asked) == [0, 1, 1]


def test_a_retraction_that_comes_before_its_event_keeps_it_away(engine):
    at = NOON - 5 * DAY
    events = [retracted("b", "a", at, known=NOON - 3 * DAY), said("a", at, known=NOON - DAY), said("c", at)]
    assert values(engine, count(), events, [(1, NOON - 2 * DAY), (1, NOON)]) == [1, 1]


def test_a_correction_moves_an_event_to_its_own_time(engine):
    events = [
        said("a", NOON - 10 * DAY, known=NOON - 10 * DAY, items=1),
        corrected("b", "a", NOON - DAY, known=NOON - HOUR, items=1),
    ]
    asked = [(1, NOON - 2 * DAY), (1, NOON - HOUR), (1, NOON)]
    assert values(engine, recency(), events, asked) == [8.0, 23 / 24, 1.0]
    assert values(engine, count(over="7d"), events, asked) == [0, 1, 1]


def test_a_correction_that_says_the_event_has_yet_to_occur_is_not_seen_before(engine):
    """V(at, known) knows of records with occurred_at < at alone: until then the assertion stands."""
    day = NOON - 12 * HOUR
    events = [
        said("a", day - HOUR, known=day - HOUR, items=1),
        corrected("b", "a", day + HOUR, known=day + HOUR, items=2),
    ]
    asked = [(1, day + 3 * HOUR), (1, day + DAY + 3 * HOUR)]
    assert values(engine, total("items"), events, asked, freshness="daily", delay="2h") == [1, 2]


def test_a_correction_moves_an_event_to_another_entity(engine):
    at = NOON - 5 * DAY
    events = [said("a", at, 1, items=3), corrected("b", "a", at, 7, known=NOON, items=3), said("c", at, 7, items=1)]
    asked = [(who, when) for when in (NOON - HOUR, NOON) for who in (1, 4, 7)]
    assert values(engine, total("items"), events, asked) == [3, 0, 1, 0, 0, 4]


def test_a_correction_that_names_nobody_takes_the_event_from_everybody(engine):
    at = NOON - 5 * DAY
    events = [said("a", at, 1), corrected("b", "a", at, None, known=NOON)]
    assert values(engine, count(), events, [(1, NOON - HOUR), (1, NOON)]) == [1, 0]


def test_a_filter_asks_what_stands_and_not_what_was_said(engine):
    at = NOON - 5 * DAY
    events = [
        said("a", at, amount=Decimal(20)), corrected("b", "a", at, known=NOON, amount=Decimal(5)),
        said("c", at, amount=Decimal(5)), corrected("d", "c", at, known=NOON, amount=Decimal(30)),
    ]  # fmt: skip
    large = total("amount", where="amount >= 10")
    assert values(engine, large, events, [(1, NOON - HOUR), (1, NOON)]) == [Decimal(20), Decimal(30)]


def test_a_record_is_about_an_event_of_its_own_behavior(engine):
    at = NOON - 5 * DAY
    events = [
        said("a", at),
        said("a", at, behavior="commerce.refund"),
        retracted("b", "a", at, known=NOON, behavior="commerce.refund"),
    ]
    assert values(engine, count(of="commerce.*"), events, [(1, NOON - HOUR), (1, NOON)]) == [2, 1]


def test_what_is_put_right_before_the_window_is_asked_for_is_as_it_should_have_been(engine):
    at = NOON - 5 * DAY
    events = [said("a", at, items=1), corrected("b", "a", at, known=at + HOUR, items=2), said("c", at + DAY, items=4)]
    declared = signal(count(over="7d"), total("items"), first("items", name="f"), last("items", name="l"))
    for row in engine.features(declared, events, [(1, NOON + k * DAY) for k in range(3)]):
        assert list(row.values())[3:] == [6, 2, 4]


def test_outcomes_follow_corrections_known_when_they_are_ripe(engine):
    within = Outcome("o", "customer", occurrence("commerce.purchase", within="7d", where="amount >= 10"))
    late = Outcome(
        "o", "customer", occurrence("commerce.purchase", within="7d", where="amount >= 10"), matures_after="3d"
    )
    events = [
        said("a", NOON + DAY, amount=Decimal(20)),
        corrected("b", "a", NOON + DAY, known=NOON + 9 * DAY, amount=Decimal(5)),
    ]
    assert engine.labels(within, events, [(1, NOON)]) == [True]
    assert engine.labels(late, events, [(1, NOON)]) == [False]
    gone = Outcome("o", "customer", absence("commerce.purchase", within="7d"), matures_after="3d")
    taken_back = [events[0], retracted("c", "a", NOON + DAY, known=NOON + 9 * DAY)]
    assert engine.labels(gone, taken_back, [(1, NOON)]) == [True]
    assert engine.labels(gone, events, [(1, NOON)]) == [False]


# Chronon's facts ----------------------------------------------------------------------------------------------------


def on(day: str, clock: str = "00:00") -> datetime:
    return datetime.fromisoformat(f"2021-{day}T{clock}:00+00:00")


def rows(customer: int, ratings: list[int], day: str = "04-05") -> list[Event]:
    """Rows of a snapshot: known long before anybody asks."""
    return [said(f"{customer}.{n}", on(day, "00:30"), customer, items=each) for n, each in enumerate(ratings)]


def row(id: str, customer: int, at: datetime, value: int, known: datetime | None = None) -> Event:
    return said(id, at, customer, known=known, items=value)


MUTATIONS: dict[str, tuple[list[Event], list[tuple[int, datetime, float | None]], str | None]] = {
    "insert": (
        [
            *rows(1, [4, 5, 4, 5]), *rows(2, [3, 3]),
            row("x", 1, on("04-10", "02:00"), 2), row("y", 2, on("04-10", "10:00"), 3),
        ],
        [(1, on("04-10", "01:00"), 4.5), (1, on("04-10", "02:30"), 4.0), (1, on("04-10", "23:00"), 4.0),
         (2, on("04-10", "23:00"), 3.0)],
        None,
    ),
    "value update": (
        [
            *rows(1, [4, 5, 4, 5]), *rows(2, [3, 3]),
            corrected("x", "1.0", on("04-05", "00:30"), 1, known=on("04-10", "02:00"), items=2),
        ],
        [(1, on("04-10", "01:00"), 4.5), (1, on("04-10", "02:30"), 4.0), (2, on("04-10", "23:00"), 3.0)],
        None,
    ),
    "key update": (
        [
            *rows(1, [4, 4, 4, 5]), *rows(2, [3, 3, 3]),
            corrected("x", "1.3", on("04-05", "00:30"), 2, known=on("04-10", "00:30"), items=5),
            row("y", 2, on("04-10", "10:00"), 3),
        ],
        [(1, on("04-10", "01:00"), 4.0), (2, on("04-10", "02:30"), 3.5), (2, on("04-10", "23:00"), 3.4)],
        None,
    ),
    "partition other than the event's day": (
        [
            *rows(1, [4, 4, 4, 5]), *rows(2, [3, 3, 3]),
            row("x", 2, on("04-09", "05:45"), 4),
            corrected("z", "x", on("04-09", "05:45"), 2, known=on("04-09", "07:00"), items=5),
            row("w", 1, on("04-10", "00:30"), 5), row("y", 2, on("04-10", "10:00"), 3),
        ],
        [(1, on("04-10", "01:00"), 4.4), (2, on("04-09", "04:30"), 3.0), (2, on("04-09", "06:30"), 3.25),
         (2, on("04-09", "08:30"), 3.5), (2, on("04-10", "23:00"), 3.4)],
        None,
    ),
    "a window of 4 days decays": (
        [
            row("a", 2, on("04-04", "01:40"), 3), row("b", 2, on("04-05", "03:40"), 3),
            row("c", 2, on("04-06", "03:45"), 4), row("x", 2, on("04-09", "05:45"), 2),
            corrected("z", "x", on("04-09", "05:45"), 2, known=on("04-09", "07:00"), items=5),
            row("y", 2, on("04-10", "10:00"), 4),
        ],
        # At 01:30 and at 06:30 their window starts at the hour; ours does too, with hop="1h".
        [(2, on("04-09", "01:30"), 3.5), (2, on("04-09", "04:30"), 4.0), (2, on("04-09", "06:30"), 3.0),
         (2, on("04-09", "08:30"), 4.5), (2, on("04-10", "09:00"), 5.0), (2, on("04-10", "23:00"), 4.5)],
        "4d",
    ),
    "decay without a mutation": (
        [
            row("a", 2, on("04-04", "01:40"), 3), row("b", 2, on("04-05", "03:40"), 3),
            row("c", 2, on("04-06", "03:45"), 4), row("x", 2, on("04-09", "05:45"), 5),
        ],
        [(2, on("04-10", "01:00"), 4.5), (2, on("04-10", "23:00"), 5.0)],
        "4d",
    ),
    "mutations only": (
        [
            row("a", 2, on("04-10", "00:30"), 5), row("b", 2, on("04-10", "04:30"), 2),
            corrected("c", "b", on("04-10", "04:30"), 2, known=on("04-10", "12:30"), items=4),
        ],
        [(2, on("04-10", "00:07"), None), (2, on("04-10", "01:07"), 5.0), (2, on("04-10", "05:00"), 3.5),
         (2, on("04-10", "23:00"), 4.5)],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MUTATIONS)
def test_chronons_mutations(engine, case):
    events, expected, over = MUTATIONS[case]
    found = values(engine, mean("items", over=over), events, [(who, at) for who, at, _ in expected], hop="1h")
    assert found == [value for _, _, value in expected]


def test_chronons_deletes(engine):
    """RowAggregatorTest: rows with a property each, some of them deleted again.

    There, deletes are arithmetic on values; here a retraction names its event, so that the deleted rows (views 2 and 1,
    titles A and H) have to have been asserted, and nothing goes below zero.
    """
    titles, views = ["A", "B", "D", "A", "B"], [4, 3, 5, 7, 3]
    at = [NOON - (9 - n) * HOUR for n in range(7)]
    kept = [said(f"k{n}", at[n], items=v, category=c) for n, (v, c) in enumerate(zip(views, titles, strict=True))]
    deleted = [said(f"d{n}", at[5 + n], items=v, category=c) for n, (v, c) in enumerate([(2, "A"), (1, "H")])]
    gone = [retracted(f"r{n}", f"d{n}", each.occurred_at, known=NOON - TICK) for n, each in enumerate(deleted)]
    features = [
        mean("items", name="avg"), count(name="n"), total("items", name="sum"), last("category", name="last"),
        first("category", name="first"), maximum("items", name="max"), minimum("items", name="min"),
    ]  # fmt: skip
    (before, after) = engine.features(signal(*features), [*kept, *deleted, *gone], [(1, NOON - 2 * TICK), (1, NOON)])
    assert list(before.values())[2:] == [25 / 7, 7, 25, "H", "A", 7, 1]
    assert list(after.values())[2:] == [22 / 5, 5, 22, "B", "A", 7, 3]
