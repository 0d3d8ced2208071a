"""Each rule with an input that breaks it; the behaviors stand in behaviors/commerce.yaml, the id on line 1."""

import pytest

from ethogram.core.expressions.syntax import KEYWORDS

HERE = "behaviors/commerce.yaml"


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("purchase", "write it in lower case letters, digits and underscores, as in commerce.purchase"),
        ("commerce.Purchase", "write it in lower case letters, digits and underscores, as in commerce.purchase"),
        ("commerce.sub.purchase", "write it in lower case letters, digits and underscores, as in commerce.purchase"),
        ("commerce.9lives", "write it in lower case letters, digits and underscores, as in commerce.purchase"),
        ("commerce.pur\u0441hase", "'\u0441' is CYRILLIC SMALL LETTER ES, not a letter of a to z"),
        ("commerce." + "p" * 60, "it has 69 characters; at most 60"),
    ],
)
def test_an_id_is_domain_dot_words_in_plain_lower_case(problems, behavior, id, said):
    assert f"{HERE}:1: {id!r} is no behavior id: {said}" in problems(behavior(id))


def test_a_behavior_stands_in_the_file_of_its_domain(problems, behavior):
    assert problems(behavior("support.call_made", "call")) == [
        f"{HERE}:1: support.call_made stands in commerce.yaml; it belongs in support.yaml"
    ]


def test_an_id_is_never_given_twice(problems, behavior):
    assert problems(behavior() + behavior(noun="buy")) == [
        f"{HERE}:7: behavior 'commerce.purchase' is already declared at t/{HERE}:1; a name is never given twice"
    ]


def test_a_retired_id_is_never_given_again(problems, behavior):
    text = behavior() + "- retired: commerce.purchase\n  reason: Meant orders.\n"
    assert problems(text) == [
        f"{HERE}:1: behavior 'commerce.purchase' was retired at t/{HERE}:7; a name is never given twice"
    ]


def test_a_retired_id_says_why_and_points_at_something_that_exists(problems, behavior):
    text = behavior() + "- retired: commerce.buy\n  replaced_by: commerce.purchas\n  until: x\n"
    assert problems(text) == [
        f"{HERE}:7: retired commerce.buy needs reason",
        f"{HERE}:7: retired commerce.buy is replaced by 'commerce.purchas', which is no behavior; "
        "did you mean commerce.purchase?",
        f"{HERE}:9: retired commerce.buy has no field 'until'; its fields are retired, reason, replaced_by",
    ]


@pytest.mark.parametrize(
    ("one", "other"), [("cart_add", "cartadd"), ("tum", "turn"), ("al", "a1"), ("vview", "wiew"), ("go", "g0")]
)
def test_ids_that_the_eye_takes_for_each_other_are_refused(problems, behavior, one, other):
    text = behavior(f"commerce.{one}", "first") + behavior(f"commerce.{other}", "second")
    assert problems(text) == [
        f"{HERE}:7: behavior 'commerce.{other}' looks like 'commerce.{one}', which is already declared at t/{HERE}:1; "
        "choose a name that reads differently"
    ]


def test_ids_that_differ_by_case_alone_are_refused(problems, behavior):
    assert (
        f"{HERE}:7: behavior 'commerce.Purchase' looks like 'commerce.purchase', which is already declared at "
        f"t/{HERE}:1; choose a name that reads differently"
    ) in problems(behavior() + behavior("commerce.Purchase", "buy"))


def test_required_fields_are_all_asked_for_at_once(problems):
    assert problems("- id: commerce.purchase\n") == [
        f"{HERE}:1: commerce.purchase needs noun",
        f"{HERE}:1: commerce.purchase needs actor",
        f"{HERE}:1: commerce.purchase needs stability",
        f"{HERE}:1: commerce.purchase needs brief",
        f"{HERE}:1: commerce.purchase needs since",
    ]


