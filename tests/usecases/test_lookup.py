"""Lookups: rows as last materialized, under consent, with a reason for everything that is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ethogram.core.governance.agreement import NotAgreed
from ethogram.core.workspace import UnknownName
from ethogram.errors import AskedWrongly
from ethogram.local import Store


@pytest.fixture(scope="module", autouse=True)
def materialized(shop: Any) -> Iterator[None]:
    for view in ("purchase_rhythm_v4", "basket_v1", "browsing_v1"):
        shop.parts.online.drop(view)
    shop.store("growth.analyst").materialize(["purchase_rhythm"], as_of=shop.DAY)
    shop.store("shop.analyst").materialize(["basket"], as_of=shop.DAY)
    yield
    for view in ("purchase_rhythm_v4", "basket_v1"):
        shop.parts.online.drop(view)


@pytest.fixture
def store(shop: Any) -> Store:
    opened: Store = shop.store()
    return opened


def test_an_answer_is_what_the_reference_says_as_of_the_materialized_instant(shop: Any, store: Store) -> None:
    keys = sorted(shop.ids)
    answers = store.lookup_many("customer", keys, signals=["purchase_rhythm@4", "basket"])
    for key, answer in zip(keys, answers, strict=True):
        right = shop.expected("purchase_rhythm@4", key, shop.DAY) | shop.expected("basket@1", key, shop.DAY)
        assert dict(answer) == right
        assert (answer.key, answer.at, answer.known) == (key, shop.DAY, True)


def test_an_integer_key_is_its_text(shop: Any, store: Store) -> None:
    key = sorted(shop.ids)[0]
    assert store.lookup("customer", int(key), signals=["basket"]) == store.lookup("customer", key, signals=["basket"])


def test_a_null_says_why(shop: Any, store: Store) -> None:
    keys = sorted(shop.ids)
    gone = next(k for k in keys if shop.expected("basket@1", k, shop.DAY)["basket_mean_180d"] is not None)
    answer = store.lookup("customer", gone, signals=["basket"])
    assert answer.why("basket_mean_180d") == "it has a value"
    shop.parts.online.drop("basket_v1")
    shop.store("shop.analyst").materialize(
        ["basket"], as_of=min(e.available_at for e in shop.events) + timedelta(hours=1)
    )
    first = next(k for k in keys if store.lookup("customer", k, signals=["basket"]).known)
    early = store.lookup("customer", first, signals=["basket"])
    nulls = {name: early.why(name) for name, value in early.items() if value is None}
    assert all(why == "null: no purchase in the last 180d" for name, why in nulls.items() if name.endswith("180d"))
    assert nulls == {} or nulls.get("basket_last", "null: no purchase yet") == "null: no purchase yet"
    late = next(k for k in keys if k != first)
    assert store.lookup("customer", late, signals=["basket"]).left_out.startswith("not materialized; run")
    shop.store("shop.analyst").materialize(["basket"], as_of=shop.DAY)


def test_a_null_that_lacks_more_than_one_event_says_how_many(shop: Any, store: Store) -> None:
    early = min(event.occurred_at for event in shop.events) + timedelta(days=9)
    shop.store("growth.analyst").materialize(["loyalty"], as_of=early)
    said = set()
    for key in sorted(shop.ids):
        answer = store.lookup("customer", key, signals=["loyalty"])
        if not answer.known:
            continue
        right = shop.expected("loyalty@1", key, early)
        exact = {name: value for name, value in right.items() if "decayed" not in name}
        assert {name: answer[name] for name in exact} == exact
        assert all(answer[name] == pytest.approx(right[name], rel=1e-9) for name in set(right) - set(exact))
        said |= {answer.why(name) for name, value in answer.items() if value is None}
    assert said == {
        "null: no purchase yet",
        "null: fewer than 2 purchases yet",
        "null: fewer than 2 purchases in the last 365d",
        "null: fewer than 3 purchases in the last 365d, or all at one instant",
    }


def test_an_unknown_entity_has_what_nothing_adds_up_to(store: Store) -> None:
    answer = store.lookup("customer", "nobody", signals=["purchase_rhythm", "basket"])
    assert not answer.known
    assert answer.at is None
    assert answer["purchases_30d"] == 0
    assert answer["spend_90d"] == Decimal(0)
    assert answer.why("days_since_purchase") == "null: unknown entity"


def test_a_view_that_is_not_materialized_is_null_beside_one_that_is(shop: Any, store: Store) -> None:
    answer = store.lookup("customer", sorted(shop.ids)[0], signals=["basket", "browsing"])
    assert answer.known
    assert answer.why("page_views_7d") == "null: browsing@1 is not materialized for it"
    assert answer["basket_last"] is not None


def test_a_refusal_hides_every_view_and_only_for_its_purpose(shop: Any, store: Store) -> None:
    key = sorted(shop.ids)[7]
    assert store.consent("customer", key, allowed=False)
    try:
        answer = store.lookup("customer", key, signals=["basket", "purchase_rhythm"])
        assert set(answer.features.values()) == {None}
        assert answer.why("spend_90d") == "null: no consent for churn_prevention"
        assert not answer.known
        assert store.lookup("customer", key, signals=["purchase_rhythm"], purpose="campaigns").known
    finally:
        shop.clock.at += timedelta(seconds=1)
        assert store.consent("customer", key, allowed=True)
    assert store.lookup("customer", key, signals=["basket"]).known


def test_a_feature_that_is_not_there_is_said(shop: Any, store: Store) -> None:
    answer = store.lookup("customer", sorted(shop.ids)[0], signals=["basket"])
    with pytest.raises(AskedWrongly, match=r"no feature 'basket_lst' in this answer; did you mean basket_last\?"):
        answer["basket_lst"]


@pytest.mark.parametrize(
    ("entity", "signals", "error", "says"),
    [
        ("customer", ["purchase_rythm"], UnknownName, "no signal named 'purchase_rythm'; did you mean purchase_rhythm"),
        ("customer", ["purchase_rhythm@9"], UnknownName, "no signal named 'purchase_rhythm@9'"),
        ("customer", ["posting"], AskedWrongly, "posting@1 is about a user, not a customer"),
        ("costumer", ["basket"], AskedWrongly, "did you mean customer"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(
    store: Store, entity: str, signals: list[str], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        store.lookup(entity, "1", signals=signals)


def test_one_view_without_an_agreement_refuses_the_whole_lookup(shop: Any) -> None:
    with pytest.raises(NotAgreed, match="sales may not read basket of shop for campaigns"):
        shop.store("sales.analyst", "campaigns").lookup("customer", "1", signals=["basket"])


def test_two_views_that_share_a_name_keep_their_values_apart(shop: Any) -> None:
    from dataclasses import replace

    from ethogram.core.online.packed import Layout, key_of
    from ethogram.ports import OnlineRow
    from ethogram.usecases.lookup import lookup

    basket = shop.store().view("basket").only(["basket_last"])
    other = replace(basket, name="other_v1", ref="other@1", asset="other")
    number = shop.ids[sorted(shop.ids)[0]]
    layout = Layout(other.features)
    row = OnlineRow(key_of(number), number, shop.DAY, None, layout.pack([Decimal(7)]))
    shop.parts.online.write(other.name, layout, [row])

    def everyone(entity: str, purpose: str, ids: Collection[int | None]) -> set[int]:
        assert (entity, purpose) == ("customer", "campaigns")
        return {number for number in ids if number is not None}

    (answer,) = lookup(
        "customer",
        [sorted(shop.ids)[0]],
        [basket, other],
        purpose="campaigns",
        online=shop.parts.online,
        registry=shop.parts.keys,
        allowed=everyone,
        reasons={},
        empty={},
    )
    assert set(answer) == {"basket__basket_last", "other__basket_last"}
    assert answer["other__basket_last"] == Decimal(7)
    assert answer["basket__basket_last"] != Decimal(7)
    shop.parts.online.drop(other.name)
