"""A plain Feast client on our workspace: same values as ours everywhere, same rules, no code of ours in sight."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner
from feast import FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.cli.cli import cli
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64

from ethogram import wiring
from ethogram.adapters.feast.source import is_ours
from ethogram.core.governance.agreement import NotAgreed
from ethogram.core.governance.purpose import UnknownPurpose
from ethogram.core.governance.team import UnknownPrincipal
from ethogram.errors import AskedWrongly
from ethogram.local import NotOwner
from ethogram.usecases.apply import NotApplied

Open = Callable[..., FeatureStore]
RHYTHM = "purchase_rhythm_v4"
FEATURES = ["purchases_7d", "purchases_180d", "spend_90d", "days_since_purchase", "refunds_180d"]
REFS = [f"{RHYTHM}:{name}" for name in FEATURES]


@pytest.fixture
def feast(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens plain Feast on the shop's feature_repo/ as somebody with a purpose."""

    def opened(as_: str = "risk.modeller", purpose: str = "churn_prevention") -> FeatureStore:
        for name, value in shop.environment(as_, purpose).items():
            monkeypatch.setenv(name, value)
        return FeatureStore(repo_path=str(shop.root / "feature_repo"))

    return opened


def asked(shop: Any, instants: list[datetime]) -> pd.DataFrame:
    keys = sorted(shop.ids)
    rows = [{"customer_id": key, "event_timestamp": at} for key in keys for at in instants]
    return pd.DataFrame(rows)


INSTANTS = [
    datetime(2026, 2, 1, tzinfo=UTC),
    datetime(2026, 4, 12, 10, 30, 0, 123456, tzinfo=UTC),
    datetime(2026, 6, 1, tzinfo=UTC),
]


def test_history_is_what_the_reference_computes(shop: Any, feast: Open) -> None:
    frame = asked(shop, INSTANTS)
    got = feast().get_historical_features(entity_df=frame, features=REFS).to_arrow()
    assert got["spend_90d"].type == pa.decimal128(38, 6)
    for row in got.to_pylist():
        right = shop.expected("purchase_rhythm@4", row["customer_id"], row["event_timestamp"])
        assert {name: row[name] for name in FEATURES} == {name: right[name] for name in FEATURES}


def test_integer_keys_and_naive_times_mean_the_same_as_strings_and_utc(shop: Any, feast: Open) -> None:
    store = feast()
    frame = asked(shop, INSTANTS)
    strings = store.get_historical_features(entity_df=frame, features=REFS).to_df()
    numbers = frame.assign(customer_id=frame["customer_id"].astype(int))
    naive = numbers.assign(event_timestamp=frame["event_timestamp"].dt.tz_localize(None))
    elsewhere = frame.assign(event_timestamp=frame["event_timestamp"].dt.tz_convert("Asia/Tokyo"))
    for same in (numbers, naive, elsewhere):
        got = store.get_historical_features(entity_df=same, features=REFS).to_df()
        pd.testing.assert_frame_equal(got[FEATURES], strings[FEATURES])


def test_rows_keep_their_order_their_duplicates_and_their_other_columns(shop: Any, feast: Open) -> None:
    key = next(iter(shop.ids))
    at = INSTANTS[1]
    frame = pd.DataFrame(
        {"customer_id": [key, "nobody", key, None], "event_timestamp": [at] * 4, "label": [3, 1, 2, 0]},
        index=[9, 9, 4, 1],
    )
    got = feast().get_historical_features(entity_df=frame, features=REFS).to_df()
    assert got["label"].tolist() == [3, 1, 2, 0]
    right = [shop.expected("purchase_rhythm@4", k, at)["purchases_180d"] for k in (key, "nobody", key, "")]
    assert got["purchases_180d"].tolist() == right
    assert got["spend_90d"].tolist()[1] == Decimal(0)
    assert pd.isna(got["days_since_purchase"].tolist()[1])