def test_an_unknown_field_is_told_with_the_nearest_one(problems, behavior):
    assert problems(behavior(propertys="{}")) == [
        f"{HERE}:7: commerce.purchase has no field 'propertys'; did you mean properties?"
    ]


def test_text_that_yaml_reads_as_a_number_is_told_how_to_write_it(problems, behavior):
    assert problems(behavior(since="1.0")) == [
        f'{HERE}:6: commerce.purchase: since must be text, not 1.0; write "1.0" in quotes'
    ]


def test_an_unknown_stability_is_told_with_the_nearest_one(problems, behavior):
    assert problems(behavior(stability="stabel")) == [
        f"{HERE}:5: commerce.purchase: stability cannot be 'stabel'; did you mean stable?"
    ]


def test_actor_other_entities_and_channels_must_be_declared(problems, behavior):
    assert problems(behavior(actor="custmer", entities="[visitr, store]", channels="[wep]")) == [
        f"{HERE}:4: commerce.purchase: no entity named 'custmer'; did you mean customer?",
        f"{HERE}:7: commerce.purchase: no entity named 'visitr'; did you mean visitor?",
        f"{HERE}:7: commerce.purchase: no entity named 'store'; did you mean visitor or customer?",
        f"{HERE}:8: commerce.purchase: no channel named 'wep'; did you mean web?",
    ]


def test_the_actor_is_not_listed_again(problems, behavior):
    assert problems(behavior(entities="[customer]")) == [
        f"{HERE}:7: commerce.purchase: entities lists the actor 'customer' again; list the others only"
    ]


def test_noun_plural_and_object_are_words_of_feature_names(problems, behavior):
    assert problems(behavior(noun="Buy", plural="many buys", object="an order")) == [
        f"{HERE}:3: commerce.purchase: noun 'Buy': write it in lower case letters, digits and underscores, "
        "as in purchase",
        f"{HERE}:7: commerce.purchase: plural 'many buys': write it in lower case letters, digits and underscores, "
        "as in purchase",
        f"{HERE}:8: commerce.purchase: object 'an order': write it in lower case letters, digits and underscores, "
        "as in order",
    ]


def test_one_noun_names_one_behavior(problems, behavior):
    text = behavior() + behavior("commerce.order", "order", plural="purchases")
    assert problems(text) == [
        f"{HERE}:9: commerce.order: 'purchases' already names commerce.purchase; feature names would collide"
    ]


def test_a_deprecated_behavior_leaves_its_noun_to_its_successor(read, behavior):
    old = behavior(
        "commerce.buy", stability="deprecated", deprecated="{reason: Renamed, replaced_by: commerce.purchase}"
    )
    assert len(read(old + behavior())) == 2


def test_a_deprecation_needs_a_reason_and_a_successor_or_a_date(problems, behavior):
    assert problems(behavior(stability="deprecated", deprecated="{date: 2027-13-01}")) == [
        f"{HERE}:7: commerce.purchase: deprecated needs reason",
        f"{HERE}:7: commerce.purchase: deprecated: date must be a date such as 2027-06-30, not '2027-13-01'",
    ]
    assert problems(behavior(stability="deprecated", deprecated="{reason: Gone.}")) == [
        f"{HERE}:7: commerce.purchase: deprecated needs replaced_by or date"
    ]


def test_stability_and_deprecation_agree(problems, behavior):
    assert problems(behavior(stability="deprecated")) == [
        f"{HERE}:5: commerce.purchase is deprecated but does not say why; add deprecated: {{reason: …}}"
    ]
    assert problems(behavior(deprecated="{reason: Gone., date: 2027-06-30}")) == [
        f"{HERE}:7: commerce.purchase has a deprecation but its stability is stable; say deprecated"
    ]


