from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ethogram.core.events import Event
from ethogram.core.outcomes.declaration import Outcome, absence, occurrence
from ethogram.core.signals.aggregates.basic import count, last, maximum, mean, minimum, recency, total
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.numbers import Overflow

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


def bought(at: datetime, customer: int | None = 1, *, known: datetime | None = None, id: str = "", op: str = "assert",
           channel: str = "web", behavior: str = "commerce.purchase", **properties: Any) -> Event:  # fmt: skip
    entities = {} if customer is None else {"customer": customer}
    event_id = id or f"{customer}/{at.isoformat()}/{known}/{sorted(properties.items(), key=repr)}"
    target = None if op == "assert" else "x"
    return Event(event_id, behavior, entities, at, known or at, properties, channel, op, target)


def signal(*features: Any, **settings: Any) -> Signal:
    return Signal("s", version=1, entity="customer", of="commerce.purchase", features=list(features), **settings)


def only(engine: Any, declared: Signal, events: list[Event], entity: int | None = 1, as_of: datetime = NOON) -> Any:
    (row,) = engine.features(declared, events, [(entity, as_of)])
    (value,) = [value for name, value in row.items() if name not in {"at", "known_at"}]
    return value


def test_what_happens_at_the_instant_itself_is_not_seen(engine):
    events = [bought(NOON - TICK), bought(NOON), bought(NOON + TICK)]
    assert only(engine, signal(count(over="7d")), events) == 1


def test_what_becomes_known_at_the_instant_itself_is_seen(engine):
    events = [bought(NOON - DAY, known=NOON), bought(NOON - DAY, known=NOON + TICK)]
    assert only(engine, signal(count(over="7d")), events) == 1


def test_a_window_starts_on_its_hop_and_includes_that_instant(engine):
    edge = NOON - 7 * DAY  # 7 d steps by the hour, and noon is a whole hour
    events = [bought(edge), bought(edge - TICK)]
    assert only(engine, signal(count(over="7d")), events) == 1
    # Half an hour later the tail still stands at noon; the head has moved.
    assert only(engine, signal(count(over="7d")), [*events, bought(NOON)], as_of=NOON + HOUR / 2) == 2
    assert only(engine, signal(count(over="7d")), [*events, bought(NOON)], as_of=NOON + HOUR) == 1


def test_an_exact_tail_follows_the_instant(engine):
    edge = NOON - 7 * DAY
    events = [bought(edge), bought(edge + TICK)]
    exact = signal(count(over="7d"), hop=None)
    assert [only(engine, exact, events, as_of=NOON + k * TICK) for k in (0, 1, 2)] == [2, 1, 0]


def test_hops_count_from_the_epoch_before_it_too(engine):
    then = datetime(1969, 12, 20, 12, 30, tzinfo=UTC)
    events = [bought(then - 7 * DAY - HOUR / 2), bought(then - 7 * DAY - HOUR / 2 - TICK)]
    assert only(engine, signal(count(over="7d")), events, as_of=then) == 1


def test_a_late_event_never_reaches_back(engine):
    late = bought(NOON - 3 * DAY, known=NOON - DAY)
    rows = engine.features(signal(count(over="7d")), [late], [(1, NOON + k * DAY) for k in range(-3, 6)])
    assert [row["purchases_7d"] for row in rows] == [0, 0, 1, 1, 1, 1, 1, 1, 0]


def test_an_event_that_comes_after_its_window_has_passed_is_never_seen(engine):
    late = bought(NOON - 30 * DAY, known=NOON, amount=Decimal(5), items=2)
    declared = signal(
        count(over="7d"), total("amount", over="7d"), maximum("items", over="7d"), last("items", over="7d")
    )
    for row in engine.features(declared, [late], [(1, NOON + k * DAY) for k in range(-31, 3)]):
        assert list(row.values())[2:] == [0, Decimal(0), None, None]