def test_several_views_stand_side_by_side_under_full_names(shop: Any, feast: Open) -> None:
    refs = [
        f"{RHYTHM}:days_since_purchase",
        "browsing_v1:page_views_7d",
        "basket_v1:basket_last",
        f"{RHYTHM}:spend_90d",
    ]
    job = feast().get_historical_features(entity_df=asked(shop, INSTANTS), features=refs, full_feature_names=True)
    for row in job.to_arrow().to_pylist():
        key, at = row["customer_id"], row["event_timestamp"]
        rhythm = shop.expected("purchase_rhythm@4", key, at)
        assert {name: row[name.replace(":", "__")] for name in refs} == {
            f"{RHYTHM}:days_since_purchase": rhythm["days_since_purchase"],
            "browsing_v1:page_views_7d": shop.expected("browsing@1", key, at)["page_views_7d"],
            "basket_v1:basket_last": shop.expected("basket@1", key, at)["basket_last"],
            f"{RHYTHM}:spend_90d": rhythm["spend_90d"],
        }


def test_a_view_of_the_users_own_keeps_feasts_inclusive_rule_beside_ours(
    shop: Any, feast: Open, tmp_path: Path
) -> None:
    store = feast()
    key, at = sorted(shop.ids)[0], INSTANTS[1]
    times = [at - timedelta(days=1), at]
    rows = pd.DataFrame({"customer_id": [key] * 2, "event_timestamp": times, "grade": [1.5, 2.5], "visits": [1, 2]})
    rows.to_parquet(tmp_path / "grades.parquet")
    source = FileSource(name="grades_file", path=str(tmp_path / "grades.parquet"), timestamp_field="event_timestamp")
    grades = FeatureView(
        name="grades",
        entities=[store.get_entity("customer")],
        ttl=timedelta(days=30),
        source=source,
        schema=[Field(name="grade", dtype=Float64), Field(name="visits", dtype=Int64)],
    )
    store.apply([grades])
    before = at - timedelta(microseconds=1)
    frame = pd.DataFrame({"customer_id": ["nobody", key, key], "event_timestamp": [at, at, before]})
    got = store.get_historical_features(entity_df=frame, features=["grades:grade", *REFS]).to_df()
    assert [None if pd.isna(g) else g for g in got["grade"]] == [None, 2.5, 1.5]
    assert got["spend_90d"].tolist()[1] == shop.expected("purchase_rhythm@4", key, at)["spend_90d"]
    store.materialize(at - timedelta(days=2), at, feature_views=["grades"])
    asks = {"features": ["grades:grade", "grades:visits"], "entity_rows": [{"customer_id": key}, {"customer_id": "x"}]}
    assert store.get_online_features(**asks).to_dict() == {
        "customer_id": [key, "x"],
        "grade": [2.5, None],
        "visits": [2, None],
    }
    store.write_to_online_store("grades", rows.head(1))
    assert store.get_online_features(**asks).to_dict()["grade"] == [2.5, None]


def test_a_query_and_a_range_of_dates_ask_about_signals_and_files_in_one(shop: Any, feast: Open) -> None:
    store = feast()
    path = shop.root / "feature_repo" / "stars.parquet"
    first, second = sorted(shop.ids)[:2]
    rows = pd.DataFrame(
        {"customer_id": [first, first, second, "stranger"], "at": [*INSTANTS, INSTANTS[1]], "stars": [1, 2, 3, 4]}
    )
    rows.to_parquet(path)
    stars = FeatureView(
        name="stars",
        entities=[store.get_entity("customer")],
        ttl=timedelta(0),
        source=FileSource(name="stars_file", path="stars.parquet", timestamp_field="at"),
        schema=[Field(name="stars", dtype=Int64)],
    )
    store.apply([stars])
    refs = [f"{RHYTHM}:spend_90d", "stars:stars"]
    query = "select customer_id, max(\"at\") as event_timestamp from '~/stars.parquet' group by 1 order by 1"
    got = store.get_historical_features(entity_df=query, features=refs).to_arrow().to_pylist()
    assert [(row["customer_id"], row["event_timestamp"], row["stars"]) for row in got] == [
        (first, INSTANTS[1], 2),
        (second, INSTANTS[2], 3),
        ("stranger", INSTANTS[1], 4),
    ]
    job = store.get_historical_features(features=refs, start_date=INSTANTS[1], end_date=INSTANTS[2])
    ranged = pa.Table.from_batches(list(job.to_arrow_reader(rows=1))).to_pylist()
    assert [(row["customer_id"], row["stars"]) for row in ranged] == [(first, 2), ("stranger", 4), (second, 3)]
    for row in (row for row in got + ranged if row["customer_id"] in shop.ids):
        right = shop.expected("purchase_rhythm@4", row["customer_id"], row["event_timestamp"])
        assert row["spend_90d"] == right["spend_90d"]
    path.unlink()


