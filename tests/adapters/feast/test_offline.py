"""Views over files, through plain Feast: what is seen at an instant, however the rows are asked for."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.data_format import DeltaFormat
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64, String

from ethogram.adapters.feast.facts import UnreadableSource
from ethogram.adapters.parquet.errors import CannotWrite
from ethogram.errors import AskedWrongly

Open = Callable[..., FeatureStore]
DAY = datetime(2026, 3, 1, tzinfo=UTC)
user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)


def h(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def rows(folder: Path, name: str, facts: Sequence[tuple[Any, ...]], columns: Sequence[str]) -> str:
    """Facts as a Parquet file; times are microseconds in UTC."""
    table = pa.table({column: [fact[at] for fact in facts] for at, column in enumerate(columns)})
    pq.write_table(table, folder / f"{name}.parquet")
    return f"{name}.parquet"


def view(
    name: str, path: str, *, ttl: timedelta = timedelta(0), entities: Sequence[Entity] = (user,), **source: Any
) -> FeatureView:
    features = source.pop("features", {"score": Int64})
    return FeatureView(
        name=name,
        entities=list(entities),
        ttl=ttl,
        schema=[Field(name=feature, dtype=kind) for feature, kind in features.items()],
        source=FileSource(name=f"{name}_rows", path=path, timestamp_field="at", **source),
    )


COLUMNS = ("user_id", "at", "created", "score")


def asked(*pairs: tuple[Any, datetime]) -> pd.DataFrame:
    return pd.DataFrame({"user_id": [pair[0] for pair in pairs], "event_timestamp": [pair[1] for pair in pairs]})


def scores(store: FeatureStore, frame: pd.DataFrame, **more: Any) -> list[Any]:
    got = store.get_historical_features(entity_df=frame, features=["scores:score"], **more).to_arrow()
    assert got["user_id"].to_pylist() == frame["user_id"].tolist(), "rows stand in the order asked"
    return list(got["score"].to_pylist())


def test_a_row_is_seen_from_its_instant_to_the_end_of_its_ttl_both_included(open_feast: Open, tmp_path: Path) -> None:
    path = rows(tmp_path, "scores", [(1, h(1), h(1), 10)], COLUMNS)
    store = open_feast(user, view("scores", path, ttl=timedelta(hours=2)))
    tick = timedelta(microseconds=1)
    frame = asked((1, h(1) - tick), (1, h(1)), (1, h(3)), (1, h(3) + tick), (2, h(2)))
    assert scores(store, frame) == [None, 10, 10, None, None]


def test_of_rows_of_one_instant_the_one_created_last_is_seen(open_feast: Open, tmp_path: Path) -> None:
    facts = [(1, h(1), h(5), 50), (1, h(1), h(9), 90), (1, h(1), None, 0), (1, h(1), h(7), 70)]
    path = rows(tmp_path, "scores", facts, COLUMNS)
    store = open_feast(user, view("scores", path, created_timestamp_column="created"))
    assert scores(store, asked((1, h(10)), (1, h(6)))) == [90, 90]
    assert scores(store, asked((1, h(10)), (1, h(6)), (1, h(2))), filter_by_created_timestamp=True) == [90, 50, None]


def test_as_known_then_an_older_row_that_came_in_late_waits_its_turn(open_feast: Open, tmp_path: Path) -> None:
    facts = [(1, h(2), h(2), 2), (1, h(1), h(5), 1), (1, h(3), h(8), 3)]
    path = rows(tmp_path, "scores", facts, COLUMNS)
    store = open_feast(user, view("scores", path, created_timestamp_column="created"))
    frame = asked((1, h(1.5)), (1, h(4)), (1, h(6)), (1, h(8)))
    assert scores(store, frame) == [1, 3, 3, 3]
    assert scores(store, frame, filter_by_created_timestamp=True) == [None, 2, 2, 3]


def test_rows_asked_for_twice_are_answered_twice_and_a_null_key_is_nobodys(open_feast: Open, tmp_path: Path) -> None:
    path = rows(tmp_path, "scores", [(1, h(1), h(1), 10), (None, h(1), h(1), 99)], COLUMNS)
    store = open_feast(user, view("scores", path))
    frame = asked((1, h(2)), (3, h(2)), (1, h(2)), (1, h(1)))
    assert scores(store, frame) == [10, None, 10, 10]
    frame = pd.DataFrame({"user_id": [1.0, None], "event_timestamp": [h(2), h(2)]})
    got = store.get_historical_features(entity_df=frame, features=["scores:score"]).to_arrow()
    assert got["score"].to_pylist() == [10, None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris"])
def test_times_of_any_unit_are_instants_and_naive_ones_are_utc(
    open_feast: Open, tmp_path: Path, unit: str, zone: str | None
) -> None:
    stored = pa.array([h(1), h(2)], pa.timestamp("us", "UTC")).cast(pa.timestamp(unit, "UTC"))
    stored = stored.cast(pa.int64()).cast(pa.timestamp(unit, zone))
    pq.write_table(pa.table({"user_id": [1, 1], "at": stored, "score": [1, 2]}), tmp_path / "scores.parquet")
    store = open_feast(user, view("scores", "scores.parquet"))
    assert scores(store, asked((1, h(1)), (1, h(2)), (1, h(0)))) == [1, 2, None]
    naive = pd.DataFrame({"user_id": [1], "event_timestamp": [h(1.5).replace(tzinfo=None)]})
    assert scores(store, naive) == [1]
    paris = pd.DataFrame({"user_id": [1], "event_timestamp": [pd.Timestamp(h(1)).tz_convert("Europe/Paris")]})
    assert scores(store, paris) == [1]
    text = pd.DataFrame({"user_id": [1], "event_timestamp": [h(2).isoformat()]})
    assert scores(store, text) == [2]


def test_keys_of_several_columns_and_names_that_the_request_gives_them(open_feast: Open, tmp_path: Path) -> None:
    shop = Entity(name="shop", join_keys=["shop_id"], value_type=ValueType.STRING)
    facts = [(1, "a", h(1), 1), (1, "b", h(1), 2), (2, "a", h(1), 3), (1, None, h(1), 4), (2, "ä", h(1), 5)]
    path = rows(tmp_path, "scores", facts, ("user_id", "shop_id", "at", "score"))
    both = view("scores", path, entities=[user, shop])
    store = open_feast(user, shop, both)
    at = [h(2)] * 5
    frame = pd.DataFrame(
        {"user_id": [2, 1, 2, 1, 2], "shop_id": ["a", "b", "b", None, "ä"], "event_timestamp": at, "label": range(5)}
    )
    got = store.get_historical_features(entity_df=frame, features=["scores:score"]).to_arrow()
    assert got.column_names == ["user_id", "shop_id", "event_timestamp", "label", "score"]
    assert got["score"].to_pylist() == [3, 2, None, None, 5]
    from feast import FeatureService

    renamed = both.with_name("buyers").with_join_key_map({"user_id": "buyer", "shop_id": "place"})
    service = FeatureService(name="sales", features=[renamed[["score"]]])
    store.apply([service])
    frame = frame.rename(columns={"user_id": "buyer", "shop_id": "place"})
    got = store.get_historical_features(entity_df=frame, features=service, full_feature_names=True).to_arrow()
    assert got["buyers__score"].to_pylist() == [3, 2, None, None, 5]


def test_field_mappings_rename_what_is_asked_for(open_feast: Open, tmp_path: Path) -> None:
    path = rows(tmp_path, "scores", [(1, h(1), h(3), 10), (1, h(1), h(2), 20)], ("uid", "ts", "made", "value"))
    mapping = {"uid": "user_id", "ts": "at", "made": "created", "value": "score"}
    store = open_feast(user, view("scores", path, field_mapping=mapping, created_timestamp_column="created"))
    assert scores(store, asked((1, h(1)), (1, h(0)))) == [10, None]
    store.materialize(h(0), h(4))
    online = store.get_online_features(features=["scores:score"], entity_rows=[{"user_id": 1}])
    assert online.to_dict() == {"user_id": [1], "score": [10]}


def test_views_of_other_keys_and_of_none_stand_in_one_answer(open_feast: Open, tmp_path: Path) -> None:
    shop = Entity(name="shop", join_keys=["shop_id"], value_type=ValueType.STRING)
    mine = view("scores", rows(tmp_path, "scores", [(1, h(1), h(1), 10)], COLUMNS))
    theirs = view(
        "shops",
        rows(tmp_path, "shops", [("a", h(1), 1.5)], ("shop_id", "at", "stars")),
        entities=[shop],
        features={"stars": Float64},
    )
    world = view(
        "world",
        rows(tmp_path, "world", [(h(1), "fog"), (h(3), "sun")], ("at", "sky")),
        entities=[],
        features={"sky": String},
    )
    store = open_feast(user, shop, mine, theirs, world)
    frame = pd.DataFrame({"user_id": [1, 1, 2], "shop_id": ["a", "b", "a"], "event_timestamp": [h(2), h(4), h(0)]})
    refs = ["world:sky", "scores:score", "shops:stars"]
    got = store.get_historical_features(entity_df=frame, features=refs, full_feature_names=True).to_arrow().to_pydict()
    assert got["scores__score"] == [10, 10, None]
    assert got["shops__stars"] == [1.5, None, None]
    assert got["world__sky"] == ["fog", "sun", None]


def test_a_folder_a_pattern_and_a_delta_table_are_read_like_a_file(open_feast: Open, tmp_path: Path) -> None:
    table = pa.table(
        {
            "user_id": pa.array([1, 1, 2], pa.int32()),
            "at": pa.array([h(1), h(2), h(1)], pa.timestamp("us", "UTC")),
            "score": [1, 2, 3],
            "land": ["fr", "de", "de"],
        }
    )
    ds.write_dataset(table, tmp_path / "folder", format="parquet", partitioning=["land"], partitioning_flavor="hive")
    pq.write_table(table.slice(0, 1), tmp_path / "part-1.parquet", row_group_size=1)
    pq.write_table(table.slice(1), tmp_path / "part-2.parquet", row_group_size=1)
    write_deltalake(tmp_path / "delta", table.slice(0, 2))
    write_deltalake(tmp_path / "delta", table.slice(2), mode="append")
    features = {"score": Int64, "land": String}
    store = open_feast(
        user,
        view("folder", "folder", features=features),
        view("pattern", "part-*.parquet", features=features),
        view("delta", str(tmp_path / "delta"), features=features, file_format=DeltaFormat()),
    )
    frame = asked((1, h(1)), (1, h(2)), (2, h(1)), (2, h(0)))
    refs = [f"{name}:{feature}" for name in ("folder", "pattern", "delta") for feature in features]
    got = store.get_historical_features(entity_df=frame, features=refs, full_feature_names=True).to_arrow().to_pydict()
    for name in ("folder", "pattern", "delta"):
        assert got[f"{name}__score"] == [1, 2, 3, None], name
        assert got[f"{name}__land"] == ["fr", "de", "de", None], name
    store.materialize(h(0), h(3), feature_views=["delta"])
    online = store.get_online_features(features=["delta:land"], entity_rows=[{"user_id": 1}, {"user_id": 2}])
    assert online.to_dict()["land"] == ["de", "de"]


def test_row_groups_that_cannot_matter_are_not_read(open_feast: Open, tmp_path: Path) -> None:
    from ethogram.adapters.feast.facts import Facts

    path = rows(tmp_path, "scores", [(1, h(n), h(n), n) for n in range(10)], COLUMNS)
    pq.write_table(pq.read_table(tmp_path / path), tmp_path / path, row_group_size=2)
    store = open_feast(user, view("scores", path, ttl=timedelta(hours=1)))
    facts = Facts(store.get_feature_view("scores").batch_source, store.config)
    (piece,) = facts.pieces("at", since=int(h(4).timestamp() * 1e6), until=int(h(5).timestamp() * 1e6))
    assert facts.read(piece, ["score"])["score"].to_pylist() == [4, 5]
    assert scores(store, asked((1, h(5)), (1, h(9.5)), (1, h(30)))) == [5, 9, None]


def test_a_query_asks_like_a_frame(open_feast: Open, tmp_path: Path) -> None:
    path = rows(tmp_path, "scores", [(1, h(1), h(1), 10), (2, h(2), h(2), 20)], COLUMNS)
    store = open_feast(user, view("scores", path))
    rows(
        tmp_path, "labels", [(2, h(3), True), (1, h(0), False), (2, h(3), True)], ("user_id", "event_timestamp", "left")
    )
    query = "select user_id, \"left\", event_timestamp from read_parquet('~/labels.parquet') where user_id > 0"
    job = store.get_historical_features(entity_df=query, features=["scores:score"])
    assert job.to_arrow().to_pydict() == {
        "user_id": [2, 1, 2],
        "left": [True, False, True],
        "event_timestamp": [h(3), h(0), h(3)],
        "score": [20, None, 20],
    }
    assert (job.metadata.min_event_timestamp, job.metadata.max_event_timestamp) == (h(0), h(3))
    assert sorted(job.metadata.keys) == ["left", "user_id"]
    for day in ("date '2026-03-02'", "'2026-03-02 00:00:00+00:00'", "timestamp '2026-03-01 02:00:00'"):
        dated = f"select 2 as user_id, {day} as event_timestamp"
        job = store.get_historical_features(entity_df=dated, features=["scores:score"])
        assert job.to_df()["score"].tolist() == [20], day


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("select 1 as user_id", "no column event_timestamp"),
        ("selec 1", "no query that DuckDB reads"),
        ("select 1; select 2", "one SELECT"),
        ("copy (select 1) to 'stolen.csv'", "one SELECT"),
        ("select * from events", "query failed: Catalog Error"),
        ("select * from statements", "query failed: Catalog Error"),
        ("select 1 as user_id, 7 as event_timestamp", "event_timestamp is int32; a time is needed"),
        ("select 1 as user_id, 'soon' as event_timestamp", "event_timestamp is text that is no time"),
        ("select * from read_text('/proc/self/environ')", "query failed: Permission Error"),
        ("select * from '~/../elsewhere.parquet'", "query failed: Permission Error"),
        ("select 1 as user_id, null::timestamp as event_timestamp", "event_timestamp is missing in 1 of 1 rows"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(open_feast: Open, tmp_path: Path, query: str, says: str) -> None:
    store = open_feast(user, view("scores", rows(tmp_path, "scores", [(1, h(1), h(1), 10)], COLUMNS)))
    with pytest.raises(AskedWrongly, match=says):
        store.get_historical_features(entity_df=query, features=["scores:score"]).to_df()
    assert not (tmp_path / "stolen.csv").exists()


def test_a_query_reads_further_folders_where_the_settings_say_so(open_feast: Open, tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "la'bels").mkdir()
    rows(tmp_path / "la'bels", "left", [(1, h(2))], ("user_id", "event_timestamp"))
    path = rows(tmp_path, "scores", [(1, h(1), h(1), 10)], COLUMNS)
    store = open_feast(user, view("scores", str(tmp_path / path)))
    text = (tmp_path / "feature_store.yaml").read_text().replace("registry.db", str(tmp_path / "registry.db"))
    query = f"from '{tmp_path}/la''bels/left.parquet'"
    for settings, says in (("", "Permission Error"), ('  query_folders: ["../la\'bels"]', None)):
        changed = text.replace("online_store:", f"{settings}\nonline_store:")
        (tmp_path / "repo" / "feature_store.yaml").write_text(changed)
        store = FeatureStore(repo_path=str(tmp_path / "repo"))
        job = store.get_historical_features(entity_df=query, features=["scores:score"])
        if says:
            with pytest.raises(AskedWrongly, match=says):
                job.to_arrow()
        else:
            assert job.to_arrow()["score"].to_pylist() == [10]


def test_a_range_of_dates_asks_about_every_key_and_instant_in_the_files(open_feast: Open, tmp_path: Path) -> None:
    facts = [(1, h(0), h(0), 1), (1, h(2), h(2), 2), (2, h(3), h(3), 3), (2, h(3), h(4), 4), (2, h(9), h(9), 5)]
    other = [(1, h(1), 0.5), (1, h(2), 0.7), (3, h(2), 0.9), (None, h(2), 9.0)]
    store = open_feast(
        user,
        view("scores", rows(tmp_path, "scores", facts, COLUMNS), created_timestamp_column="created"),
        view("moods", rows(tmp_path, "moods", other, ("user_id", "at", "mood")), features={"mood": Float64}),
    )
    asks = {"features": ["scores:score", "moods:mood"], "start_date": h(1), "end_date": h(3)}
    job = store.get_historical_features(**asks)
    assert job.to_arrow().to_pylist() == [
        {"user_id": 1, "event_timestamp": h(1), "score": 1, "mood": 0.5},
        {"user_id": 1, "event_timestamp": h(2), "score": 2, "mood": 0.7},
        {"user_id": 3, "event_timestamp": h(2), "score": None, "mood": 0.9},
        {"user_id": 2, "event_timestamp": h(3), "score": 4, "mood": None},
    ]
    assert (job.metadata.min_event_timestamp, job.metadata.max_event_timestamp) == (h(1), h(3))
    nothing = store.get_historical_features(features=["scores:score"], start_date=h(20), end_date=h(21)).to_arrow()
    assert (len(nothing), nothing.column_names) == (0, ["user_id", "event_timestamp", "score"])


def test_a_range_over_views_of_other_keys_has_nulls_where_a_view_has_no_such_key(
    open_feast: Open, tmp_path: Path
) -> None:
    shop = Entity(name="shop", join_keys=["shop_id"], value_type=ValueType.STRING)
    store = open_feast(
        user,
        shop,
        view("scores", rows(tmp_path, "scores", [(1, h(1), h(1), 10)], COLUMNS)),
        view(
            "shops",
            rows(tmp_path, "shops", [("a", h(2), 1.5)], ("shop_id", "at", "stars")),
            entities=[shop],
            features={"stars": Float64},
        ),
    )
    refs = ["scores:score", "shops:stars"]
    got = store.get_historical_features(features=refs, start_date=h(0), end_date=h(5)).to_arrow()
    assert got.to_pylist() == [
        {"user_id": 1, "shop_id": None, "event_timestamp": h(1), "score": 10, "stars": None},
        {"user_id": None, "shop_id": "a", "event_timestamp": h(2), "score": None, "stars": 1.5},
    ]


@pytest.fixture
def doubling(open_feast: Open, tmp_path: Path) -> FeatureStore:
    """A view, and an on-demand view over it and a column of the request."""
    scores = view("scores", rows(tmp_path, "scores", [(1, h(1), h(1), 10), (2, h(2), h(2), 20)], COLUMNS))
    bonus = RequestSource(name="bonus", schema=[Field(name="bonus", dtype=Int64)])

    @on_demand_feature_view(sources=[scores, bonus], schema=[Field(name="total", dtype=Int64)], mode="pandas")
    def totals(inputs: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"total": inputs["score"] + inputs["bonus"]})

    return open_feast(user, scores, totals)


@pytest.mark.filterwarnings("ignore:On demand feature view:RuntimeWarning")
def test_the_rows_stream_in_batches_on_demand_columns_included(doubling: FeatureStore) -> None:
    frame = asked((3, h(3)), (3, h(3)), (1, h(3)), (2, h(3)), (2, h(1))).assign(bonus=range(5))
    job = doubling.get_historical_features(entity_df=frame, features=["scores:score", "totals:total"])
    reader = job.to_arrow_reader(rows=2)
    batches = list(reader)
    assert [len(batch) for batch in batches] == [2, 2, 1]
    streamed = pa.Table.from_batches(batches, reader.schema)
    assert streamed["total"].to_pylist() == [None, None, 12, 23, None]
    assert streamed.to_pydict() == job.to_arrow().to_pydict()
    assert duckdb.sql("select count(*) from again", connection=_with("again", job.to_arrow_reader(2))).fetchall() == [
        (5,)
    ]


def _with(name: str, reader: pa.RecordBatchReader) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.register(name, reader)
    return connection


@pytest.mark.filterwarnings("ignore:On demand feature view:RuntimeWarning")
@pytest.mark.parametrize("kept_as", ["file.parquet", "deep/folder", "delta"])
def test_a_saved_dataset_is_written_read_again_and_not_overwritten_unasked(
    doubling: FeatureStore, tmp_path: Path, kept_as: str
) -> None:
    frame = asked((1, h(3)), (2, h(4))).assign(bonus=[1, 2])
    ask = {"entity_df": frame, "features": ["scores:score", "totals:total"]}
    more = {"file_format": DeltaFormat()} if kept_as == "delta" else {}
    storage = SavedDatasetFileStorage(path=str(tmp_path / kept_as), **more)
    job = doubling.get_historical_features(**ask)
    doubling.create_saved_dataset(job, name="kept", storage=storage)
    back = doubling.get_saved_dataset("kept").to_df().sort_values("user_id")
    assert back["total"].tolist() == [11, 22]
    with pytest.raises(SavedDatasetLocationAlreadyExists):
        job.persist(storage)
    fewer = doubling.get_historical_features(**{**ask, "entity_df": frame.head(1)})
    fewer.persist(storage, allow_overwrite=True)
    assert doubling.get_saved_dataset("kept").to_df()["total"].tolist() == [11]


def test_a_disk_that_refuses_is_said_and_leaves_what_was_kept(
    doubling: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = asked((1, h(3))).assign(bonus=1)
    job = doubling.get_historical_features(entity_df=frame, features=["scores:score"])
    kept = tmp_path / "kept.parquet"
    storage = SavedDatasetFileStorage(path=str(kept))
    job.persist(storage)
    before = kept.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", full)
    with pytest.raises(CannotWrite, match="no space left on device; free some space"):
        job.persist(storage, allow_overwrite=True)
    assert kept.read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))


def test_materialize_takes_the_newest_row_between_the_dates(open_feast: Open, tmp_path: Path) -> None:
    facts = [
        (1, h(1), h(1), 1),
        (1, h(2), h(4), 2),
        (1, h(2), h(3), 9),
        (1, h(5), h(5), 5),
        (2, h(0), h(0), 7),
        (3, h(2), h(2), None),
    ]
    store = open_feast(
        user,
        view("scores", rows(tmp_path, "scores", facts, COLUMNS), created_timestamp_column="created"),
        view(
            "world",
            rows(tmp_path, "world", [(h(1), 1), (h(2), 2)], ("at", "sky")),
            entities=[],
            features={"sky": Int64},
        ),
    )
    store.materialize(h(1), h(2))
    asks = {"features": ["scores:score", "world:sky"], "entity_rows": [{"user_id": n} for n in (1, 2, 3)]}
    assert store.get_online_features(**asks).to_dict() == {
        "user_id": [1, 2, 3], "score": [2, None, None], "sky": [2, 2, 2],
    }  # fmt: skip
    store.materialize_incremental(h(6), feature_views=["scores"])
    assert store.get_online_features(**asks).to_dict()["score"] == [5, None, None]


def test_all_rows_between_the_dates_are_pulled(open_feast: Open, tmp_path: Path) -> None:
    path = rows(tmp_path, "scores", [(1, h(n), h(n), n) for n in range(6)], COLUMNS)
    store = open_feast(user, view("scores", path))
    source = store.get_feature_view("scores").batch_source

    def pulled(**span: datetime) -> list[int]:
        job = store._get_provider().offline_store.pull_all_from_table_or_query(
            store.config, source, ["user_id"], ["score"], "at", None, **span
        )
        assert job.to_arrow().column_names == ["user_id", "score", "at"]
        return list(job.to_arrow()["score"].to_pylist())

    assert pulled(start_date=h(2), end_date=h(4)) == [2, 3, 4]
    assert pulled(end_date=h(1).replace(tzinfo=None)) == [0, 1]
    assert pulled() == [0, 1, 2, 3, 4, 5]


def test_what_cannot_be_joined_is_said(open_feast: Open, tmp_path: Path) -> None:
    path = rows(tmp_path, "scores", [(1, h(1), h(1), 10)], COLUMNS)
    store = open_feast(user, view("scores", path, features={"score": Int64, "at": Int64}))
    refs = ["scores:score"]
    for frame, says in (
        (asked(("one", h(1))), "user_id is string in entity_df and int64 in its source"),
        (asked((1.5, h(1))), "user_id is double in entity_df and int64 in its source"),
        (asked((1, h(1))).rename(columns={"user_id": "who"}), "no column 'user_id', the join key of scores"),
        (asked((1, h(1))).assign(score=3), "entity_df has a column 'score' already"),
        (pd.DataFrame({"user_id": [1], "event_timestamp": ["soon"]}), "entity_df cannot be read"),
        (pd.DataFrame({"user_id": [1], "event_timestamp": [7]}), "event_timestamp is int64; a time is needed"),
        (pd.DataFrame({"user_id": [1]}), "no column event_timestamp"),
    ):
        with pytest.raises(AskedWrongly, match=says):
            store.get_historical_features(entity_df=frame, features=refs).to_df()
    pq.write_table(pa.table({"user_id": [1], "at": [h(1)], "scor": [1]}), tmp_path / path)
    with pytest.raises(AskedWrongly, match=r"scores_rows has no column 'score'; did you mean scor\?"):
        store.get_historical_features(entity_df=asked((1, h(1))), features=refs).to_df()
    pq.write_table(pa.table({"user_id": [1], "at": ["1 March"], "score": [1]}), tmp_path / path)
    with pytest.raises(AskedWrongly, match=r"scores_rows.at is string; a time is needed"):
        store.get_historical_features(entity_df=asked((1, h(1))), features=refs).to_df()
    (tmp_path / path).unlink()
    with pytest.raises(UnreadableSource, match="check the source's path and file_format"):
        store.get_historical_features(entity_df=asked((1, h(1))), features=refs).to_df()
