"""One training set of a signal, a published score and a Feast view over somebody's file, each right at its instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String
from sqlalchemy import text

from ethogram.adapters.feast.publish import open_feast
from ethogram.core.governance.agreement import NotAgreed
from ethogram.core.workspace import UnknownName
from ethogram.errors import AskedWrongly
from ethogram.usecases import catalog
from ethogram.usecases.score import score_batch

INSTANT = pa.timestamp("us", "UTC")
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
END = datetime(2026, 6, 1, tzinfo=UTC)
# The second observation: what happens here is seen by the view and by scores, not by signals.
AT = datetime(2026, 2, 15, tzinfo=UTC)
ASKED = ["basket@1", "lapse_score@1", "feast:profile"]


@dataclass
class Mixed:
    """A shop of three customers with a scored population and a colleague's file."""

    shop: Any
    models: Any
    file: Path

    def make(self, signals: list[str] | None = None, **changes: Any) -> Any:
        asked = {"every": "14d", "start": AT - 14 * DAY, "end": END, "purpose": "churn_prevention"} | changes
        as_ = asked.pop("as_", "risk.modeller")
        return self.shop.store(as_).training_set("lapsed_90d", signals=signals or ASKED, **asked)

    def rows(self, made: Any, key: str) -> dict[datetime, dict[str, Any]]:
        found = made.to_arrow().to_pylist()
        return {row["as_of"]: row for row in found if row["entity"] == self.shop.ids[key]}

    def write(self, rows: list[tuple[int, datetime, float, str]]) -> None:
        columns = dict(zip(("customer_id", "at", "score", "tier"), zip(*rows, strict=True), strict=True))
        dictionary = pa.array(columns["tier"]).dictionary_encode()
        at = pa.array(columns["at"], pa.timestamp("ns", "UTC"))
        pq.write_table(pa.table(columns | {"at": at, "tier": dictionary}), self.file)

    def score(self, at: datetime, *, seed: int) -> dict[int, tuple[float, str]]:
        """Score everybody with the champion; score and band by surrogate."""
        drawn = self.models.rows(seed=seed).slice(0, len(self.shop.ids)).drop_columns(["label", "as_of", "entity"])
        ids = pa.array(list(self.shop.ids.values()), pa.int64())
        population = drawn.append_column("entity", ids).append_column("as_of", pa.array([at] * len(ids), INSTANT))
        contract = self.shop.parts.workspace.scores["lapse"]
        lake = self.shop.parts.lake
        asked = {"contract": contract, "principal": "risk.modeller", "models": self.models.models, "lake": lake}
        table = score_batch("lapse", population, **asked).table.to_pylist()
        return {row["entity"]: (row["score"], row["band"]) for row in table}


PROFILE = [
    (17000, AT - 20 * DAY, 1.0, "old"),
    (17000, AT, 2.0, "new"),
    (17000, AT + TICK, 3.0, "newest"),
    (17001, AT - 14 * DAY - TICK, 4.0, "only"),
    (99999, AT, 5.0, "stranger"),
]


@pytest.fixture(scope="module")
def shop(shop: Any, workspace: Path, state: str) -> Any:
    made = type(shop)(workspace, state)
    made.store("platform").apply()
    rows = [
        {"behavior": "commerce.purchase", "customer": key, "occurred_at": at, "available_at": at,
         "amount": Decimal(10 + number), "items": 1}
        for key in ("17000", "17001", "c-2")
        for number, at in enumerate([AT - 100 * DAY, AT - 40 * DAY, AT - 30 * DAY, AT, END - TICK])
    ]  # fmt: skip
    made.add(rows, unit="first")
    return made


@pytest.fixture(scope="module")
def champion(registry: Any) -> Any:
    """A model registry in which lapse has a champion."""
    version = registry.approved()
    registry.models.move("lapse", version, "champion", principal="risk.modeller")
    return registry