def test_nothing_counts_and_adds_to_zero_and_the_rest_is_null(engine):
    features = [count(over="7d"), total("amount", over="7d"), total("items", over="7d"), recency()]
    features += [aggregate("amount", over="7d") for aggregate in (mean, minimum, maximum, last)]
    old = bought(NOON - 90 * DAY, amount=Decimal(1), items=1)
    for events, entity in [([], 1), ([old], 2), ([old], None)]:
        (row,) = engine.features(signal(*features), events, [(entity, NOON)])
        assert list(row.values())[2:] == [0, Decimal(0), 0, None, None, None, None, None]
    (row,) = engine.features(signal(*features), [old], [(1, NOON)])
    assert list(row.values())[2:] == [0, Decimal(0), 0, 90.0, None, None, None, None]


def test_null_properties_are_left_out_of_everything_but_the_last_value(engine):
    events = [bought(NOON - 3 * DAY, amount=Decimal(4)), bought(NOON - 2 * DAY, amount=Decimal(8)), bought(NOON - DAY)]
    declared = signal(count(), total("amount"), mean("amount"), minimum("amount"), maximum("amount"), last("amount"))
    (row,) = engine.features(declared, events, [(1, NOON)])
    assert list(row.values())[2:] == [3, Decimal(12), 6.0, Decimal(4), Decimal(8), None]


def test_the_last_value_at_a_tie_is_the_latest_known_then_the_greatest_id(engine):
    at = NOON - DAY
    tied = [bought(at, id="b", items=1), bought(at, id="c", items=2), bought(at, known=at + HOUR, id="a", items=3)]
    declared = signal(last("items", name="l"))
    rows = engine.features(declared, tied, [(1, at + HOUR / 2), (1, NOON)])
    assert [row["l"] for row in rows] == [2, 3]


def test_ids_are_compared_by_code_point(engine):
    at = NOON - DAY
    tied = [
        bought(at, id="Z", items=1),
        bought(at, id="a", items=2),
        bought(at, id="é", items=3),
        bought(at, id="𐀀", items=4),
    ]
    assert only(engine, signal(last("items")), tied) == 4
    assert only(engine, signal(last("items")), tied[:3]) == 3
    assert only(engine, signal(last("items")), tied[:2]) == 2


def test_a_newer_event_that_is_known_later_wins_once_it_is_known(engine):
    events = [bought(NOON - 2 * DAY, items=1), bought(NOON - DAY, known=NOON + DAY, items=2)]
    rows = engine.features(signal(last("items", name="l"), recency()), events, [(1, NOON), (1, NOON + DAY)])
    assert [(row["l"], row["days_since_purchase"]) for row in rows] == [(1, 2.0), (2, 2.0)]


def test_identical_events_with_ids_of_their_own_all_count(engine):
    twins = [bought(NOON - DAY, id="a", amount=Decimal("0.1")), bought(NOON - DAY, id="b", amount=Decimal("0.1"))]
    (row,) = engine.features(signal(count(), total("amount")), twins, [(1, NOON)])
    assert list(row.values())[2:] == [2, Decimal("0.2")]


def test_rows_keep_the_order_and_the_repeats_of_the_observations(engine):
    events = [bought(NOON - DAY, c) for c in (3, 1, 1)] + [bought(NOON - DAY, None)]
    asked = [(3, NOON), (1, NOON), (None, NOON), (3, NOON - 2 * DAY), (1, NOON), (9, NOON), (None, NOON)]
    rows = engine.features(signal(count(name="n")), [e for k, e in enumerate(events) if k != 2], asked)
    assert [row["n"] for row in rows] == [1, 1, 0, 0, 1, 0, 0]


def test_no_observations_give_no_rows(engine):
    assert engine.features(signal(count()), [bought(NOON)], []) == []


def test_events_of_nobody_belong_to_nobody(engine):
    assert only(engine, signal(count()), [bought(NOON - DAY, None)], entity=None) == 0