def test_a_range_of_dates_asks_signals_alone_about_everyone_at_its_end(shop: Any, feast: Open) -> None:
    asks = {"features": REFS, "start_date": INSTANTS[0], "end_date": INSTANTS[1]}
    got = feast().get_historical_features(**asks).to_arrow().to_pylist()
    assert {row["event_timestamp"] for row in got} == {INSTANTS[1]}
    assert {row["customer_id"] for row in got} <= set(shop.ids)
    for row in got:
        right = shop.expected("purchase_rhythm@4", row["customer_id"], INSTANTS[1])
        assert [row[name] for name in FEATURES] == [right[name] for name in FEATURES]
    assert len(got) > 1


def test_online_after_materialize_is_history_at_that_instant(shop: Any, feast: Open) -> None:
    at = INSTANTS[2]
    feast("growth.analyst").materialize(datetime(2026, 1, 1), at, feature_views=[RHYTHM, "browsing_v1"])
    store = feast()
    keys = sorted(shop.ids)
    refs = [*REFS, "browsing_v1:page_views_7d"]
    online = store.get_online_features(features=refs, entity_rows=[{"customer_id": key} for key in keys]).to_dict()
    history = store.get_historical_features(entity_df=asked(shop, [at]), features=refs).to_arrow().to_pydict()
    for name in [*FEATURES, "page_views_7d"]:
        assert list(map(repr, online[name])) == list(map(repr, history[name])), name
    ours = shop.store().lookup_many("customer", keys, signals=["purchase_rhythm"])
    assert [answer["spend_90d"] for answer in ours] == online["spend_90d"]


def test_our_materialize_is_what_plain_feast_serves(shop: Any, feast: Open) -> None:
    at = INSTANTS[2]
    shop.store("shop.analyst").materialize(["basket"], as_of=at)
    keys = sorted(shop.ids)
    names = [name for name, _ in shop.store().view("basket").features]
    rows = [{"customer_id": int(key)} for key in keys]
    online = feast().get_online_features(features=[f"basket_v1:{name}" for name in names], entity_rows=rows).to_dict()
    for place, key in enumerate(keys):
        assert {name: online[name][place] for name in names} == shop.expected("basket@1", key, at)


def test_an_older_materialize_overwrites_nothing(shop: Any, feast: Open) -> None:
    owner = feast("growth.analyst")
    row = [{"customer_id": sorted(shop.ids)[0]}]
    owner.materialize(datetime(2026, 1, 1), INSTANTS[2], feature_views=[RHYTHM])
    newest = owner.get_online_features(features=REFS, entity_rows=row).to_dict()
    owner.materialize(datetime(2026, 1, 1), INSTANTS[0], feature_views=[RHYTHM])
    assert owner.get_online_features(features=REFS, entity_rows=row).to_dict() == newest


def test_materialize_incremental_goes_on_from_where_it_was(shop: Any, feast: Open) -> None:
    shop.parts.online.drop("basket_v1")
    owner = feast("shop.analyst")
    row = [{"customer_id": sorted(shop.ids)[1]}]
    for at in (INSTANTS[1], INSTANTS[2]):
        owner.materialize_incremental(at, feature_views=["basket_v1"])
        served = owner.get_online_features(features=["basket_v1:items_180d"], entity_rows=row).to_dict()
        assert served["items_180d"] == [shop.expected("basket@1", row[0]["customer_id"], at)["items_180d"]]


def test_an_unknown_key_is_not_found(shop: Any, feast: Open) -> None:
    shop.store("growth.analyst").materialize(["purchase_rhythm"], as_of=INSTANTS[2])
    rows = [{"customer_id": "nobody"}, {"customer_id": sorted(shop.ids)[0]}]
    response = feast().get_online_features(features=REFS, entity_rows=rows)
    assert {name: values[0] for name, values in response.to_dict().items()} == {
        "customer_id": "nobody",
        **dict.fromkeys(FEATURES),
    }
    assert statuses(response) == {name: ["NOT_FOUND", "PRESENT"] for name in FEATURES}