def test_a_successor_exists_and_is_not_deprecated_itself(problems, behavior):
    old = behavior(
        "commerce.buy", "buy", stability="deprecated", deprecated="{reason: R., replaced_by: commerce.purchas}"
    )
    assert problems(old + behavior()) == [
        f"{HERE}:7: commerce.buy: deprecated names 'commerce.purchas', which is no other behavior; "
        "did you mean commerce.purchase?"
    ]
    one = behavior("commerce.buy", "buy", stability="deprecated", deprecated="{reason: R., replaced_by: commerce.deal}")
    two = behavior("commerce.deal", "deal", stability="deprecated", deprecated="{reason: R., date: 2027-06-30}")
    assert problems(one + two) == [
        f"{HERE}:7: commerce.buy: deprecated names commerce.deal, which is deprecated too; name its successor"
    ]


def test_what_is_stable_does_not_point_at_what_is_deprecated(problems, read, behavior):
    old = behavior("commerce.buy", "buy", stability="deprecated", deprecated="{reason: R., date: 2027-06-30}")
    assert problems(old + behavior("commerce.refund", "refund", reverses="commerce.buy")) == [
        f"{HERE}:14: commerce.refund: reverses commerce.buy, which is deprecated; "
        "a stable behavior may not point at one"
    ]
    assert read(old + behavior("commerce.refund", "refund", reverses="commerce.buy", stability="development"))


def test_a_behavior_reverses_another_one_that_exists(problems, behavior):
    assert problems(behavior(reverses="commerce.purchase")) == [
        f"{HERE}:7: commerce.purchase: reverses names 'commerce.purchase', which is no other behavior; "
        "see `ethogram taxonomy`"
    ]


def test_an_alias_is_a_name_of_its_vocabulary(problems, behavior):
    assert problems(behavior(aliases="{ga4: purchas, segment: Order Complete, activitystreams: Buy, ga3: x}")) == [
        f"{HERE}:7: commerce.purchase: 'purchas' is no name in ga4; did you mean purchase or in_app_purchase?",
        f"{HERE}:7: commerce.purchase: 'Order Complete' is no name in segment; "
        "did you mean Order Completed or Video Ad Completed or Order Updated?",
        f"{HERE}:7: commerce.purchase: 'Buy' is no name in activitystreams; see its specification",
        f"{HERE}:7: commerce.purchase: aliases has no field 'ga3'; did you mean ga4?",
    ]


@pytest.mark.parametrize(
    ("property", "said"),
    [
        ("amount: {type: mony}", "property amount: type cannot be 'mony'; did you mean money?"),
        ("amount: {unit: s}", "property amount needs type"),
        ("items: {type: integer}", 'property items: a property of type integer needs a unit; "1" for a plain count'),
        ("amount: {type: money, unit: EUR}", "property amount: drop the unit; it takes its currency from the source"),
        ("kind: {type: string, unit: s}", "property kind: drop the unit; it is a string"),
        (
            "rate: {type: number, unit: furlong}",
            'property rate: \'furlong\' is no unit; write UCUM, as "s", "d", "%", "1" or "{point}"',
        ),
        ("amount: {type: money, scale: 2}", "property amount: drop the scale; money always has 6"),
        ('items: {type: integer, unit: "1", scale: 2}', "property items: drop the scale; only number has one"),
        ("rate: {type: number, unit: s, scale: 13}", "property rate: scale must be between 0 and 12, not 13"),
        ("open: {type: boolean, enum: [a]}", "property open: only a string has an enum"),
        (
            "kind: {type: string, privacy: secret}",
            "property kind: privacy cannot be 'secret'; it is one of none, behavioral, identifying, sensitive",
        ),
        ("kind: {type: string, requird: true}", "property kind has no field 'requird'; did you mean required?"),
        ("kind: string", "property kind must be fields with values, not 'string'"),
        ("occurred_at: {type: timestamp}", "property 'occurred_at' has a name that events or the language need"),
        ("visitor: {type: string}", "property 'visitor' has a name that events or the language need"),
        ("visitor_id: {type: string}", "property 'visitor_id' has a name that events or the language need"),
        (
            "Kind: {type: string}",
            "property 'Kind': write it in lower case letters, digits and underscores, as in amount",
        ),
    ],
)
def test_a_property_that_breaks_a_rule_is_named(problems, behavior, property, said):
    assert problems(behavior() + f"  properties:\n    {property}\n") == [f"{HERE}:8: commerce.purchase: {said}"]


