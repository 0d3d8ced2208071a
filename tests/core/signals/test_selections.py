"""What planning refuses of moments, selections, ratios and buckets; and what they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ethogram.core.observations import population
from ethogram.core.outcomes.declaration import Outcome, absence
from ethogram.core.outcomes.plan import plan_outcome
from ethogram.core.signals.aggregates.aggregate import BadFeature
from ethogram.core.signals.aggregates.basic import count, mean, total
from ethogram.core.signals.aggregates.derivation import derived
from ethogram.core.signals.aggregates.moments import skew, std, variance
from ethogram.core.signals.aggregates.ratios import rate, ratio, share
from ethogram.core.signals.aggregates.selections import distinct, frequent, histogram, last_k, quantile, top_k
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import SignalPlan, plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy
from ethogram.errors import AskedWrongly, Problems

TAXONOMY = Taxonomy(
    entities={"customer": Entity("customer", "Who buys.", "customers", "customer_id")},
    behaviors={"commerce.purchase": Behavior(
        "commerce.purchase", "Paid.", "purchase", "purchases", "customer", ("customer",),
        properties={
            "amount": Property("amount", "money", scale=6), "rating": Property("rating", "double", unit="1"),
            "items": Property("items", "integer", unit="1"), "category": Property("category", "string"),
            "gift": Property("gift", "boolean"), "weight": Property("weight", "number", unit="kg", scale=3),
        },
    )},
)  # fmt: skip


def planned(*features: Any) -> SignalPlan:
    declared = Signal("s", version=1, entity="customer", of="commerce.purchase", features=[*features])
    return plan_signal(declared, TAXONOMY)


def test_names_and_types_say_what_it_is():
    features = [
        variance("weight", over="30d"), std("amount"), skew("items"), last_k("category", 3, over="90d"),
        top_k("amount", 2), frequent("category", 2), distinct("category", over="7d"), histogram("category"),
        histogram("amount", edges=[1, 2], name="amounts"), quantile("amount", 0.5), quantile("items", 0.999, over="7d"),
        quantile("amount", 0.95, sketch=0.01), ratio("amount", "items", over="90d"), rate(per="1d", over="30d"),
        share("gift", name="gift_share"), count(by="category", over="30d"), total("amount", by="channel"),
        count(by="category", keys=["books", "Men's wear"], over="30d"),
        mean("amount", by="category", keys=["a"], name="m"),
    ]  # fmt: skip
    plan = planned(*features)
    assert [(f.name, f.type, f.unit) for f in plan.features] == [
        ("purchase_weight_variance_30d", "double", "kg²"),
        ("purchase_amount_std", "double", "1"),
        ("purchase_items_skew", "double", "1"),
        ("purchase_category_last_3_90d", "list<string>", "1"),
        ("purchase_amount_top_2", "list<decimal>", "1"),
        ("purchase_category_frequent_2", "list<string>", "1"),
        ("purchase_category_distinct_7d", "integer", "1"),
        ("purchase_category_histogram", "map<integer>", "1"),
        ("amounts", "list<integer>", "1"),
        ("purchase_amount_p50", "decimal", "1"),
        ("purchase_items_p99_9_7d", "integer", "1"),
        ("purchase_amount_p95", "double", "1"),
        ("purchase_amount_per_items_90d", "double", "1"),
        ("purchases_per_1d_30d", "double", "1/1d"),
        ("gift_share", "double", "1"),
        ("purchases_by_category_30d", "map<integer>", "1"),
        ("purchase_amount_sum_by_channel", "map<decimal>", "1"),
        ("purchases_books_30d", "integer", "1"),
        ("purchases_men_s_wear_30d", "integer", "1"),
        ("m_a", "double", "1"),
    ]
    assert plan.features[18].where.text == "category = 'Men''s wear'"
    assert plan.features[12].facts()["also"] == ["items"]


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        (lambda: variance("rating"), "variance of rating, which is an unscaled double"),
        (lambda: std("category"), "std of category, which is a string"),
        (lambda: last_k("category", 0), "k=0: take a whole number from 1 to 1,000"),
        (lambda: top_k("amount", 1001), "k=1001: take a whole number from 1 to 1,000"),
        (lambda: top_k("gift", 2), "top_k of gift, which is a boolean"),
        (lambda: frequent("category", 0), "k=0: take a whole number from 1 to 1,000"),
        (lambda: distinct("category", at_most=0), "at_most=0: take a whole number from 1 on"),
        (lambda: distinct("category", sketch=3), "sketch=3: take from 4"),
        (lambda: histogram("amount"), "histogram of amount, which is a money"),
        (lambda: histogram("category", edges=[1]), "histogram_edges of category, which is a string"),
        (lambda: histogram("amount", edges=[]), "edges=: take 1 to 1,000 finite numbers, not 0"),
        (lambda: histogram("amount", edges=[2, 1]), "edges= have to rise"),
        (lambda: histogram("amount", edges=["one"]), "take numbers"),
        (lambda: quantile("category", 0.5), "quantile of category, which is a string"),
        (lambda: quantile("amount", 50), "q=50: take a share from 0 to 1"),
        (lambda: quantile("amount", 0.1234567891), "q=0.1234567891: nine digits are the most"),
        (lambda: quantile("amount", 0.5, sketch=0.9), "sketch=0.9: take a relative error"),
        (lambda: ratio("amount", "itms"), "has no property 'itms'; did you mean items?"),
        (lambda: ratio("amount", "rating"), "ratio of rating, which is an unscaled double"),
        (lambda: rate(per="0s", over="7d"), 'per="0s" is no time at all'),
        (lambda: rate(per="1d", over=()), "a rate needs a window"),
        (lambda: share("amount", name="s"), "amount"),
        (lambda: count(by="amount"), "count_by of amount, which is a money"),
        (lambda: count(by="categry"), "has no property 'categry'; did you mean category?"),
        (lambda: count(keys=["a"]), "name it in by="),
        (lambda: count(by="category", keys=["é"]), "no name can be made of the key 'é'"),
        (lambda: count(by="category", keys=["a b", "a-b"]), "two features are named purchases_a_b"),
        (lambda: count(by="amount", keys=["a"]), "amount"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(feature: Callable[[], Any], message: str):
    with pytest.raises(Problems) as problem:
        planned(feature())
    assert message in str(problem.value)
    assert all(said.startswith("<") or ":" in said for said in problem.value.problems)


def test_settings_that_exclude_each_other_are_refused_where_they_are_written():
    with pytest.raises(BadFeature, match="exclude each other"):
        distinct("category", at_most=3, sketch=12)
    with pytest.raises(BadFeature, match="take one of them"):
        histogram("amount", edges=[1], k=3)


def test_a_list_or_a_map_in_an_expression_is_an_error_that_says_so():
    lists = last_k("category", 2, name="l")
    with pytest.raises(Problems, match=r"l is a list<string>, and expressions read single values"):
        planned(lists, derived("d", "l + 1"))
    outcome = Outcome("o", "customer", absence("commerce.purchase", within="90d"), among="s.l = 'a'")
    with pytest.raises(AskedWrongly, match=r"among names a list or a map: l is a list<string>"):
        population(plan_outcome(outcome, TAXONOMY), {"s": planned(lists)})