def test_who_opted_out_is_absent_from_history_and_online(shop: Any, feast: Open) -> None:
    key, other = sorted(shop.ids)[3:5]
    at = INSTANTS[2]
    shop.store("growth.analyst").materialize(["purchase_rhythm"], as_of=at)
    try:
        assert shop.store("care.analyst").consent("customer", key, allowed=False)
        frame = pd.DataFrame({"customer_id": [key, other], "event_timestamp": [at, at]})
        history = feast().get_historical_features(entity_df=frame, features=REFS).to_arrow().to_pylist()
        assert [history[0][name] for name in FEATURES] == [None] * len(FEATURES)
        assert history[1]["purchases_180d"] == shop.expected("purchase_rhythm@4", other, at)["purchases_180d"]
        rows = [{"customer_id": key}, {"customer_id": other}]
        response = feast().get_online_features(features=REFS, entity_rows=rows)
        assert statuses(response) == {name: ["NOT_FOUND", "PRESENT"] for name in FEATURES}
        assert [values[0] for name, values in response.to_dict().items() if name in FEATURES] == [None] * len(FEATURES)
        elsewhere = feast(purpose="campaigns").get_online_features(features=REFS, entity_rows=rows)
        assert statuses(elsewhere)["spend_90d"] == ["PRESENT", "PRESENT"]
    finally:
        shop.clock.at += timedelta(seconds=1)
        assert shop.store("care.analyst").consent("customer", key, allowed=True)


def statuses(response: Any) -> dict[str, list[str]]:
    from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

    names = response.proto.metadata.feature_names.val
    found = {n: [FieldStatus.Name(s) for s in r.statuses] for n, r in zip(names, response.proto.results, strict=True)}
    return {name: found[name] for name in found if name != "customer_id"}


@pytest.mark.parametrize(
    ("as_", "purpose", "refusal", "says"),
    [
        ("", "churn_prevention", UnknownPrincipal, "set ETHOGRAM_PRINCIPAL"),
        ("risk.modeller", "", UnknownPurpose, "every read states a purpose"),
        ("risk.modeller", "gossip", UnknownPurpose, "no purpose named 'gossip'"),
        ("sales.analyst", "campaigns", NotAgreed, "next: propose an agreement in contracts/agreements/growth-sales"),
    ],
)
def test_reads_without_principal_purpose_or_agreement_are_refused(
    shop: Any, feast: Open, as_: str, purpose: str, refusal: type[Exception], says: str
) -> None:
    store = feast(as_, purpose)
    key = sorted(shop.ids)[0]
    frame = pd.DataFrame({"customer_id": [key], "event_timestamp": [INSTANTS[2]]})
    with pytest.raises(refusal, match=says):
        store.get_historical_features(entity_df=frame, features=REFS).to_df()
    with pytest.raises(refusal, match=says):
        store.get_online_features(features=REFS, entity_rows=[{"customer_id": key}])


def test_only_the_owner_writes_rows_of_a_signal(feast: Open) -> None:
    with pytest.raises(NotOwner, match="belongs to growth, so risk may not write rows of it; ask growth"):
        feast().materialize(datetime(2026, 1, 1), INSTANTS[2], feature_views=[RHYTHM])


def test_rows_pushed_by_the_owner_are_served_and_older_ones_are_not(shop: Any, feast: Open) -> None:
    owner = feast("shop.analyst")
    key = sorted(shop.ids)[5]
    columns = {name: [None] for name, _ in owner_features(shop)}
    newer = pd.DataFrame({"customer_id": [key], "event_timestamp": [INSTANTS[2] + timedelta(days=9)], **columns})
    newer["basket_last"] = [Decimal("12345678901234567890123456789012.654321")]
    older = newer.assign(event_timestamp=INSTANTS[0], basket_last=[Decimal(1)])
    owner.write_to_online_store("basket_v1", newer)
    owner.write_to_online_store("basket_v1", older)
    asks = {"features": ["basket_v1:basket_last"], "entity_rows": [{"customer_id": key}]}
    assert owner.get_online_features(**asks).to_dict()["basket_last"] == [
        Decimal("12345678901234567890123456789012.654321")
    ]
    with pytest.raises(AskedWrongly, match="no customer 'nobody' was ever seen"):
        owner.write_to_online_store("basket_v1", newer.assign(customer_id=["nobody"]))
    shop.parts.online.drop("basket_v1")


def owner_features(shop: Any) -> tuple[tuple[str, str], ...]:
    features: tuple[tuple[str, str], ...] = shop.store().view("basket").features
    return features