@pytest.mark.parametrize("word", sorted(KEYWORDS))
def test_no_property_is_called_as_a_word_of_the_expression_language(problems, behavior, word):
    assert problems(behavior() + f"  properties:\n    '{word}': {{type: string}}\n") == [
        f"{HERE}:8: commerce.purchase: property {word!r} has a name that events or the language need"
    ]


def test_two_properties_of_a_behavior_do_not_look_alike(problems, behavior):
    text = behavior() + "  properties:\n    order_id: {type: string}\n    orderid: {type: string}\n"
    assert problems(text) == [f"{HERE}:9: commerce.purchase: property 'orderid' looks like 'order_id'; choose another"]


def test_one_property_name_has_one_type_and_unit_everywhere(problems, behavior):
    text = behavior(properties="{rate: {type: number, unit: s}}")
    text += behavior("commerce.refund", "refund", properties="{rate: {type: number, unit: s, scale: 2}}")
    assert problems(text) == [
        f"{HERE}:14: commerce.refund: property rate is number with scale 2 in s here but number with scale 6 in s "
        "in commerce.purchase; one name has one type and unit everywhere"
    ]


def test_examples_are_events_that_could_be(problems, behavior):
    text = behavior(
        channels="[web]",
        properties='{amount: {type: money, required: true}, items: {type: integer, unit: "1"}, day: {type: date}}',
    )
    text += "  examples: [{amount: 3}, {customer: 1, items: many}, {customer: 1, amount: x, day: May, itms: 2}, 7]\n"
    text += "" if text.endswith("\n") else "\n"
    assert problems(text) == [
        f"{HERE}:9: commerce.purchase: an example must be fields with values, not 7",
        f"{HERE}:9: commerce.purchase: an example names nobody; give customer",
        f"{HERE}:9: commerce.purchase: an example lacks amount, which is required",
        f"{HERE}:9: commerce.purchase: in an example, items must be an integer, not 'many'",
        f"{HERE}:9: commerce.purchase: in an example, amount must be a number, not 'x'",
        f"{HERE}:9: commerce.purchase: in an example, day must be a date such as 2026-05-01, not 'May'",
        f"{HERE}:9: commerce.purchase: an example says 'itms'; did you mean items?",
    ]
    assert problems(behavior(channels="[web]", examples="[{customer: 1, channel: store}]")) == [
        f"{HERE}:8: commerce.purchase: an example has the channel 'store', which is not listed"
    ]


def test_entities_roll_up_to_one_another_without_a_circle(problems):
    text = "- {name: a, brief: A., rolls_up_to: b}\n- {name: b, brief: B., rolls_up_to: c}\n"
    text += "- {name: c, brief: C., rolls_up_to: b}\n- {name: d, brief: D., rolls_up_to: bb}\n"
    assert problems(entities=text) == [
        "entities.yaml:2: entity b rolls up to itself: b → c → b",
        "entities.yaml:3: entity c rolls up to itself: c → b → c",
        "entities.yaml:4: entity d rolls up to 'bb', which is no entity; did you mean b?",
    ]


def test_an_entity_is_identified_as_another_by_behaviors_that_name_both(problems, behavior):
    text = "- {name: customer, brief: A.}\n"
    text += "- {name: a, brief: A., identified_as: custmer, identified_by: [commerce.purchase]}\n"
    text += "- {name: b, brief: B., identified_as: customer}\n"
    text += "- {name: c, brief: C., identified_by: [commerce.purchase]}\n"
    text += "- {name: d, brief: D., identified_as: d}\n"
    text += "- {name: e, brief: E., identified_as: customer, identified_by: [commerce.purchas, commerce.purchase]}\n"
    assert problems(behavior(), entities=text) == [
        "entities.yaml:2: entity a is identified as 'custmer', which is no other entity; did you mean customer?",
        "entities.yaml:3: entity b is identified as customer, but nothing tells; "
        "add identified_by, with the behaviors whose events name both",
        "entities.yaml:4: entity c is identified by behaviors, but as whom? add identified_as",
        "entities.yaml:5: entity d is identified as 'd', which is no other entity; "
        "the entities are customer, a, b, c, e",
        "entities.yaml:6: entity e is identified by 'commerce.purchas', which is no behavior; "
        "did you mean commerce.purchase?",
        "entities.yaml:6: entity e is identified by commerce.purchase, whose events name no e",
    ]


