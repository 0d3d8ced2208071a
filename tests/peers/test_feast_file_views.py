"""Views over files, ours beside Feast's own file store: the same answer wherever Feast has one.

Feast's store leaves out rows whose key has facts but none that the row may see, gives equal rows once, and lets the
order of a file decide between facts of one key and instant; there ours is held against the words alone, in
tests/adapters/feast/test_offline.py. Against Feast's duckdb store ours is held by `benchmarks.latest_join`.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64

DAY = datetime(2026, 3, 1, tzinfo=UTC)
OURS = "ethogram.adapters.feast.offline.EthogramOfflineStore"
YAML = """
project: files
provider: local
registry: {folder}/registry.db
offline_store:
  type: {store}
online_store:
  type: sqlite
  path: online.db
entity_key_serialization_version: 3
"""
TTLS = {"ever": timedelta(0), "briefly": timedelta(hours=3)}


class Stores:
    """Feast on one registry and the same files, once with its own file store and once with ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, store in (("theirs", "file"), ("ours", OURS)):
            (folder / name).mkdir()
            (folder / name / "feature_store.yaml").write_text(YAML.format(folder=folder, store=store))
        self.theirs = FeatureStore(repo_path=str(folder / "theirs"))
        user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
        shop = Entity(name="shop", join_keys=["shop_id"], value_type=ValueType.STRING)
        objects: list[Any] = [user, shop]
        for keys, entities in (("user", [user]), ("pair", [user, shop])):
            for name, ttl in TTLS.items():
                source = FileSource(
                    name=f"{keys}_{name}_rows",
                    path=str(folder / f"{keys}.parquet"),
                    timestamp_field="at",
                    created_timestamp_column="made",
                    field_mapping={"value": "score"},
                )
                fields = [Field(name="score", dtype=Int64), Field(name="share", dtype=Float64)]
                objects.append(
                    FeatureView(name=f"{keys}_{name}", entities=entities, ttl=ttl, schema=fields, source=source)
                )
        for name in ("user", "pair"):
            self.write(name, [(1, "a", 0, 0)], "us", "UTC")
        self.theirs.apply(objects)
        self.ours = FeatureStore(repo_path=str(folder / "ours"))
        self.ours.apply(objects)

    def write(self, name: str, facts: list[tuple[int, str, int, int]], unit: str, zone: str | None) -> None:
        kind = pa.timestamp(unit, zone)
        times = [pa.array([at(fact[n]) for fact in facts], pa.timestamp("us", "UTC")) for n in (2, 3)]
        stored = [time.cast(pa.timestamp(unit, "UTC")).cast(pa.int64()).cast(kind) for time in times]
        columns = {
            "user_id": pa.array([fact[0] for fact in facts], pa.int64()),
            "shop_id": pa.array([fact[1] for fact in facts], pa.string()),
            "at": stored[0],
            "made": stored[1],
            "value": pa.array(range(len(facts)), pa.int64()),
            "share": pa.array([None if n % 4 == 3 else n / 2 for n in range(len(facts))], pa.float64()),
        }
        pq.write_table(pa.table(columns), self.folder / f"{name}.parquet", row_group_size=3)


def at(quarters: int) -> datetime:
    return DAY + timedelta(minutes=15 * quarters)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    return Stores(tmp_path_factory.mktemp("stores"))


def without_ties(facts: list[Any], keys: str) -> list[Any]:
    """Facts of which no two are of one key and instant."""
    return list({fact[:3] if keys == "pair" else (fact[0], fact[2]): fact for fact in facts}.values())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("keys", ["user", "pair"])
def test_ours_is_feasts_answer(stores: Stores, keys: str, seed: int) -> None:
    draw = random.Random(seed)
    facts = [
        (draw.randint(1, 3), draw.choice("abé"), draw.randint(0, 40), draw.randint(0, 40))
        for _ in range(draw.randint(1, 30))
    ]
    stores.write(keys, without_ties(facts, keys), *draw.choice([("us", "UTC"), ("ns", "UTC"), ("us", None)]))
    questions = [(draw.randint(1, 4), draw.choice("abéz"), at(draw.randint(0, 40))) for _ in range(8)]
    frame = pd.DataFrame(questions, columns=["user_id", "shop_id", "event_timestamp"])
    view = f"{keys}_{draw.choice(list(TTLS))}"
    asks = {
        "entity_df": frame,
        "features": [f"{view}:score", f"{view}:share"],
        "full_feature_names": draw.random() < 0.5,
        "filter_by_created_timestamp": draw.random() < 0.5,
    }
    ours = stores.ours.get_historical_features(**asks).to_df()
    theirs = stores.theirs.get_historical_features(**asks).to_df()
    assert list(ours.columns) == list(theirs.columns)
    assert [row[:3] for row in rows(ours)] == questions
    joined = (lambda row: (row[0], row[2])) if keys == "user" else (lambda row: row[:3])
    answered = {joined(row): row[3:] for row in rows(theirs)}
    assert [row[3:] for row in rows(ours)] == [answered.get(joined(row), (None, None)) for row in rows(ours)]


def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [
        tuple(None if pd.isna(value) else value for value in row) for row in frame.itertuples(index=False, name=None)
    ]


@pytest.mark.filterwarnings("ignore")
def test_what_is_materialized_is_what_feast_materializes(stores: Stores) -> None:
    facts = [(n % 3 + 1, "abé"[n % 3], (n * 7) % 40, (n * 11) % 40) for n in range(30)]
    stores.write("user", without_ties(facts, "user"), "us", "UTC")
    rows = [{"user_id": n} for n in (1, 2, 3, 4)]
    answers = []
    for store in (stores.theirs, stores.ours):
        store.materialize(at(5), at(30), feature_views=["user_ever"])
        asks = {"features": ["user_ever:score", "user_ever:share"], "entity_rows": rows}
        answers.append(store.get_online_features(**asks).to_dict())
    assert answers[0] == answers[1]
    assert answers[0]["score"][3] is None