def test_sums_of_money_are_exact_at_any_size(engine):
    most = Decimal("999999999999.999999")
    events = [bought(NOON - DAY, id=str(k), amount=most) for k in range(7)]
    events += [bought(NOON - DAY, id="n", amount=-most), bought(NOON - DAY, id="s", amount=Decimal("0.000001"))]
    declared = signal(total("amount", name="t"), mean("amount", name="m"), minimum("amount", name="l"))
    (row,) = engine.features(declared, events, [(1, NOON)])
    assert row["t"] == Decimal("5999999999999.999995")
    assert row["m"] == 5999999999999999995 / (9 * 10**6)  # the nearest double, rounded once
    assert row["l"] == -most


def test_fixed_point_finer_than_six_digits_is_rounded_half_away_once_at_the_end(engine):
    events = [bought(NOON - DAY, id=str(k), weight=Decimal("0.000000250")) for k in range(2)]
    assert only(engine, signal(total("weight")), events) == Decimal("0.000001")
    assert only(engine, signal(total("weight")), [bought(NOON - DAY, weight=Decimal("-0.000000500"))]) == Decimal(
        "-0.000001"
    )
    assert only(engine, signal(mean("weight")), events) == 2.5e-7


def test_a_sum_of_integers_beyond_64_bits_is_an_error_and_just_below_is_not(engine):
    edge = [bought(NOON - DAY, id="a", items=2**63 - 1), bought(NOON - DAY, id="b", items=0)]
    assert only(engine, signal(total("items")), edge) == 2**63 - 1
    with pytest.raises(Overflow):
        only(engine, signal(total("items")), [*edge, bought(NOON - DAY, id="c", items=1)])


def test_a_mean_of_large_integers_is_the_nearest_double(engine):
    numbers = [2**62 + 1, 2**62 + 3, 2**61 + 7]
    events = [bought(NOON - DAY, id=str(k), items=n) for k, n in enumerate(numbers)]
    assert only(engine, signal(mean("items")), events) == sum(numbers) / 3


def test_extremes_of_doubles_know_no_negative_zero(engine):
    events = [bought(NOON - DAY, id="a", rating=-0.0), bought(NOON - DAY, id="b", rating=0.0)]
    for aggregate in (minimum, maximum, last):
        assert repr(only(engine, signal(aggregate("rating", over="7d")), events[:1])) == "0.0"
        assert repr(only(engine, signal(aggregate("rating")), events)) == "0.0"


def test_texts_truths_times_and_days_come_back_as_they_went_in(engine):
    given = {"category": "thé", "gift": True, "due": NOON + DAY, "day": date(2026, 3, 9)}
    declared = signal(
        *(last(name, name=name) for name in given), maximum("due", over="7d", name="m"), minimum("day", name="d")
    )
    (row,) = engine.features(declared, [bought(NOON - DAY, **given)], [(1, NOON)])
    assert {name: row[name] for name in given} == given
    assert (row["m"], row["d"]) == (NOON + DAY, date(2026, 3, 9))


@pytest.mark.parametrize(("unit", "since"), [("days", 1.0), ("hours", 24.0), ("minutes", 1440.0), ("seconds", 86400.0)])
def test_recency_is_measured_in_its_unit(engine, unit, since):
    assert only(engine, signal(recency(unit=unit)), [bought(NOON - DAY)]) == since


def test_recency_within_a_window_forgets_what_is_older(engine):
    assert only(engine, signal(recency(over="7d")), [bought(NOON - 6 * DAY)]) == 6.0
    assert only(engine, signal(recency(over="7d")), [bought(NOON - 8 * DAY)]) is None


def test_a_condition_counts_where_it_is_true_and_not_where_it_is_null(engine):
    events = [bought(NOON - DAY, items=3), bought(NOON - 2 * DAY, items=1), bought(NOON - 3 * DAY)]
    assert only(engine, signal(count(where="items > 2")), events) == 1
    assert only(engine, signal(count(where="not items > 2")), events) == 1
    shops = [bought(NOON - DAY, channel="store"), bought(NOON - 2 * DAY)]
    assert only(engine, signal(count(where="channel = 'store'")), shops) == 1


