"""Our views as Feast's objects: the same views are the same objects, in a registry and out of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from feast import FeatureView
from feast.data_source import DataSource

from ethogram.adapters.feast.objects import compile_views
from ethogram.adapters.feast.publish import open_feast, publish
from ethogram.adapters.feast.source import SignalSource, is_ours
from ethogram.core.signals.view import View
from ethogram.core.taxonomy import Entity, Taxonomy

TAXONOMY = Taxonomy(entities={"customer": Entity("customer", "Who buys.", "customers", "customer_id")}, behaviors={})
RHYTHM = View(
    "rhythm_v2", "rhythm@2", "rhythm", "customer", "customer_id",
    (("purchases_30d", "integer"), ("spend_90d", "decimal"), ("due", "date")), "growth", "How often.",
)  # fmt: skip
SCORE = replace(RHYTHM, name="lapse_v1", ref="lapse@1", features=(("score", "double"),), owner="risk", kind="score")


def test_a_view_keeps_its_names_types_owner_and_never_expires() -> None:
    compiled = compile_views([RHYTHM, SCORE], TAXONOMY)
    assert list(compiled) == ["entity_customer", "rhythm_v2", "lapse_v1"]
    view = compiled["rhythm_v2"]
    assert [(field.name, str(field.dtype)) for field in view.features] == [
        ("purchases_30d", "Int64"),
        ("spend_90d", "Decimal"),
        ("due", "UnixTimestamp"),
    ]
    assert (view.owner, view.description, view.ttl, view.join_keys) == (
        "growth",
        "How often.",
        timedelta(0),
        ["customer_id"],
    )
    assert view.tags == {"ethogram": "signal", "ref": "rhythm@2", "owner": "growth"}


def test_compiling_twice_gives_equal_objects_and_a_changed_view_another() -> None:
    one, two = (compile_views([RHYTHM], TAXONOMY) for _ in range(2))
    assert one["rhythm_v2"] == two["rhythm_v2"]
    assert one["entity_customer"] == two["entity_customer"]
    changed = compile_views([replace(RHYTHM, features=RHYTHM.features[:2])], TAXONOMY)
    assert changed["rhythm_v2"] != one["rhythm_v2"]


def test_a_source_survives_the_registrys_message() -> None:
    source = compile_views([RHYTHM], TAXONOMY)["rhythm_v2"].batch_source
    back = DataSource.from_proto(source.to_proto())
    assert isinstance(back, SignalSource)
    assert back == source
    assert (back.view, back.columns["spend_90d"]) == ("rhythm_v2", "DECIMAL")
    assert is_ours(FeatureView.from_proto(compile_views([RHYTHM], TAXONOMY)["rhythm_v2"].to_proto()))


@pytest.fixture
def registry(shop: Any) -> Any:
    """The shop's Feast, as it was published, before and after."""
    views = list(shop.store().views().values())
    yield views
    shop.parts.publish(views)


def test_publishing_drops_our_views_that_are_gone_with_their_rows_and_no_one_elses(shop: Any, registry: Any) -> None:
    shop.store("shop.analyst").materialize(["basket"], as_of=shop.DAY)
    kept = [view for view in registry if view.name != "basket_v1"]
    assert len(kept) == len(registry) - 1
    shop.parts.publish(kept)
    with shop.parts.as_environment():
        feast = open_feast(shop.parts.feature_repo)
        assert {view.name for view in feast.list_feature_views() if is_ours(view)} == {view.name for view in kept}
        assert "basket_v1" not in {source.name for source in feast.list_data_sources()}
    assert shop.parts.online.count("basket_v1") == 0


def test_publishing_again_completes_what_a_crash_left(shop: Any, registry: Any) -> None:
    with shop.parts.as_environment():
        feast = open_feast(shop.parts.feature_repo)
        feast.delete_feature_view("basket_v1")
        publish(shop.parts.feature_repo, compile_views(registry, shop.parts.workspace.taxonomy))
        again = open_feast(shop.parts.feature_repo)
        assert {view.name for view in again.list_feature_views() if is_ours(view)} == {view.name for view in registry}
