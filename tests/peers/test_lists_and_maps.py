"""Lists and maps end to end: stored, looked up, in training sets, and in a plain Feast client, always the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from feast import FeatureStore
from feast.types import Array, Decimal, Map, String
from typer.testing import CliRunner

from ethogram.cli.app import app

VIEW = "assortment_v1"
AT = datetime(2026, 6, 1, tzinfo=UTC)
LISTS = ["purchase_category_last_3_180d", "largest_baskets_180d"]
MAPS = ["purchases_by_category_180d", "purchase_amount_sum_by_category_180d"]
NAMES = [*LISTS, *MAPS, "purchase_category_distinct_180d", "store_share_180d"]
REFS = [f"{VIEW}:{name}" for name in NAMES]


@pytest.fixture
def feast(shop: Any, monkeypatch: pytest.MonkeyPatch) -> FeatureStore:
    for name, value in shop.environment("shop.analyst").items():
        monkeypatch.setenv(name, value)
    return FeatureStore(repo_path=str(shop.root / "feature_repo"))


def right(shop: Any, key: str, at: datetime) -> dict[str, Any]:
    values = shop.expected("assortment@1", key, at)
    return {name: values[name] for name in NAMES}


def test_history_has_them_as_arrow_lists_and_maps(shop: Any, feast: FeatureStore) -> None:
    keys = [*sorted(shop.ids), "nobody"]
    frame = pd.DataFrame({"customer_id": keys, "event_timestamp": [AT] * len(keys)})
    job = feast.get_historical_features(entity_df=frame, features=REFS)
    table = job.to_arrow()
    assert pa.types.is_list(table[LISTS[0]].type)
    assert pa.types.is_map(table[MAPS[0]].type)
    rows = table.to_pylist(maps_as_pydicts="strict")
    assert any(row[MAPS[0]] and row[LISTS[0]] for row in rows)
    for row in rows:
        assert {name: row[name] for name in NAMES} == right(shop, row["customer_id"], AT)
    assert job.to_df()[MAPS[0]][0] == rows[0][MAPS[0]]


def test_feast_knows_their_types(feast: FeatureStore) -> None:
    types = {field.name: field.dtype for field in feast.get_feature_view(VIEW).features}
    assert types[LISTS[0]] == Array(String)
    assert types[LISTS[1]] == Array(Decimal)
    assert types[MAPS[1]] == Map


@pytest.mark.parametrize("by", ["feast", "us"])
def test_online_is_history_whoever_materialized_it(shop: Any, feast: FeatureStore, by: str) -> None:
    shop.parts.online.drop(VIEW)
    if by == "feast":
        feast.materialize(datetime(2026, 1, 1), AT, feature_views=[VIEW])
    else:
        shop.store("shop.analyst").materialize(["assortment"], as_of=AT)
    keys = sorted(shop.ids)
    online = feast.get_online_features(features=REFS, entity_rows=[{"customer_id": key} for key in keys]).to_dict()
    answers = shop.store("shop.analyst").lookup_many("customer", keys, signals=["assortment"])
    for place, (key, answer) in enumerate(zip(keys, answers, strict=True)):
        expected = right(shop, key, AT)
        assert {name: online[name][place] for name in NAMES} == expected
        assert {name: answer[name] for name in NAMES} == expected


def test_an_unknown_entity_has_empty_ones(shop: Any) -> None:
    (answer,) = shop.store("shop.analyst").lookup_many("customer", ["nobody"], signals=["assortment"])
    assert [answer[name] for name in NAMES] == [[], [], {}, {}, 0, None]


def test_a_training_set_stores_and_profiles_them_and_finds_no_lookahead(shop: Any) -> None:
    made = shop.store("shop.analyst").training_set(
        "lapsed_90d", signals=["assortment"], every="7d", start="2026-02-20", end="2026-03-01"
    )
    table = made.to_arrow()
    assert pa.types.is_list(table[LISTS[0]].type)
    assert pa.types.is_map(table[MAPS[1]].type)
    keys = {number: key for key, number in shop.ids.items()}
    for row in table.to_pylist(maps_as_pydicts="strict"):
        assert {name: row[name] for name in NAMES} == right(shop, keys[row["entity"]], row["as_of"])
    assert isinstance(made.to_pandas()[MAPS[0]][0], dict)
    assert made.report.future_features == ()
    assert made.report.features[MAPS[0]] == {"count": len(table), "null_share": 0.0}


def test_the_command_line_shows_and_says_them(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.store("shop.analyst").materialize(["assortment"], as_of=AT)
    for name, value in shop.environment("shop.analyst").items():
        monkeypatch.setenv(name, value)
    key = next(key for key in sorted(shop.ids) if right(shop, key, AT)[MAPS[1]])
    asked = ["lookup", "customer", key, "-s", "assortment"]
    said = CliRunner().invoke(app, [*asked, "--json"])
    assert said.exit_code == 0, said.output
    values = json.loads(said.stdout)[0]["values"]
    expected = right(shop, key, AT)
    assert values[LISTS[0]] == expected[LISTS[0]]
    assert values[MAPS[1]] == {category: str(amount) for category, amount in expected[MAPS[1]].items()}
    shown = CliRunner().invoke(app, asked)
    assert ", ".join(expected[LISTS[0]]) in shown.stdout