@pytest.fixture
def mixed(shop: Any, champion: Any, tmp_path: Path) -> Iterator[Mixed]:
    made = Mixed(shop, champion, tmp_path / "profile.parquet")
    made.write(PROFILE)
    register(shop, profile(made.file))
    yield made
    register(shop, remove=["profile", "other", "tiers"])
    for path in (shop.parts.settings.lake / "scores").glob("*"):
        path.rename(tmp_path / path.name)


def profile(file: Path, *, name: str = "profile", join_key: str = "customer_id") -> FeatureView:
    who = Entity(name=f"{name}_{join_key}", join_keys=[join_key], value_type=ValueType.INT64)
    fields = [Field(name=join_key, dtype=Int64), Field(name="score", dtype=Float64), Field(name="tier", dtype=String)]
    source = FileSource(name=f"{name}_file", path=str(file), timestamp_field="at")
    return FeatureView(name=name, entities=[who], ttl=14 * DAY, source=source, schema=fields, owner="a colleague")


def register(shop: Any, *views: FeatureView, remove: list[str] = []) -> None:  # noqa: B006 - not changed
    with shop.parts.as_environment():
        feast = open_feast(shop.root / "feature_repo")
        gone = [view for view in feast.list_feature_views() if view.name in remove]
        whom = [Entity(name=v.entities[0], join_keys=v.join_keys, value_type=ValueType.INT64) for v in views]
        feast.apply([*whom, *views], objects_to_delete=gone, partial=False)


def test_each_keeps_its_own_rule_at_the_instant_and_is_named_without_clash(mixed):
    first, at, late = (mixed.score(day, seed=seed) for seed, day in ((1, AT - 20 * DAY), (2, AT), (3, AT + TICK)))
    made = mixed.make()
    assert made.to_arrow().column_names[:4] == ["entity", "as_of", "label", "basket_mean_180d"]
    assert made.to_arrow().column_names[-4:] == ["lapse_score__score", "band", "profile__score", "tier"]
    rows = mixed.rows(made, "17000")
    right = mixed.shop.expected("basket@1", "17000", AT)
    id = mixed.shop.ids["17000"]
    assert rows[AT]["basket_last"] == right["basket_last"] == Decimal(12)  # the purchase of that instant is not seen
    assert (rows[AT]["lapse_score__score"], rows[AT]["band"]) == at[id]
    assert (rows[AT]["profile__score"], rows[AT]["tier"]) == (2.0, "new")
    before, after = rows[AT - 14 * DAY], rows[AT + 14 * DAY]
    assert (before["lapse_score__score"], before["profile__score"]) == (first[id][0], 1.0)
    assert (after["lapse_score__score"], after["profile__score"], after["basket_last"]) == (
        late[id][0],
        3.0,
        Decimal(13),
    )


def test_what_is_too_old_or_of_nobody_is_null(mixed):
    mixed.score(AT, seed=4)
    made = mixed.make()
    other = mixed.rows(made, "17001")
    assert other[AT - 14 * DAY]["tier"] == "only"  # at its ttl's end, less a tick of its own
    assert other[AT]["tier"] is None  # a tick past the ttl
    assert other[AT - 14 * DAY]["band"] is None  # not scored yet
    valid = mixed.shop.parts.workspace.scores["lapse"].valid_for
    assert [at for at, row in other.items() if row["band"]] == [at for at in other if AT <= at <= AT + valid]
    named = mixed.rows(made, "c-2")  # a key that is no number has no rows in a file keyed by numbers
    assert {row["tier"] for row in named.values()} == {None}
    assert {row["basket_last"] for row in named.values()} != {None}


