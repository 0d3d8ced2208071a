import pytest

from ethogram.core.signals.aggregates.basic import count, mean
from ethogram.core.signals.aggregates.derivation import derived, rolled_up, shrunk
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy
from ethogram.errors import EthogramError, Problems

TAXONOMY = Taxonomy(
    entities={"customer": Entity("customer", "Who buys.", "customers", "customer_id")},
    behaviors={"commerce.purchase": Behavior(
        "commerce.purchase", "Paid.", "purchase", "purchases", "customer", ("customer",),
        properties={"amount": Property("amount", "money", scale=6)},
    )},
)  # fmt: skip


def planned(*features):
    return plan_signal(
        Signal("s", version=1, entity="customer", of="commerce.purchase", features=[*features]), TAXONOMY
    )


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([derived("a", "b + 1"), derived("b", "a + 1")], "a is derived from itself: a → b → a; leave one of them out"),
        ([derived("a", "a + 1")], "a is derived from itself: a → a"),
        ([count(name="n"), derived("a", "nn + 1")], "a names 'nn', which is no feature here; did you mean n?"),
        ([count(name="n"), derived("a", "n and true")], "and"),
        ([count(name="n"), derived("n", "1 + 1")], "two features are named n"),
        ([derived("a", "null")], "a is always null"),
        ([rolled_up("household", count(name="n"))], "no entity named 'household'"),
    ],
)
def test_what_cannot_be_derived_is_refused_with_its_line(features, message):
    with pytest.raises(Problems) as problem:
        planned(*features)
    assert message in str(problem.value)
    assert "(code):0" in str(problem.value)


def test_a_prior_without_weight_is_refused():
    with pytest.raises(EthogramError, match="worth more than 0"):
        shrunk("amount", strength=0, name="x")


def test_features_that_are_left_out_are_still_computed_for_those_derived_from_them():
    plan = planned(count(over="7d"), mean("amount", name="m"), derived("x", "purchases_7d * 2")).only(["x"])
    assert [feature.name for feature in plan.features] == ["x"]
    assert [feature.name for feature in plan.computed] == ["purchases_7d", "x"]
