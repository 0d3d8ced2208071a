"""Declaring a happening that several channels report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ethogram.core.signals.aggregates.basic import count, total
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.signals.reconciled import Reconciled
from ethogram.core.taxonomy import Behavior, Channel, Entity, Property, Taxonomy
from ethogram.errors import Problems

PURCHASE = Behavior(
    "commerce.purchase", "Paid.", "purchase", "purchases", "customer", ("customer", "household"),
    properties={"amount": Property("amount", "money", scale=2), "order_id": Property("order_id", "string")},
)  # fmt: skip
REPORT = Behavior(
    "commerce.report", "Said.", "report", "reports", "customer", ("customer",),
    properties={"amount": Property("amount", "money", scale=6), "order_id": Property("order_id", "integer", unit="1")},
)  # fmt: skip
TAXONOMY = Taxonomy(
    entities={n: Entity(n, "Who.", f"{n}s", f"{n}_id") for n in ("customer", "household")},
    channels={n: Channel(n, "Where.") for n in ("store", "web")},
    behaviors={b.id: b for b in (PURCHASE, REPORT)},
)
DEALS = Reconciled("deals", of="commerce.purchase", priority=["store", "web"], within="10m", match=["amount"])
BOTH = Reconciled(
    "deals", of=["commerce.report", "commerce.purchase"], by="behavior", within="10m",
    priority=["commerce.purchase", "commerce.report"], match=["amount"],
)  # fmt: skip


def signal(of: Reconciled, *features) -> Signal:
    return Signal("s", version=1, entity="customer", of=of, features=list(features) or [count()])


def problems(of: Reconciled, *features) -> list[str]:
    with pytest.raises(Problems) as caught:
        plan_signal(signal(of, *features), TAXONOMY)
    return list(caught.value.problems)


def test_features_are_named_after_what_was_reconciled():
    plan = plan_signal(signal(DEALS, count(over="7d"), total("amount", over="7d")), TAXONOMY)
    assert [feature.name for feature in plan.features] == ["deals_7d", "deal_amount_sum_7d"]
    assert plan.features[0].facts()["reconciled"] == {
        "by": "channel", "priority": ["store", "web"], "within": "10m", "match": ["amount"],
    }  # fmt: skip


def test_a_property_to_match_is_compared_at_its_finest_scale():
    plan = plan_signal(signal(BOTH), TAXONOMY)
    assert plan.behaviors == ("commerce.purchase", "commerce.report")
    assert plan.features[0].stream.reconciled.match == (("amount", "money", 6),)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (replace(DEALS, within="ten"), "within"),
        (replace(DEALS, by="source"), 'by="source" is none of channel, behavior'),
        (
            replace(DEALS, priority=["store", "wbe"]),
            "priority names the channel 'wbe', which is none; did you mean web?",
        ),
        (replace(DEALS, priority=["store"]), "priority lists store; list two or more, each once"),
        (replace(DEALS, priority=["web", "web"]), "list two or more, each once"),
        (
            replace(DEALS, match=["amonut"]),
            "commerce.purchase has no property 'amonut' to match by; did you mean amount?",
        ),
        (replace(BOTH, match=["order_id"]), "order_id is integer here and string there; match by another"),
        (
            replace(BOTH, priority=["commerce.purchase", "commerce.refund"]),
            "priority names the behavior 'commerce.refund'",
        ),
    ],
)
def test_a_mistake_is_named(declared, said):
    (problem,) = problems(declared)
    assert said in problem


def test_what_is_reconciled_is_reconciled_for_each_entity():
    (problem,) = problems(DEALS, replace(count(name="n"), via="household"))
    assert "deals are reconciled for each customer; drop via=" in problem