def test_the_same_request_is_the_same_version_until_a_file_or_a_score_changes(mixed):
    mixed.score(AT, seed=5)
    made = mixed.make()
    assert mixed.make().version == made.version
    before = made.to_arrow()
    mixed.score(AT + 28 * DAY, seed=6)
    scored = mixed.make()
    mixed.write([*PROFILE, (17001, AT, 6.0, "late")])
    written = mixed.make()
    versions = {made.version, scored.version, written.version, mixed.make([*ASKED[:1], *ASKED[:0:-1]]).version}
    assert len(versions) == 4
    assert mixed.rows(written, "17001")[AT]["tier"] == "late"
    assert made.to_arrow().equals(before)
    assert [column for column in made.report.features if column in ("band", "tier", "profile__score")] == [
        "band", "profile__score", "tier",
    ]  # fmt: skip
    assert made.report.signals == tuple(ASKED)
    assert mixed.shop.store().read_training_set(made.version).signals == tuple(ASKED)
    page = catalog.training_set(mixed.shop.parts.catalog, made.version)
    assert (page.summary.signals, "ref lapse_score@1" in dict(page.request)["beside"]) == (("basket@1",), True)


def test_the_audit_finds_no_lookahead_and_still_recomputes_the_signal(mixed):
    mixed.score(AT, seed=7)
    found = mixed.make().audit()
    assert found.clean, str(found)
    assert found.unchecked == ("lapse_score__score", "band", "profile__score", "tier")
    assert found.recomputations > 0


def test_consent_keeps_somebody_out_of_all_of_it(mixed):
    mixed.score(AT, seed=8)
    mixed.shop.store("risk.modeller").consent("customer", "17000", purpose="churn_prevention", allowed=False)
    mixed.shop.clock.at += DAY
    try:
        made = mixed.make()
        assert mixed.rows(made, "17000") == {}
        assert made.report.left_out == 1
    finally:
        mixed.shop.store("risk.modeller").consent("customer", "17000", purpose="churn_prevention", allowed=True)
        with mixed.shop.parts.sql.begin() as connection:
            connection.execute(text("TRUNCATE ethogram.consent"))


def test_scores_need_an_agreement_and_feast_views_a_purpose_and_both_are_recorded(mixed):
    mixed.score(AT, seed=9)
    with pytest.raises(NotAgreed, match="sales may not read lapse_score of risk"):
        mixed.make(["lapse_score", "feast:profile"], as_="sales.analyst")
    made = mixed.make(["feast:profile"], as_="sales.analyst")
    assert made.to_arrow().column_names == ["entity", "as_of", "label", "score", "tier"]
    with mixed.shop.parts.sql.connect() as connection:
        asked = text("SELECT asset, verdict, how FROM ethogram.reading WHERE team = 'sales' ORDER BY id")
        assert [tuple(row) for row in connection.execute(asked)] == [
            ("lapse_score", "gap", "training set"),
            ("feast:profile", "compliant", "training set"),
        ]


def test_what_cannot_be_joined_is_said(mixed, tmp_path):
    with pytest.raises(UnknownName, match=r"no Feast view named 'feast:profil'; did you mean feast:profile\?"):
        mixed.make(["feast:profil"])
    with pytest.raises(AskedWrongly, match="signal or score of the workspace; name it as such: basket@1"):
        mixed.make(["feast:basket_v1"])
    table = pq.read_table(mixed.file)
    pq.write_table(table.rename_columns(["store_id", *table.column_names[1:]]), tmp_path / "other.parquet")
    register(mixed.shop, profile(tmp_path / "other.parquet", name="other", join_key="store_id"))
    with pytest.raises(AskedWrongly, match="feast:other joins by store_id, and customers by customer_id"):
        mixed.make(["feast:other"])
    with pytest.raises(AskedWrongly, match="feast:profile and feast:profile both give a column 'profile__score'"):
        mixed.make(["feast:profile", "feast:profile"])


def test_a_view_of_text_keys_is_read_too(mixed, tmp_path):
    at = pa.array([AT] * 2, INSTANT)
    pq.write_table(pa.table({"customer_id": ["c-2", "17000"], "at": at, "score": [7.5, 8.5], "tier": ["a", "b"]}),
                   tmp_path / "tiers.parquet")  # fmt: skip
    view = profile(tmp_path / "tiers.parquet", name="tiers")
    register(mixed.shop, view)
    made = mixed.make(["feast:tiers"])
    assert [mixed.rows(made, key)[AT]["score"] for key in ("c-2", "17000")] == [7.5, 8.5]
