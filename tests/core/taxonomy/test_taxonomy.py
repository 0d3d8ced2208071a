import pickle
from datetime import date

import pytest

from ethogram.core.taxonomy import UnknownBehavior, UnknownChannel, UnknownEntity, UnknownProperty, load_taxonomy
from ethogram.errors import Problems


@pytest.fixture
def shop(read, behavior):
    return read(
        behavior(properties="{amount: {type: money, required: true}, rate: {type: number, unit: '%', scale: 2}}")
        + behavior("commerce.cart_add", "cart_add", entities="[visitor]", channels="[web]")
        + behavior("commerce.old", "old", stability="deprecated", deprecated="{reason: R., date: 2027-06-30}")
        + "- {retired: commerce.buy, reason: Too vague., replaced_by: commerce.purchase}\n"
    )


def test_a_behavior_is_found_by_its_id_with_what_was_written(shop):
    purchase = shop.behavior("commerce.purchase")
    assert (purchase.domain, purchase.noun, purchase.plural) == ("commerce", "purchase", "purchases")
    assert purchase.entities == ("customer",)
    assert purchase.property_named("amount").required
    assert (purchase.properties["amount"].scale, purchase.properties["rate"].scale) == (6, 2)
    assert shop.behavior("commerce.cart_add").entities == ("customer", "visitor")
    assert shop.behavior("commerce.old").deprecated.date == date(2027, 6, 30)
    assert str(purchase.at("noun")) == "t/behaviors/commerce.yaml:3"
    assert shop.retired["commerce.buy"].replaced_by == "commerce.purchase"


def test_what_is_not_declared_is_an_error_that_names_the_nearest_and_the_place_that_asked(shop):
    with pytest.raises(
        UnknownBehavior, match=r"^teams/a\.py:3: no behavior named 'commerce\.purchas'; did you mean comm"
    ):
        shop.behavior("commerce.purchas", where="teams/a.py:3")
    with pytest.raises(UnknownEntity, match=r"^no entity named 'custmer'; did you mean customer\?$"):
        shop.entity("custmer")
    with pytest.raises(UnknownChannel, match=r"^no channel named 'fax'; see `ethogram taxonomy`$"):
        shop.channel("fax")
    with pytest.raises(UnknownProperty, match=r"^commerce\.purchase has no property 'amout'; did you mean amount\?$"):
        shop.behavior("commerce.purchase").property_named("amout")
    with pytest.raises(UnknownProperty, match=r"^commerce\.cart_add has no property 'amount'; it has none$"):
        shop.behavior("commerce.cart_add").property_named("amount")


def test_a_pattern_matches_ids_in_their_order(shop):
    assert [b.id for b in shop.match("commerce.*")] == ["commerce.cart_add", "commerce.old", "commerce.purchase"]
    assert [b.id for b in shop.match("commerce.cart_*")] == ["commerce.cart_add"]
    assert [b.id for b in shop.match("commerce.purchase")] == ["commerce.purchase"]
    assert len(shop.match("*")) == len(shop) == 3


def test_a_pattern_can_be_held_to_the_behaviors_of_an_entity_and_an_id_is_not(shop):
    assert [b.id for b in shop.match("commerce.*", entity="visitor")] == ["commerce.cart_add"]
    assert [b.id for b in shop.match("commerce.purchase", entity="visitor")] == ["commerce.purchase"]


@pytest.mark.parametrize("pattern", ["comerce.*", "comm*.purchase", "commerce.purchas", "learning.*"])
def test_a_pattern_that_matches_nothing_is_an_unknown_behavior(shop, pattern):
    with pytest.raises(UnknownBehavior):
        shop.match(pattern)


def test_the_nearest_pattern_is_named_too(shop):
    with pytest.raises(UnknownBehavior, match=r"did you mean commerce\.\*"):
        shop.match("comerce.*")


def test_ancestors_are_told_nearest_first(read):
    text = "- {name: a, brief: A., rolls_up_to: b}\n- {name: b, brief: B., rolls_up_to: c}\n- {name: c, brief: C.}\n"
    taxonomy = read(entities=text)
    assert taxonomy.ancestors("a") == ("b", "c")
    assert taxonomy.ancestors("c") == ()


def test_the_digest_is_of_what_is_declared_and_not_of_how_it_is_laid_out(read, behavior):
    first = behavior(entities="[visitor]", examples="[{customer: 1}]")
    second = behavior("commerce.refund", "refund")
    digest = read(first + second).digest()
    assert read(f"# a comment\n\n{second}{first}").digest() == digest
    assert read(first + second.replace("Paid.", "Paid back.")).digest() != digest
    assert read(first.replace("customer: 1", "customer: 2") + second).digest() != digest
    assert read(first).digest() != digest


def test_a_taxonomy_survives_pickling_and_its_behaviors_are_hashable(shop):
    twin = pickle.loads(pickle.dumps(shop))
    assert twin == shop
    assert set(twin) == set(shop)


def test_problems_of_all_files_come_at_once_by_file_and_line(problems, behavior):
    found = problems(
        behavior(actor="nobody", brief=None),
        behaviors__support="- id: support.call\n  id: support.call\n",
        constructs="- {name: x}\n",
        channels="{web: x}\n",
    )
    assert found == [
        "behaviors/commerce.yaml:1: commerce.purchase needs brief",
        "behaviors/support.yaml:2: 'id' is given twice; first on line 1",
        "channels.yaml:1: the file must be a list, one item each, not fields with values",
        "constructs.yaml:1: construct x needs indicators",
        "constructs.yaml:1: construct x needs a benchmark: the outcome that validates it",
        "constructs.yaml:1: construct x needs brief",
    ]


def test_a_file_that_is_no_part_of_the_taxonomy_is_named():
    with pytest.raises(Problems) as caught:
        load_taxonomy({"t/entitys.yaml": "[]", "t/behaviors/commerce.yml": "[]", "t/notes.txt": "hello"})
    assert caught.value.problems == (
        "t/behaviors/commerce.yml:1: commerce.yml is not read; name it <domain>.yaml",
        "t/entitys.yaml:1: entitys.yaml is no file of the taxonomy; did you mean entities.yaml or constructs.yaml?",
        "t/notes.txt:1: notes.txt is no file of the taxonomy; it has entities.yaml, channels.yaml, constructs.yaml "
        "and behaviors/<domain>.yaml",
    )


def test_without_entities_an_actor_is_told_where_to_be_declared(behavior):
    with pytest.raises(Problems) as caught:
        load_taxonomy({"t/behaviors/commerce.yaml": behavior()})
    assert caught.value.problems == (
        "t/behaviors/commerce.yaml:4: commerce.purchase: no entity named 'customer'; declare it in entities.yaml",
    )


def test_an_empty_taxonomy_is_one(read):
    assert len(read("# nothing yet\n")) == 0
