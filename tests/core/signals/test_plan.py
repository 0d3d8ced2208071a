from datetime import timedelta

import pytest

from ethogram.core.outcomes.declaration import Outcome, absence, occurrence
from ethogram.core.outcomes.plan import plan_outcome
from ethogram.core.signals.aggregates.basic import count, last, maximum, mean, recency, total
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy
from ethogram.errors import Problems

PURCHASE = Behavior(
    "commerce.purchase", "Paid.", "purchase", "purchases", "customer", ("customer", "household"),
    properties={
        "amount": Property("amount", "money", scale=6), "rating": Property("rating", "double", unit="1"),
        "category": Property("category", "string"),
    },
)  # fmt: skip
VISIT = Behavior("engagement.visit", "Came.", "visit", "visits", "customer", ("customer",))
POST = Behavior("engagement.post", "Wrote.", "post", "posts", "user", ("user",))
TAXONOMY = Taxonomy(
    entities={n: Entity(n, "Who.", f"{n}s", f"{n}_id") for n in ("customer", "household", "user")},
    behaviors={b.id: b for b in (PURCHASE, VISIT, POST)},
)


def signal(*features, **settings) -> Signal:
    return Signal(**{"name": "s", "version": 1, "entity": "customer", "of": "commerce.purchase",
                     "features": list(features)} | settings)  # fmt: skip


def problems(declared) -> list[str]:
    plan = plan_signal if isinstance(declared, Signal) else plan_outcome
    with pytest.raises(Problems) as caught:
        plan(declared, TAXONOMY)
    return list(caught.value.problems)


def test_features_are_named_after_their_behavior_and_window():
    features = [count(over=["7d", "12h"]), count(), total("amount", over="90d"), mean("amount"), recency(unit="hours")]
    plan = plan_signal(signal(*features, recency(over="30d"), last("category")), TAXONOMY)
    assert [f.name for f in plan.features] == [
        "purchases_7d", "purchases_12h", "purchases", "purchase_amount_sum_90d", "purchase_amount_mean",
        "hours_since_purchase", "days_since_purchase_30d", "purchase_category_last",
    ]  # fmt: skip
    assert [f.type for f in plan.features][3:] == ["decimal", "double", "double", "double", "string"]


def test_a_pattern_takes_the_behaviors_of_the_signals_entity_only():
    plan = plan_signal(signal(count(), of="engagement.*"), TAXONOMY)
    assert plan.features[0].behaviors == ("engagement.visit",)
    assert plan.features[0].name == "engagement_events"


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (signal(total("amout", over="7d")), "has no property 'amout'; did you mean amount?"),
        (signal(total("rating")), "an unscaled double, whose sum depends on order"),
        (signal(total("category")), "which is a string"),
        (signal(maximum("category")), "max of category, which is a string"),
        (signal(count(over="90")), 'over="90" has no unit'),
        (signal(count(over="10m")), "under 12 hops"),
        (signal(count(over=["7d", "30d"], name="n")), "would name 2 features"),
        (signal(count(), count()), "two features are named purchases"),
        (signal(recency(unit="months")), 'unit="months" is none of weeks'),
        (signal(), "has no features"),
        (signal(count(), entity="user"), "has no entity 'user'"),
        (signal(count(), entity="custmer"), "did you mean customer or user?"),
        (signal(count(of="commerce.purchse")), "did you mean commerce.purchase?"),
        (signal(count(), freshness="weekly"), 'freshness="weekly" is none of'),
        (signal(count(), delay="2h"), "a live signal has no delay"),
        (signal(count(), version=0), "versions count from 1"),
        (signal(count(where="amount")), "a boolean is needed"),
        (signal(count(where="amuont > 0")), "amuont"),
        (Outcome("o", "customer", absence("commerce.purchase", within="0d")), "no time at all"),
        (Outcome("o", "custmer", absence("commerce.purchase", within="1d")), "did you mean customer or user?"),
        (Outcome("o", "user", occurrence("commerce.purchase", within="1d")), "has no entity 'user'"),
        (Outcome("o", "customer", occurrence("commerce.purchase", within="1d", where="amount")), "a boolean is needed"),
        (Outcome("o", "customer", occurrence("commerce.purchase", within="1d"), among="a >"), "ends early"),
    ],
)
def test_what_makes_no_sense_is_refused_and_said(declared, said):
    (only,) = problems(declared)
    assert said in only


def test_all_problems_come_at_once():
    declared = signal(total("amout"), count(over="90"), freshness="weekly", stability="sturdy", delay="soon")
    assert len(problems(declared)) == 5


def test_an_outcome_may_name_several_behaviors_and_patterns():
    declared = Outcome("o", "customer", absence(["commerce.purchase", "engagement.*"], within="7d"), matures_after="1d")
    plan = plan_outcome(declared, TAXONOMY)
    assert plan.behaviors == ("commerce.purchase", "engagement.visit")
    assert (plan.negate, plan.horizon, plan.matures_after) == (True, timedelta(days=7), timedelta(days=1))


def test_the_reference_workspaces_signals_and_outcomes_resolve(project):
    from ethogram.core.content.reader import read_module
    from ethogram.core.taxonomy import load_taxonomy
    from ethogram.core.workspace import NAMES

    folder = project / "feature_repo"
    texts = {path.relative_to(project).as_posix(): path.read_text() for path in folder.glob("taxonomy/**/*.yaml")}
    taxonomy = load_taxonomy(texts)
    signals, outcomes = {}, {}
    for path in sorted([*folder.glob("teams/*/signals.py"), *folder.glob("teams/*/outcomes.py")]):
        module = read_module(path.read_text(), path.relative_to(project).as_posix(), NAMES)
        assert module.problems == ()
        for value in module.values:
            if isinstance(value, Signal):
                signals[value.name] = plan_signal(value, taxonomy)
            elif isinstance(value, Outcome):
                outcomes[value.name] = plan_outcome(value, taxonomy)
    assert set(outcomes) == {"lapsed_90d", "withdrew_28d", "reopened_30d", "inactive_90d"}
    from ethogram.core.observations import population

    for outcome in outcomes.values():
        assert population(outcome, signals)
