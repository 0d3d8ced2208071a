import dataclasses

import pytest

from ethogram.core.content.origin import Origin
from ethogram.core.signals.aggregates.basic import count, maximum, mean, recency, total
from ethogram.core.signals.aggregates.ratios import share
from ethogram.core.signals.aggregates.sequences import funnel, ngrams, sequence, time_since_each, transitions
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.signals.sessions import Sessions
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy
from ethogram.errors import Problems

HERE = Origin("feature_repo/teams/growth/signals.py", 12)
VIEW = Behavior(
    "engagement.view", "Looked.", "view", "views", "customer", ("customer",),
    properties={"page": Property("page", "string"), "seconds": Property("seconds", "integer", unit="s")},
)  # fmt: skip
CART = Behavior("commerce.cart_add", "Took.", "cart_add", "cart_adds", "customer", ("customer",))
POST = Behavior("community.post", "Wrote.", "post", "posts", "user", ("user",))
TAXONOMY = Taxonomy(
    entities={name: Entity(name, "Who.", f"{name}s", f"{name}_id") for name in ("customer", "user")},
    behaviors={b.id: b for b in (VIEW, CART, POST)},
)


def visits(**settings) -> Sessions:
    given = {"name": "visits", "entity": "customer", "of": ["engagement.*", "commerce.cart_add"]} | settings
    return Sessions(**given, origin=HERE)


def signal(*features, of=None, **settings) -> Signal:
    placed = [dataclasses.replace(feature, origin=Origin(HERE.path, 20)) for feature in features]
    given = {"name": "s", "version": 1, "entity": "customer", "of": of or visits(), "features": placed}
    return Signal(**given | settings)


def problems(declared: Signal) -> list[str]:
    with pytest.raises(Problems) as caught:
        plan_signal(declared, TAXONOMY)
    return list(caught.value.problems)


def test_features_are_named_after_the_sessions():
    features = [count(over=["7d", "30d"]), mean("duration", over="30d"), recency(), transitions(over="90d"),
                ngrams(3), sequence(5, property="entry"), time_since_each(property="exit"),
                share("reached('commerce.cart_add')", over="30d", name="cart_reach_30d"),
                maximum("steps('engagement.view', 'commerce.cart_add')", name="steps")]  # fmt: skip
    plan = plan_signal(signal(*features), TAXONOMY)
    assert [feature.name for feature in plan.features] == [
        "visits_7d", "visits_30d", "visit_duration_mean_30d", "days_since_visit", "visit_transitions_90d",
        "visit_3grams", "last_5_visit_entry", "days_since_each_visit_exit", "cart_reach_30d", "steps",
    ]  # fmt: skip
    assert [feature.type for feature in plan.features][4:8] == [
        "map<double>", "map<integer>", "list<string>", "map<double>",
    ]  # fmt: skip
    assert plan.behaviors == ("commerce.cart_add", "engagement.view")


def test_what_makes_a_session_is_part_of_what_a_feature_means():
    (one,), (other,) = (
        [f.facts() for f in plan_signal(signal(count(), of=visits(gap=gap)), TAXONOMY).features]
        for gap in ("30m", "31m")
    )
    assert one["sessions"]["gap"] == "30m"
    assert {**one, "sessions": None} == {**other, "sessions": None}
    assert one != other


def test_only_what_is_needed_is_read():
    plan = plan_signal(signal(count(), mean("duration"), count(where="entry = 'x' and channel = 'web'", name="n"),
                              transitions(property="page", of=visits(of="engagement.view"))), TAXONOMY)  # fmt: skip
    assert [list(feature.reads) for feature in plan.features] == [[], [], ["behavior", "channel"], ["page"]]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"gap": "0m"}, 'gap="0m" makes every event a session'),
        ({"gap": "30"}, 'gap="30" has no unit'),
        ({"gap": "1h", "max_length": "30m"}, 'max_length="30m" is less than gap="1h"'),
        ({"cut": "noon"}, 'cut="noon" is none of midnight, campaign'),
        ({"cut": "midnight", "timezone": "Mars/Base"}, 'no time zone named "Mars/Base"'),
        ({"timezone": "Europe/London"}, 'timezone= is for cut="midnight"'),
        ({"cut": "campaign"}, "no behavior of visits has a property 'campaign_id'"),
        ({"cut": "campaign", "campaign": "seconds"}, "'seconds' is of type integer; a campaign is named by a string"),
        ({"of": "engagment.*"}, "did you mean"),
        ({"of": "community.post"}, "community.post has no entity 'customer'"),
        ({"where": "pag = 'x'", "of": "engagement.view"}, "nothing is named 'pag'"),
    ],
)
def test_sessions_that_make_no_sense_are_refused_once_with_their_line(declared, said):
    (found,) = problems(signal(count(), recency(), of=visits(**declared)))
    assert said in found
    assert found.startswith("feature_repo/teams/growth/signals.py:12: ")


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        (mean("length"), "visits has no property 'length'"),
        (total("entry"), "which is a string"),
        (sequence(), "sequence of visits has no one behavior; they have duration"),
        (count(by="behavior"), "count_by of visits has no one behavior"),
        (count(by="page"), "visits has no property 'page'"),
        (count(where="reached('commerce.cart_ad')", name="n"), "did you mean commerce.cart_add?"),
        (count(where="reached(entry)", name="n"), "reached takes behaviors written out"),
        (count(where="reach('commerce.cart_add')", name="n"), "no function named 'reach'"),
        (count(where="events", name="n"), "a boolean is needed"),
        (mean("steps('engagement.view', 'commerce.cart_add')"), "needs a name="),
        (funnel(["engagement.view", "commerce.cart_add"]), "funnel of visits has no one behavior"),
        (funnel(["engagement.view", "commerce.cart_add"], of="engagement.*"), "never meets 'commerce.cart_add'"),
        (funnel(["engagement.view"], of="engagement.*"), "two steps or more"),
        (sequence(0, of="engagement.*"), "k=0 is no whole number from 1 to 1,000"),
        (transitions(1), "k=1 is no whole number from 2 to 5"),
        (transitions(as_="odds"), 'as_="odds" is neither probability nor count'),
        (transitions(property="seconds", of="engagement.view"), "which is a integer"),
        (time_since_each(unit="moons", of="engagement.*"), 'unit="moons" is none of'),
    ],
)
def test_features_that_make_no_sense_are_refused_with_their_line(feature, said):
    (found,) = problems(signal(feature))
    assert said in found
    assert found.startswith("feature_repo/teams/growth/signals.py:20: ")


def test_sessions_of_one_entity_are_none_of_another():
    said = problems(signal(count(), entity="user"))
    assert said == [
        "feature_repo/teams/growth/signals.py:20: visits are sessions of a customer, and s is about a user; "
        "declare sessions of a user"
    ]
