"""Moments, selections, ratios and buckets by example, on every engine; Chronon's published facts among them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.basic import count, maximum, mean, minimum, total
from ethogram.core.signals.aggregates.moments import skew, std, variance
from ethogram.core.signals.aggregates.ratios import rate, ratio, share
from ethogram.core.signals.aggregates.selections import (
    bottom_k,
    distinct,
    first_k,
    frequent,
    histogram,
    last_k,
    quantile,
    top_k,
)
from ethogram.core.signals.declaration import Signal

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def bought(at: datetime, *, known: datetime | None = None, id: str = "", channel: str | None = "web",
           **properties: Any) -> Event:  # fmt: skip
    event_id = id or f"{at.isoformat()}/{sorted(properties.items(), key=repr)}"
    return Event(event_id, "commerce.purchase", {"customer": 1}, at, known or at, properties, channel)


def values(engine: Any, features: list[Any], events: list[Event], as_of: datetime = NOON) -> list[Any]:
    """Of customer 1, in the order of the features."""
    signal = Signal("s", version=1, entity="customer", of="commerce.purchase", features=features)
    (row,) = engine.features(signal, events, [(1, as_of)])
    return list(row.values())[2:]


def value(engine: Any, feature: Any, events: list[Event], as_of: datetime = NOON) -> Any:
    return values(engine, [feature], events, as_of)[0]


def each(name: str, *given: Any) -> list[Event]:
    """One event an hour with these values of a property, the last one just now."""
    return [bought(NOON - (len(given) - k) * HOUR, id=f"{k:03}", **{name: v}) for k, v in enumerate(given)]


def test_chronons_selections_of_titles(engine):
    titles = each("category", "A", "B", "D", "A", "B")
    asked = [last_k("category", 2), first_k("category", 2), top_k("category", 2), bottom_k("category", 2)]
    assert values(engine, [*asked, distinct("category")], titles) == [["B", "A"], ["A", "B"], ["D", "B"], ["A", "A"], 3]


def test_chronons_bounded_unique_stops_at_its_bound(engine):
    assert value(engine, distinct("items", at_most=5), each("items", *range(7))) == 5
    assert value(engine, distinct("items", at_most=5), each("items", 1, 2, 3, 4, 5, 6)) == 5
    assert value(engine, distinct("items", at_most=5), each("items", 1, 2, 2)) == 2


def test_chronons_frequent_items_come_by_frequency(engine):
    given = [1, 2, 2, 3, 3, 3, 4, 4, 4, 4]
    assert value(engine, frequent("items", 3), each("items", *given)) == [4, 3, 2]


def test_chronons_histogram_keeps_the_most_frequent(engine):
    first, second = ["4"] * 4 + ["2"] * 2, ["3"] * 3 + ["2"] * 2
    asked = histogram("category", k=3)
    assert value(engine, asked, each("category", *first, *second)) == {"4": 4, "2": 4, "3": 3}
    assert value(engine, asked, each("category", *["4"] * 4, *["3"] * 3, *["2"] * 2, "1")) == {"4": 4, "3": 3, "2": 2}


def test_chronons_skewness_needs_three_values_that_differ(engine):
    assert value(engine, skew("items"), each("items", 1, 2)) is None
    assert value(engine, skew("items"), each("items", 7, 7, 7, 7)) is None
    assert value(engine, skew("items"), each("items", 1, 2, 3)) == 0.0
    assert value(engine, skew("items"), each("items", 0, 0, 3)) == pytest.approx(2**-0.5, rel=1e-15)
    assert value(engine, skew("items"), each("items", 0, 3, 3)) == pytest.approx(-(2**-0.5), rel=1e-15)


def test_a_variance_is_the_populations_and_zero_for_one_value(engine):
    asked = [variance("amount"), std("amount")]
    assert values(engine, asked, each("amount", Decimal("2.5"))) == [0.0, 0.0]
    assert values(engine, asked, each("amount", *map(Decimal, [2, 4, 4, 4, 5, 5, 7, 9]))) == [4.0, 2.0]
    assert values(engine, asked, []) == [None, None]


def test_a_variance_of_large_values_that_differ_little_loses_nothing(engine):
    tiny = [Decimal("999999999999.000001"), Decimal("999999999999.000002"), Decimal("999999999999.000003")]
    assert value(engine, variance("amount"), each("amount", *tiny)) == 2 / (3 * 10**12)
    ends = each("items", 2**63 - 1, -(2**63) + 1)
    assert values(engine, [variance("items"), std("items")], ends) == [float((2**63 - 1) ** 2), 2.0**63]


def test_nulls_are_left_out_of_every_selection(engine):
    events = each("category", "a", None, "b", None)
    asked = [first_k("category", 3), last_k("category", 3), top_k("category", 1), frequent("category", 3)]
    asked += [distinct("category"), histogram("category")]
    assert values(engine, asked, events) == [["a", "b"], ["b", "a"], ["b"], ["a", "b"], 2, {"a": 1, "b": 1}]


def test_nothing_is_empty_lists_and_maps_zeros_and_nulls(engine):
    asked = [last_k("category", 2), top_k("items", 2), frequent("gift", 2), histogram("category")]
    asked += [histogram("items", edges=[0, 1]), distinct("category"), distinct("category", sketch=12, name="d")]
    asked += [count(by="category"), quantile("items", 0.5), ratio("amount", "items"), rate(per="1d", over="7d")]
    asked += [share("items > 1", name="s")]
    right = [[], [], [], {}, [0, 0, 0], 0, 0, {}, None, None, 0.0, None]
    assert values(engine, asked, []) == right
    signal = Signal("s", version=1, entity="customer", of="commerce.purchase", features=asked)
    for who in (2, None):
        (row,) = engine.features(signal, each("items", 1), [(who, NOON)])
        assert list(row.values())[2:] == right


def test_ties_in_time_go_by_what_was_known_and_then_by_id(engine):
    at = NOON - DAY
    tied = [bought(at, id="b", items=1), bought(at, id="c", items=2), bought(at, known=at + HOUR, id="a", items=3)]
    asked = [first_k("items", 3, name="f"), last_k("items", 2, name="l")]
    assert values(engine, asked, tied) == [[1, 2, 3], [3, 2]]
    assert values(engine, asked, tied, at + HOUR / 2) == [[1, 2], [2, 1]]


def test_selections_keep_the_type_of_what_they_select(engine):
    events = [
        bought(NOON - 2 * HOUR, gift=True, due=NOON, day=date(2026, 3, 9), rating=-0.0, amount=Decimal("1.5")),
        bought(NOON - HOUR, gift=False, due=NOON - DAY, day=date(1969, 7, 20), rating=2.5, amount=Decimal("-1.5")),
    ]
    assert values(engine, [last_k(n, 2) for n in ("gift", "due", "day", "rating", "amount")], events) == [
        [False, True], [NOON - DAY, NOON], [date(1969, 7, 20), date(2026, 3, 9)], [2.5, 0.0],
        [Decimal("-1.5"), Decimal("1.5")],
    ]  # fmt: skip
    assert values(engine, [quantile("due", 0.5), quantile("day", 1), quantile("amount", 0)], events) == [
        NOON - DAY, date(2026, 3, 9), Decimal("-1.5")]  # fmt: skip


def test_equal_values_stand_as_often_as_they_occur_among_the_largest(engine):
    assert value(engine, top_k("items", 3), each("items", 5, 1, 5, 2)) == [5, 5, 2]
    assert value(engine, bottom_k("items", 9), each("items", 5, 1, 5, 2)) == [1, 2, 5, 5]


def test_windows_and_late_events_bound_every_selection(engine):
    old = bought(NOON - 20 * DAY, items=9)
    late = bought(NOON - 2 * DAY, known=NOON + DAY, items=8)
    new = bought(NOON - DAY, items=1)
    asked = [distinct("items", over="7d"), quantile("items", 1, over="7d"), top_k("items", 2, over="7d")]
    assert values(engine, asked, [old, late, new]) == [1, 1, [1]]
    assert values(engine, asked, [old, late, new], NOON + DAY) == [2, 8, [8, 1]]


def test_texts_are_counted_and_ordered_by_code_point(engine):
    events = each("category", "é", "Z", "a", "𐀀", "a", "é", "")
    found = value(engine, histogram("category"), events)
    assert list(found.items()) == [("", 1), ("Z", 1), ("a", 2), ("é", 2), ("𐀀", 1)]
    assert value(engine, frequent("category", 3), events) == ["a", "é", ""]


def test_an_estimate_of_different_values_is_close_and_the_same_in_any_order(engine):
    given = [f"sku {k % 300}" for k in range(600)]
    found = value(engine, distinct("category", sketch=14), each("category", *given))
    assert abs(found - 300) <= 300 * 0.03
    assert value(engine, distinct("category", sketch=14), each("category", *reversed(given))) == found
    assert value(engine, distinct("category", sketch=4), each("category", "only one")) == 1


def test_counts_between_edges_lose_nothing_at_either_end(engine):
    events = each("amount", *map(Decimal, ["-5", "0", "9.999999", "10", "10.000001", "50"]))
    assert value(engine, histogram("amount", edges=[0, 10, "10.0000005"]), events) == [1, 2, 1, 2]
    tenth = each("rating", 0.1, 0.09999999999999999, -0.0, 1e300)
    assert value(engine, histogram("rating", edges=[0, 0.1, 10**30]), tenth) == [0, 2, 1, 1]


@pytest.mark.parametrize(
    ("q", "right"), [(0, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.7, 7), (0.9, 9), (0.91, 10), (1, 10)]
)
def test_a_quantile_is_the_value_at_the_nearest_rank(engine, q, right):
    assert value(engine, quantile("items", q), each("items", *[10, 9, 8, 7, 6, 5, 4, 3, 2, 1])) == right


@pytest.mark.parametrize("error", [0.001, 0.01, 0.1])
def test_a_sketched_quantile_keeps_its_relative_error(engine, error):
    given = [Decimal(k**3).scaleb(-3) for k in range(-20, 60)] + [Decimal("123456789012.345678")]
    qs = [0, 0.05, 0.25, 0.26, 0.5, 0.99, 1]
    exact = values(engine, [quantile("amount", q, name=f"q{k}") for k, q in enumerate(qs)], each("amount", *given))
    sketched = [quantile("amount", q, sketch=error, name=f"q{k}") for k, q in enumerate(qs)]
    for found, right in zip(values(engine, sketched, each("amount", *given)), exact, strict=True):
        assert abs(found - float(right)) <= error * abs(float(right)) * (1 + 1e-12)


def test_a_ratio_is_of_sums_and_null_where_it_would_divide_by_zero(engine):
    events = [bought(NOON - DAY, amount=Decimal(10), items=3), bought(NOON - HOUR, amount=Decimal("0.5"))]
    assert value(engine, ratio("amount", "items"), events) == 10.5 / 3
    assert value(engine, ratio("items", "amount"), events) == 3 / 10.5
    assert value(engine, ratio("amount", "items"), events[1:]) is None
    large = [bought(NOON - DAY, id=str(k), amount=Decimal("999999999999.999999"), items=2**58) for k in range(3)]
    assert value(engine, ratio("amount", "items"), large) == (3 * (10**18 - 1)) / (3 * 2**58 * 10**6)


def test_a_rate_is_per_time_of_the_declared_window(engine):
    events = each("items", 1, 2, 3)
    asked = [rate(per="1d", over="7d"), rate(per="7d", over="7d"), rate(per="1h", over="7d", where="items > 1")]
    assert values(engine, asked, events) == [3 / 7, 3.0, 2 / 168]


def test_a_share_counts_what_is_true_over_all_there_is(engine):
    events = each("items", 1, 2, 3, None)
    assert value(engine, share("items > 1", name="s"), events) == 0.5
    assert value(engine, share("items > 1", where="items is not null", name="s"), events) == 2 / 3
    assert value(engine, share("items > 1", over="7d", where="items > 9", name="s"), events) is None


def test_keys_make_a_feature_for_each(engine):
    events = each("category", "books", "toys", "books", "men's wear", None)
    made = count(by="category", keys=["books", "men's wear", "garden"])
    signal = Signal("s", version=1, entity="customer", of="commerce.purchase", features=[made])
    (row,) = engine.features(signal, events, [(1, NOON)])
    assert dict(list(row.items())[2:]) == {"purchases_books": 2, "purchases_men_s_wear": 1, "purchases_garden": 0}


def test_without_keys_a_map_has_every_value_that_occurs(engine):
    events = [
        bought(NOON - 4 * HOUR, category="toys", amount=Decimal(3), items=1),
        bought(NOON - 3 * HOUR, category="books", amount=Decimal(5), items=2),
        bought(NOON - 2 * HOUR, category="books", items=2),
        bought(NOON - HOUR, amount=Decimal(7), items=4),
    ]
    asked = [count(by="category"), total("amount", by="category"), mean("items", by="category")]
    asked += [minimum("amount", by="category"), maximum("items", by="category"), distinct("items", by="category")]
    asked += [count(by="channel", over="1d")]
    assert values(engine, asked, events) == [
        {"books": 2, "toys": 1}, {"books": Decimal(5), "toys": Decimal(3)}, {"books": 2.0, "toys": 1.0},
        {"books": Decimal(5), "toys": Decimal(3)}, {"books": 2, "toys": 1}, {"books": 1, "toys": 1}, {"web": 4},
    ]  # fmt: skip


def test_a_map_keeps_its_thousand_most_frequent_keys(engine):
    given = [f"{k:04}" for k in range(1003)] + ["0001", "1001"]
    found = value(engine, count(by="category"), each("category", *given))
    assert len(found) == 1000
    assert (found["0001"], found["1001"], found["0998"]) == (2, 2, 1)
    assert {"0999", "1000", "1002"}.isdisjoint(found)
    assert list(found) == sorted(found)