def test_features_over_several_behaviors_take_all_of_them(engine):
    events = [
        bought(NOON - DAY, amount=Decimal(5)),
        bought(NOON - 2 * DAY, behavior="commerce.refund", amount=Decimal(2)),
    ]
    features = [count(over="7d"), total("amount", name="t"), count(of="commerce.refund", over="7d")]
    declared = Signal("s", version=1, entity="customer", of="commerce.*", features=features)
    (row,) = engine.features(declared, events, [(1, NOON)])
    assert (row["commerce_events_7d"], row["t"], row["refunds_7d"]) == (2, Decimal(7), 1)


def test_a_daily_signal_stands_at_the_boundary_and_waits_for_its_delay(engine):
    midnight = NOON - 12 * HOUR
    events = [
        bought(midnight - HOUR, id="in time"),
        bought(midnight - HOUR, id="within the delay", known=midnight + 2 * HOUR),
        bought(midnight - HOUR, id="after it", known=midnight + 2 * HOUR + TICK),
        bought(midnight, id="today"),
    ]
    daily = signal(count(over="30d", name="n"), freshness="daily", delay="2h")
    before, after = midnight + 2 * HOUR - TICK, midnight + 2 * HOUR
    rows = engine.features(daily, events, [(1, before), (1, after), (1, NOON)])
    assert [(row["at"], row["known_at"], row["n"]) for row in rows] == [
        (midnight - DAY, midnight - DAY + 2 * HOUR, 0),
        (midnight, midnight + 2 * HOUR, 2),
        (midnight, midnight + 2 * HOUR, 2),
    ]


def test_an_hourly_signal_stands_at_the_hour(engine):
    hourly = signal(count(over="1d", name="n"), freshness="hourly")
    rows = engine.features(hourly, [bought(NOON)], [(1, NOON + HOUR - TICK), (1, NOON + HOUR)])
    assert [(row["at"], row["n"]) for row in rows] == [(NOON, 0), (NOON + HOUR, 1)]


def test_the_clocks_of_no_country_matter(engine):
    spring = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # the hour that Europe skips
    events = [bought(spring - DAY), bought(spring - DAY - HOUR)]
    assert only(engine, signal(count(over="1d")), events, as_of=spring) == 1


def test_an_outcome_holds_from_the_instant_to_just_before_its_horizon_ends(engine):
    within = Outcome("o", "customer", occurrence("commerce.purchase", within="7d"))
    edges = [NOON - TICK, NOON, NOON + 7 * DAY - TICK, NOON + 7 * DAY]
    assert [engine.labels(within, [bought(at)], [(1, NOON)]) for at in edges] == [[False], [True], [True], [False]]
    without = Outcome("o", "customer", absence("commerce.purchase", within="7d"))
    assert [engine.labels(without, [bought(at)], [(1, NOON)]) for at in edges] == [[True], [False], [False], [True]]


def test_an_outcome_takes_what_is_known_when_it_is_ripe(engine):
    ripe = NOON + 8 * DAY
    declared = Outcome("o", "customer", occurrence("commerce.purchase", within="7d"), matures_after="1d")
    assert engine.labels(declared, [bought(NOON + DAY, known=ripe)], [(1, NOON)]) == [True]
    assert engine.labels(declared, [bought(NOON + DAY, known=ripe + TICK)], [(1, NOON)]) == [False]


def test_an_outcome_over_a_pattern_takes_every_behavior_of_it(engine):
    silent = Outcome("o", "customer", absence("commerce.*", within="7d"))
    refund = bought(NOON + DAY, behavior="commerce.refund", amount=Decimal(1))
    asked = [(1, NOON), (2, NOON), (None, NOON), (1, NOON + 2 * DAY), (1, NOON)]
    assert engine.labels(silent, [refund], asked) == [False, True, True, True, False]


def test_an_outcome_may_ask_for_a_condition(engine):
    large = Outcome("o", "customer", occurrence("commerce.purchase", within="7d", where="amount >= 10"))
    events = [bought(NOON, 1, amount=Decimal(10)), bought(NOON, 2, amount=Decimal("9.999999")), bought(NOON, 3)]
    assert engine.labels(large, events, [(1, NOON), (2, NOON), (3, NOON)]) == [True, False, False]
