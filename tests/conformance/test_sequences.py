from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.sequences import (
    funnel,
    ngrams,
    sequence,
    sequence_gaps,
    time_since_each,
    transitions,
)
from ethogram.core.signals.declaration import Signal

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR, MINUTE, TICK = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(microseconds=1)
A, B = "commerce.purchase", "commerce.refund"


def done(*behaviors: str, start: datetime = NOON - 10 * HOUR, **properties: Any) -> list[Event]:
    """One event an hour from `start`."""
    return [
        Event(f"{k}", name, {"customer": 1}, start + k * HOUR, start + k * HOUR, properties, "web")
        for k, name in enumerate(behaviors)
    ]


def bought(*categories: str | None) -> list[Event]:
    ats = [NOON - (len(categories) - k) * HOUR for k in range(len(categories))]
    pairs = enumerate(zip(ats, categories, strict=True))
    return [Event(f"{k}", A, {"customer": 1}, at, at, {"category": category}, "web") for k, (at, category) in pairs]


def only(engine: Any, feature: Any, events: list[Event], as_of: datetime = NOON, entity: int | None = 1) -> Any:
    declared = Signal("s", version=1, entity="customer", of="commerce.*", features=[feature])
    (row,) = engine.features(declared, events, [(entity, as_of)])
    (value,) = [value for name, value in row.items() if name not in {"at", "known_at"}]
    return value


def test_a_sequence_is_the_last_behaviors_oldest_first(engine):
    events = done(A, B, A, A)
    assert only(engine, sequence(3), events) == [B, A, A]
    assert only(engine, sequence(10), events) == [A, B, A, A]
    assert only(engine, sequence(3), events, as_of=NOON - 8 * HOUR) == [A, B]
    assert only(engine, sequence(2, over="12h", where="channel = 'store'"), events) == []
    assert only(engine, sequence(2), events, entity=None) == []


def test_a_sequence_of_a_property_leaves_out_events_without_it(engine):
    assert only(engine, sequence(2, of=A, property="category"), bought("a", None, "ü", None)) == ["a", "ü"]
    amounts = [Event("1", A, {"customer": 1}, NOON - HOUR, NOON - HOUR, {"amount": Decimal("2.5")}, "web")]
    assert only(engine, sequence(2, property="amount"), amounts) == [Decimal("2.500000")]


def test_gaps_of_a_sequence_reach_to_the_next_item_and_the_last_to_the_instant(engine):
    assert only(engine, sequence_gaps(2), done(A, B, A)) == [3600.0, 8 * 3600.0]
    assert only(engine, sequence_gaps(2, of=A, property="category"), bought("a", None, "b")) == [7200.0, 3600.0]
    assert only(engine, sequence_gaps(3), done(A), as_of=NOON - 10 * HOUR + TICK) == [0.000001]
    assert only(engine, sequence_gaps(3), []) == []


def test_shares_of_transitions_are_of_all_that_followed(engine):
    events = done(A, B, A, A, A, B)
    assert only(engine, transitions(as_="count"), events) == {f"{A} > {A}": 2, f"{A} > {B}": 2, f"{B} > {A}": 1}
    assert only(engine, transitions(), events) == {f"{A} > {A}": 0.5, f"{A} > {B}": 0.5, f"{B} > {A}": 1.0}
    assert only(engine, transitions(3), events) == {
        f"{A} > {A} > {A}": 0.5, f"{A} > {A} > {B}": 0.5, f"{A} > {B} > {A}": 1.0, f"{B} > {A} > {A}": 1.0,
    }  # fmt: skip


def test_the_most_frequent_are_kept_and_ties_go_by_text(engine):
    events = done(A, B, A, A, A, B, A)  # A > B, A > A, B > A twice each
    assert only(engine, transitions(as_="count", top=1), events) == {f"{A} > {A}": 2}
    assert only(engine, transitions(top=2), events) == {f"{A} > {A}": 0.5, f"{A} > {B}": 0.5}


def test_a_transition_lies_in_the_window_with_both_ends(engine):
    events = done(A, B, A)
    assert only(engine, transitions(over="12h", as_="count"), events, as_of=NOON + 3 * HOUR) == {f"{B} > {A}": 1}
    assert only(engine, transitions(), done(A)) == {}
    assert only(engine, transitions(), done(A, B), entity=7) == {}


def test_ngrams_overlap_and_leave_out_what_is_missing(engine):
    categories = bought("a", "a", None, "a", "b")
    assert only(engine, ngrams(2, of=A, property="category"), categories) == {"a > a": 2, "a > b": 1}
    assert only(engine, ngrams(1, of=A, property="category", top=1), categories) == {"a": 3}
    assert only(engine, ngrams(5, of=A, property="category"), categories) == {}


def test_time_since_each_behavior_or_value(engine):
    assert only(engine, time_since_each(unit="hours"), done(A, B, A)) == {A: 8.0, B: 9.0}
    values = time_since_each(unit="minutes", of=A, property="category")
    assert only(engine, values, bought("b", "a", "b", None)) == {"a": 180.0, "b": 120.0}
    assert only(engine, time_since_each(), []) == {}


@pytest.mark.parametrize(("behaviors", "reached"), [((), 0), ((B, B), 0), ((A,), 1), ((B, A, A, B), 2), ((A, B, A), 3)])
def test_a_funnel_is_reached_step_by_step_with_anything_between(engine, behaviors, reached):
    assert only(engine, funnel([A, B, A]), done(*behaviors)) == reached


def test_a_funnel_starts_in_the_window(engine):
    assert only(engine, funnel([A, B], over="12h"), done(A, B), as_of=NOON + 3 * HOUR) == 0


def test_events_of_one_instant_go_by_knowledge_then_id(engine):
    at = NOON - HOUR
    events = [
        Event("2", A, {"customer": 1}, at, at, {}, None),
        Event("1", B, {"customer": 1}, at, at, {}, None),
        Event("0", A, {"customer": 1}, at, at + MINUTE, {}, None),
    ]
    assert only(engine, sequence(3), events) == [B, A, A]
