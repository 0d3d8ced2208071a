"""The vocabulary that the reference workspace commits."""

import re
from pathlib import Path

import pytest

from ethogram.core.taxonomy import Taxonomy, load_taxonomy

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    files = (ROOT / "feature_repo" / "taxonomy").rglob("*.yaml")
    return load_taxonomy({str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files})


def test_it_loads_without_a_problem_and_has_sixty_behaviors_in_five_domains(taxonomy):
    assert taxonomy.domains == ("campaign", "commerce", "engagement", "learning", "support")
    assert len(taxonomy) >= 60
    assert all(len(taxonomy.match(f"{domain}.*")) >= 10 for domain in taxonomy.domains)


def test_every_behavior_says_in_a_sentence_who_did_what(taxonomy):
    briefs = [b.brief for b in taxonomy]
    assert all(brief.endswith(".") and len(brief.split()) >= 3 for brief in briefs)
    assert len(set(briefs)) == len(briefs)


def test_entities_roll_up_as_the_data_needs(taxonomy):
    assert taxonomy.ancestors("enrolment") == ("student",)
    assert taxonomy.ancestors("ticket") == ("customer", "household")


def test_default_feature_names_read_well(taxonomy):
    named = {
        id: (taxonomy.behavior(id).noun, taxonomy.behavior(id).plural) for id in ("commerce.purchase", "learning.click")
    }
    assert named["commerce.purchase"] == ("purchase", "purchases")
    # One event of learning.click sums a day's clicks: counting events must not be called counting clicks.
    assert named["learning.click"] == ("click", "click_days")


@pytest.mark.parametrize(
    ("data", "id", "entities", "properties"),
    [
        ("online_retail", "commerce.purchase", {"customer"}, {"amount", "items"}),
        ("online_retail", "commerce.refund", {"customer"}, {"amount"}),
        ("complete_journey", "commerce.purchase", {"customer", "household"}, {"amount", "items", "discount"}),
        ("complete_journey", "campaign.campaign_received", {"customer", "household"}, {"campaign_id", "kind"}),
        ("complete_journey", "campaign.coupon_redeemed", {"customer", "household"}, {"coupon_code", "campaign_id"}),
        ("cdnow", "commerce.purchase", {"customer"}, {"amount", "items"}),
        (
            "incident_log",
            "support.ticket_opened",
            {"customer", "ticket"},
            {"priority", "impact", "urgency", "category"},
        ),
        ("incident_log", "support.ticket_updated", {"customer", "ticket"}, {"priority"}),
        ("incident_log", "support.ticket_assigned", {"customer", "ticket"}, {"team", "reassignments"}),
        ("incident_log", "support.ticket_awaiting_customer", {"customer", "ticket"}, set()),
        ("incident_log", "support.ticket_awaiting_others", {"customer", "ticket"}, {"reason"}),
        ("incident_log", "support.ticket_resolved", {"customer", "ticket"}, set()),
        ("incident_log", "support.ticket_reopened", {"customer", "ticket"}, set()),
        ("incident_log", "support.ticket_closed", {"customer", "ticket"}, set()),
        ("incident_log", "support.sla_missed", {"customer", "ticket"}, {"priority"}),
        ("stats_stackexchange", "engagement.signed_up", {"user"}, set()),
        ("stats_stackexchange", "engagement.question_posted", {"user"}, {"post_id"}),
        ("stats_stackexchange", "engagement.answer_posted", {"user"}, {"post_id"}),
        ("stats_stackexchange", "engagement.page_written", {"user"}, {"post_id", "kind"}),
        ("stats_stackexchange", "engagement.badge_earned", {"user"}, set()),
        ("stats_stackexchange", "engagement.post_linked", {"user"}, {"post_id", "duplicate"}),
        ("oulad", "learning.registered", {"enrolment", "student"}, {"module", "presentation"}),
        ("oulad", "learning.withdrew", {"enrolment", "student"}, {"module", "presentation"}),
        ("oulad", "learning.click", {"enrolment", "student"}, {"activity", "clicks"}),
        ("oulad", "learning.assessment_submitted", {"enrolment", "student"}, {"kind", "weight", "banked"}),
        ("oulad", "learning.assessment_scored", {"enrolment", "student"}, {"kind", "weight", "score"}),
        ("shop", "engagement.page_viewed", {"customer", "visitor"}, {"device", "campaign_id"}),
        ("shop", "commerce.product_viewed", {"customer", "visitor"}, {"product_id", "category"}),
        ("shop", "engagement.searched", {"customer", "visitor"}, set()),
        ("shop", "commerce.cart_add", {"customer", "visitor"}, {"product_id", "category"}),
        ("shop", "commerce.cart_remove", {"customer", "visitor"}, {"product_id", "category"}),
        ("shop", "commerce.checkout_started", {"customer", "visitor"}, set()),
        ("shop", "commerce.checkout_failed", {"customer", "visitor"}, set()),
        ("shop", "commerce.purchase_reported", {"customer"}, {"amount", "items", "order_id"}),
        ("shop", "commerce.refund", {"customer"}, {"amount", "order_id", "reason"}),
        ("shop", "campaign.treatment_assigned", {"customer"}, {"campaign_id", "arm", "kind"}),
        ("shop", "campaign.message_sent", {"customer"}, {"campaign_id", "send_id"}),
        ("shop", "campaign.message_opened", {"customer"}, {"campaign_id", "send_id"}),
        ("shop", "campaign.message_clicked", {"customer"}, {"campaign_id", "send_id"}),
        ("shop", "campaign.coupon_issued", {"customer"}, {"coupon_code", "campaign_id"}),
        ("shop", "support.ticket_replied", {"customer", "ticket"}, {"topic"}),
        ("shop", "support.call_made", {"customer", "ticket"}, {"duration_s", "waited_s"}),
        ("shop", "support.outage_affected", {"customer", "visitor"}, {"service"}),
        ("shop", "engagement.identity_linked", {"customer", "visitor"}, {"device"}),
        ("shop", "engagement.consent_changed", {"customer"}, {"purpose", "allowed"}),
    ],
)
def test_the_data_maps_onto_it_and_what_the_data_needs_is_stable(taxonomy, data, id, entities, properties):
    behavior = taxonomy.behavior(id, where=data)
    assert entities <= set(behavior.entities)
    assert properties <= behavior.properties.keys()
    assert behavior.stability == "stable"


def test_a_submission_does_not_know_its_score(taxonomy):
    assert "score" not in taxonomy.behavior("learning.assessment_submitted").properties


def test_what_is_paid_is_money_and_what_is_counted_is_summable(taxonomy):
    assert taxonomy.behavior("commerce.purchase").properties["amount"].type == "money"
    assert all(p.summable for b in taxonomy for p in b.properties.values() if p.unit)


def test_the_guide_names_only_behaviors_that_exist_or_its_example_of_a_retired_one(taxonomy):
    guide = (ROOT / "docs" / "taxonomy.md").read_text(encoding="utf-8")
    named = set(re.findall(rf"\b(?:{'|'.join(taxonomy.domains)})\.(?!yaml)[a-z_]+[a-z]\b", guide))
    assert named - taxonomy.behaviors.keys() == {"commerce.order_placed"}
    assert len(named) > 10