@pytest.mark.filterwarnings("ignore:On demand feature view:RuntimeWarning")
def test_a_derived_view_of_the_users_own_computes_on_our_values(shop: Any, feast: Open) -> None:
    store = feast()

    @on_demand_feature_view(
        sources=[store.get_feature_view(RHYTHM)], schema=[Field(name="twice", dtype=Int64)], mode="pandas"
    )
    def doubled(inputs: pd.DataFrame) -> pd.DataFrame:
        frame = pd.DataFrame()
        frame["twice"] = inputs["purchases_180d"] * 2
        return frame

    store.apply([doubled])
    try:
        frame = asked(shop, [INSTANTS[1]])
        got = store.get_historical_features(
            entity_df=frame, features=[f"{RHYTHM}:purchases_180d", "doubled:twice"]
        ).to_df()
        assert got["twice"].tolist() == [2 * n for n in got["purchases_180d"]]
    finally:
        store.registry.delete_feature_view("doubled", store.project)


def test_a_feature_service_gives_the_same_values(shop: Any, feast: Open) -> None:
    store = feast()
    service = FeatureService(name="churn", features=[store.get_feature_view(RHYTHM)[["spend_90d"]]])
    store.apply([service])
    got = store.get_historical_features(entity_df=asked(shop, INSTANTS), features=service).to_arrow()
    assert set(got.column_names) == {"customer_id", "event_timestamp", "spend_90d"}
    for row in got.to_pylist():
        right = shop.expected("purchase_rhythm@4", row["customer_id"], row["event_timestamp"])
        assert row["spend_90d"] == right["spend_90d"]


def test_what_the_frame_lacks_is_said(feast: Open) -> None:
    store = feast()
    with pytest.raises(AskedWrongly, match="no column 'customer_id', the join key of purchase_rhythm_v4"):
        store.get_historical_features(
            entity_df=pd.DataFrame({"who": ["a"], "event_timestamp": [INSTANTS[0]]}), features=REFS
        ).to_df()
    with pytest.raises(AskedWrongly, match="event_timestamp is missing in 1 of 1 rows"):
        store.get_historical_features(
            entity_df=pd.DataFrame({"customer_id": ["a"], "event_timestamp": [pd.NaT]}), features=REFS
        ).to_df()
    with pytest.raises(AskedWrongly, match="no column event_timestamp"):
        store.get_historical_features(entity_df="select 1", features=REFS).to_df()


def command(shop: Any, *arguments: str) -> str:
    """What `feast` prints, run in this process: importing it anew takes seconds."""
    sys.modules.pop("repo", None)
    result = CliRunner().invoke(cli, ["-c", str(shop.root / "feature_repo"), *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_feasts_own_commands_list_and_apply_what_was_applied(shop: Any, feast: Open) -> None:
    def ours() -> dict[str, Any]:
        views = [view for view in feast().list_feature_views() if is_ours(view)]
        return {view.name: (view.features, view.batch_source, view.tags, view.owner, view.ttl) for view in views}

    before = ours()
    listed = command(shop, "feature-views", "list")
    for view in shop.store().views().values():
        assert re.search(rf"^{view.name} +{{'{view.entity}'}}", listed, re.MULTILINE), view.name
    assert "Applying changes for project ethogram" in command(shop, "apply")
    assert ours() == before
    assert set(before) == set(shop.store().views())


def test_plain_apply_refuses_a_working_tree_that_was_not_applied(
    shop: Any, feast: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    feast()
    file = shop.root / "feature_repo" / "teams" / "shop" / "signals.py"
    text = file.read_text()
    monkeypatch.setattr(wiring, "_parts", {})
    try:
        file.write_text(text.replace('over="180d", name="basket_mean_180d"', 'over="90d", name="basket_mean_180d"'))
        with pytest.raises(NotApplied, match=r"shop +~ signal basket 1\nnext: ethogram apply"):
            command(shop, "apply")
    finally:
        file.write_text(text)


def test_a_feature_repo_and_another_workspaces_registry_are_not_mixed(
    feast: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "feature_repo").mkdir()
    (tmp_path / "feature_repo" / "feature_store.yaml").touch()
    store = feast()
    store.list_feature_views()
    monkeypatch.setattr("ethogram.adapters.feast.store._open", {})
    monkeypatch.delenv("ETHOGRAM_WORKSPACE")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AskedWrongly, match="set ETHOGRAM_WORKSPACE"):
        store.get_online_features(features=REFS, entity_rows=[{"customer_id": "17000"}])