def test_an_entity_that_breaks_a_rule_is_named(problems):
    text = "- {name: customer, brief: A.}\n- {name: client, brief: B., join_key: customer_id}\n- {name: channel}\n"
    text += "- {name: Shop, brief: C., key_type: text}\n- {name: customer, brief: D.}\n"
    text += "- {name: x, brief: E., rolls_up: y}\n"
    assert problems(entities=text) == [
        "entities.yaml:2: entity client has the join key 'customer_id' of entity customer",
        "entities.yaml:3: entity channel needs brief",
        "entities.yaml:3: entity 'channel' has a name that events or the language need; choose another",
        "entities.yaml:4: entity 'Shop': write it in lower case letters, digits and underscores, as in customer",
        "entities.yaml:4: entity Shop: join_key 'Shop_id': write it in lower case letters, digits and underscores, "
        "as in customer_id",
        "entities.yaml:4: entity Shop: key_type cannot be 'text'; it is one of string, integer",
        "entities.yaml:5: entity 'customer' is already declared at t/entities.yaml:1; a name is never given twice",
        "entities.yaml:6: entity x has no field 'rolls_up'; did you mean rolls_up_to?",
    ]


def test_a_channel_that_breaks_a_rule_is_named(problems):
    assert problems(channels="- {id: web, brief: W.}\n- {id: web, brief: V.}\n- {id: e-mail}\n- web\n") == [
        "channels.yaml:2: channel 'web' is already declared at t/channels.yaml:1; a name is never given twice",
        "channels.yaml:3: channel 'e-mail': write it in lower case letters, digits and underscores, as in self_service",
        "channels.yaml:3: channel e-mail needs brief",
        "channels.yaml:4: channel must be fields with values, not 'web'",
    ]


def test_a_construct_has_indicators_that_match_and_a_benchmark(problems, behavior):
    text = "- {name: loyalty, brief: Stays.}\n"
    text += "- name: habit\n  brief: H.\n  indicators:\n    - {of: 'comerce.*', measure: often, direction: up}\n"
    text += "  benchmark: {outcome: lapsed_90d, direction: less}\n"
    assert problems(behavior(), constructs=text) == [
        "constructs.yaml:1: construct loyalty needs indicators",
        "constructs.yaml:1: construct loyalty needs a benchmark: the outcome that validates it",
        "constructs.yaml:5: construct habit: indicator: measure cannot be 'often'; it is one of frequency, recency, "
        "amount, regularity, variety, duration, share",
        "constructs.yaml:5: construct habit: no behavior matches 'comerce.*'; did you mean commerce.* or "
        "commerce.purchase?",
        "constructs.yaml:6: construct habit: benchmark: direction cannot be 'less'; it is one of up, down",
    ]


def test_a_stable_construct_does_not_rest_on_what_is_deprecated(problems, behavior):
    old = behavior(stability="deprecated", deprecated="{reason: R., date: 2027-06-30}")
    text = "- name: loyalty\n  brief: Stays.\n  stability: stable\n  benchmark: {outcome: x, direction: up}\n"
    text += "  indicators:\n    - {of: commerce.purchase, measure: frequency, direction: up}\n"
    assert problems(old, constructs=text) == [
        "constructs.yaml:6: construct loyalty is stable but commerce.purchase is deprecated"
    ]
