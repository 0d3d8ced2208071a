"""Declaring that a signal follows an identity, and the map over both times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ethogram.core.signals.aggregates.basic import count
from ethogram.core.signals.declaration import EVERYONE, Signal
from ethogram.core.signals.identity import FOREVER, LONG_AGO, Attribution, Identity, Link, attributions
from ethogram.core.signals.plan import plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Taxonomy
from ethogram.errors import Problems

SIGN_IN = Behavior("account.signed_in", "In.", "sign_in", "sign_ins", "customer", ("customer", "visitor"))
VISIT = Behavior("engagement.visit", "Came.", "visit", "visits", "customer", ("customer", "visitor"))
VISITOR = Entity("visitor", "Who.", "visitors", "visitor_id", identified_as="customer",
                 identified_by=("account.signed_in",))  # fmt: skip
TAXONOMY = Taxonomy(
    entities={"customer": Entity("customer", "Who.", "customers", "customer_id"), "visitor": VISITOR},
    behaviors={b.id: b for b in (SIGN_IN, VISIT)},
)
SIGNAL = Signal("s", version=1, entity="customer", of="engagement.visit", features=[count(), count(over="7d")])


def test_a_signal_that_follows_an_identity_reads_what_tells_it_too():
    plan = plan_signal(replace(SIGNAL, identity="visitor"), TAXONOMY)
    assert plan.identities == (Identity("visitor", ("account.signed_in",)),)
    assert plan.behaviors == ("account.signed_in", "engagement.visit")
    assert plan.features[0].facts()["identity"] == {"entity": "visitor", "told_by": ["account.signed_in"]}


def test_a_signal_that_does_not_say_so_follows_none():
    plan = plan_signal(SIGNAL, TAXONOMY)
    assert (plan.identities, plan.behaviors) == ((), ("engagement.visit",))
    assert plan.features[0].facts()["identity"] is None


def test_features_of_everyone_count_events_and_need_no_identity():
    everyone = replace(count(name="all"), via=EVERYONE)
    plan = plan_signal(replace(SIGNAL, identity="visitor", features=[everyone]), TAXONOMY)
    assert plan.identities == ()


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        ("visitr", 'identity="visitr" is not identified as customer; did you mean visitor?'),
        ("customer", 'identity="customer" is not identified as customer; no entity has identified_as: customer'),
    ],
)
def test_an_identity_that_the_taxonomy_does_not_know_is_said_once(identity, said):
    taxonomy = (
        TAXONOMY if identity == "visitr" else replace(TAXONOMY, entities={"customer": TAXONOMY.entities["customer"]})
    )
    with pytest.raises(Problems) as caught:
        plan_signal(replace(SIGNAL, identity=identity), taxonomy)
    assert len(caught.value.problems) == 1
    assert said in caught.value.problems[0]


def link(occurred: int, known_as: int, *, told: int | None = None, until: int = FOREVER, id: str = "") -> Link:
    told = occurred if told is None else told
    return Link(5, occurred, told, id or f"{occurred}", known_as, max(told, occurred + 1), until)


def test_one_link_holds_for_all_times_from_when_it_is_known():
    assert attributions([link(10, 1)]) == [
        Attribution(5, 1, LONG_AGO, 10, 11, FOREVER), Attribution(5, 1, 10, FOREVER, 11, FOREVER),
    ]  # fmt: skip


def test_what_came_before_a_second_link_stays_with_the_first():
    assert attributions([link(10, 1), link(20, 2)]) == [
        Attribution(5, 1, LONG_AGO, 10, 11, FOREVER),
        Attribution(5, 1, 10, 20, 11, FOREVER),
        Attribution(5, 1, 20, FOREVER, 20, 21), Attribution(5, 2, 20, FOREVER, 21, FOREVER),
    ]  # fmt: skip


def test_a_device_that_changes_hands_often_has_a_map_that_grows_with_the_links_alone():
    many = [link(10 * n, n % 7) for n in range(2000)]
    assert len(attributions(many)) < 3 * len(many)
