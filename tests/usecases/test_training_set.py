"""On a real database and a real lake: two customers' purchases, an outcome, a signal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from sqlalchemy import text

from ethogram.adapters.delta.lake import DeltaLake
from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.adapters.postgres.consents import PostgresConsents
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.keys import PostgresKeys
from ethogram.adapters.postgres.profiles import PostgresProfiles
from ethogram.adapters.postgres.training_sets import PostgresTrainingSets
from ethogram.core.governance.agreement import Access, NotAgreed
from ethogram.core.governance.purpose import Purpose
from ethogram.core.observations import schedule
from ethogram.core.outcomes.declaration import Outcome, absence
from ethogram.core.outcomes.plan import plan_outcome
from ethogram.core.signals.aggregates.basic import count, mean, recency, total
from ethogram.core.signals.aggregates.decay import decay
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy
from ethogram.errors import AskedWrongly
from ethogram.usecases.consent import consent_mask
from ethogram.usecases.profile import profile_signal
from ethogram.usecases.training_set import (
    EmptyTrainingSet,
    UnknownTrainingSet,
    make_training_set,
    read_training_set,
    with_keys,
)

START, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)
INSTANT = pa.timestamp("us", "UTC")
PURCHASE = Behavior(
    "commerce.purchase", "Paid.", "purchase", "purchases", "customer", ("customer",),
    properties={"amount": Property("amount", "money", scale=6)},
)  # fmt: skip
TAXONOMY = Taxonomy(
    entities={"customer": Entity("customer", "Who buys.", "customers", "customer_id")},
    behaviors={"commerce.purchase": PURCHASE},
)
RHYTHM = plan_signal(
    Signal("rhythm", version=2, entity="customer", of="commerce.purchase",
           features=[count(over=["30d", "90d"]), total("amount", over="30d", name="spend"), recency()]),
    TAXONOMY,
)  # fmt: skip
BASKET = plan_signal(
    Signal("basket", version=1, entity="customer", of="commerce.purchase",
           features=[mean("amount", name="mean"), total("amount", name="spend")]),
    TAXONOMY,
)  # fmt: skip
LAPSED = plan_outcome(
    Outcome("lapsed_30d", "customer", absence("commerce.purchase", within="30d"), among="rhythm.purchases_90d >= 1",
            matures_after="1d"),
    TAXONOMY,
)  # fmt: skip
CHURN = Purpose("churn", "Keep them.", "opt_out")


def connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'")
    return connection


@dataclass
class Shop:
    lake: DeltaLake
    engine: DuckdbEngine
    sql: Any
    ids: list[int]

    def make(self, **changes: Any) -> Any:
        asked: dict[str, Any] = {
            "signals": [RHYTHM, BASKET], "outcome": LAPSED, "purpose": CHURN, "noun": "customers",
            "schedule": schedule("7d", "2026-02-01", "2026-06-01"), "known_signals": {"rhythm": RHYTHM},
            "coverage": START + 140 * DAY, "principal": "risk.modeller", "lake": self.lake,
            "engine": self.engine, "ledger": self.ledger,
        } | changes  # fmt: skip
        purpose = asked["purpose"].name
        consent = {
            "consents": PostgresConsents(self.sql),
            "lake": self.lake,
            "now": START + 150 * DAY,
        }
        asked["consent"] = consent_mask("customer", asked["purpose"], taxonomy=TAXONOMY, **consent)
        granted = [Access("compliant", plan.name, "growth", "risk", purpose, "its own") for plan in asked["signals"]]
        asked.setdefault("accesses", granted)
        return make_training_set(asked.pop("outcome"), asked.pop("signals"), **asked)

    @property
    def ledger(self) -> PostgresTrainingSets:
        return PostgresTrainingSets(self.sql)

    def read(self, version: str) -> Any:
        return read_training_set(version, lake=self.lake, ledger=self.ledger)

    def buy(self, rows: list[tuple[int, float, str]], *, unit: str, known_after: timedelta = timedelta(0)) -> None:
        at = [START + days * DAY for _, days, _ in rows]
        table = pa.table(
            {
                "event_id": [f"{unit}/{k}" for k in range(len(rows))],
                "op": ["assert"] * len(rows),
                "target_id": pa.nulls(len(rows), pa.string()),
                "occurred_at": pa.array(at, INSTANT),
                "available_at": pa.array([each + known_after for each in at], INSTANT),
                "channel": ["web"] * len(rows),
                "source": ["s"] * len(rows),
                "run": ["r"] * len(rows),
                "month": [f"{each:%Y-%m}" for each in at],
                "customer": pa.array([self.ids[who] for who, _, _ in rows], pa.int64()),
                "amount": pa.array([Decimal(amount) for _, _, amount in rows], pa.decimal128(18, 6)),
            }
        ).sort_by([("month", "ascending"), ("customer", "ascending"), ("occurred_at", "ascending")])
        self.lake.append("events/commerce.purchase", table.to_reader(), unit=unit, partition_by=("month",))

    def refuse(self, who: int, day: float, *, allowed: bool = False, purpose: str = "churn") -> None:
        changes = {"id": [self.ids[who]], "purpose": [purpose], "allowed": [allowed]}
        table = pa.table({**changes, "changed_at": pa.array([START + day * DAY], INSTANT)})
        PostgresConsents(self.sql).record("customer", table, by="test")


@pytest.fixture
def shop(workspace: Path, state: str, tmp_path: Path) -> Iterator[Shop]:
    sql = open_engine(workspace, state)
    with sql.begin() as connection:
        connection.execute(text("TRUNCATE ethogram.training_set, ethogram.consent, ethogram.feature_profile CASCADE"))
    ids = PostgresKeys(sql).intern("customer", pa.array([f"c{k}" for k in range(4)])).to_pylist()
    made = Shop(DeltaLake(tmp_path), DuckdbEngine(connect), sql, ids)
    # 0 buys weekly all along, 1 stops after sixty days, 2 buys once, late.
    rows = (
        [(0, 7.5 * k, "10.00") for k in range(20)] + [(1, 10.0 * k, "2.50") for k in range(7)] + [(2, 100.25, "99.99")]
    )
    made.buy(rows, unit="a")
    yield made
    sql.dispose()


def test_rows_are_labelled_point_in_time_and_in_order(shop):
    report = shop.make()
    stored = shop.read(report.version)
    assert stored.table.column_names == [
        "entity", "as_of", "label", "purchases_30d", "purchases_90d", "rhythm__spend", "days_since_purchase", "mean",
        "basket__spend",
    ]  # fmt: skip
    rows = stored.table.to_pylist()
    assert [(row["as_of"], row["entity"]) for row in rows] == sorted((row["as_of"], row["entity"]) for row in rows)
    first = next(row for row in rows if row["entity"] == shop.ids[1])
    assert first["as_of"] == START + 31 * DAY
    assert (first["purchases_30d"], first["rhythm__spend"], first["mean"], first["label"]) == (
        3,
        Decimal("7.5"),
        2.5,
        False,
    )
    lapses = [row["as_of"] for row in rows if row["entity"] == shop.ids[1] and row["label"]]
    assert lapses
    assert min(lapses) > START + 60 * DAY
    assert not any(row["label"] for row in rows if row["entity"] == shop.ids[0])


def test_the_report_says_what_it_is(shop):
    report = shop.make()
    rows = shop.read(report.version).table
    share = sum(rows["label"].to_pylist()) / len(rows) * 100
    assert str(report) == f"{len(rows)} observations of 3 customers, 6 features, lapsed {share:.1f} %"
    assert report.future_features == ()
    assert report.audited == min(len(rows), 40)
    assert report.features["mean"]["count"] == len(rows)
    assert report.signals == ("rhythm@2", "basket@1")


def test_a_feature_that_is_right_but_for_its_last_bits_does_not_look_ahead(shop):
    fading = Signal("fading", version=1, entity="customer", of="commerce.purchase",
                    features=[decay(half_life=f"{k}d") for k in range(1, 30)])  # fmt: skip
    report = shop.make(signals=[plan_signal(fading, TAXONOMY)])
    assert report.audited > 10
    assert report.future_features == ()


def test_an_instant_whose_outcome_is_not_ripe_is_dropped_and_counted(shop):
    report = shop.make()
    last = max(shop.read(report.version).table["as_of"].to_pylist())
    assert last + 31 * DAY <= START + 140 * DAY < last + 38 * DAY
    assert report.unripe == sum(
        at + 31 * DAY > START + 140 * DAY for at in schedule("7d", "2026-02-01", "2026-06-01").instants()
    )
    with pytest.raises(EmptyTrainingSet, match="no outcome is ripe"):
        shop.make(coverage=START + 40 * DAY)


def test_the_same_request_gives_the_same_version_and_the_same_bytes(shop, tmp_path):
    report = shop.make()
    (path,) = shop.lake.files(f"training_sets/{report.version}").paths
    before = Path(path).read_bytes()
    assert hashlib.sha256(before).hexdigest() == report.sha256
    assert shop.make() == report
    # Made again from nothing, in another lake with the same events, it is the same to the byte.
    with shop.sql.begin() as connection:
        connection.execute(text("TRUNCATE ethogram.training_set CASCADE"))
    again = Shop(DeltaLake(tmp_path / "again"), shop.engine, shop.sql, shop.ids)
    rows = (
        [(0, 7.5 * k, "10.00") for k in range(20)] + [(1, 10.0 * k, "2.50") for k in range(7)] + [(2, 100.25, "99.99")]
    )
    again.buy(rows, unit="a")
    second = again.make()
    assert (second.version, second.sha256) == (report.version, report.sha256)


def test_a_run_that_ended_before_the_ledger_was_written_is_finished(shop):
    report = shop.make()
    with shop.sql.begin() as connection:
        connection.execute(text("TRUNCATE ethogram.training_set CASCADE"))
    assert shop.make() == report
    assert shop.read(report.version).report["rows"] == report.rows


@pytest.mark.parametrize(
    "change",
    [
        {"schedule": schedule("14d", "2026-02-01", "2026-06-01")},
        {"signals": [RHYTHM]},
        {"signals": [BASKET, RHYTHM]},
        {"signals": [replace(RHYTHM, version=3), BASKET]},
        {"outcome": replace(LAPSED, horizon=timedelta(days=31))},
        {"coverage": START + 139 * DAY},
        {"purpose": Purpose("other", "Else.", "opt_out")},
    ],
)
def test_whatever_decides_the_bytes_decides_the_version(shop, change):
    assert shop.make().version != shop.make(**change).version


def test_new_events_and_new_refusals_give_a_new_version_and_leave_the_old_as_it_was(shop):
    first = shop.make()
    before = shop.read(first.version).table
    shop.buy([(2, 30.5, "1.00")], unit="late", known_after=60 * DAY)
    second = shop.make()
    assert second.version != first.version
    shop.refuse(0, 145)
    assert shop.make().version not in {first.version, second.version}
    assert shop.read(first.version).table.equals(before)


def test_an_event_that_came_late_changes_nothing_before_it_was_known(shop):
    before = shop.read(shop.make().version).table
    shop.buy([(1, 30.5, "1000.00")], unit="late", known_after=60 * DAY)
    after = shop.read(shop.make().version).table
    known = pa.scalar(START + 90.5 * DAY, INSTANT)
    old = before.filter(pa.compute.less(before["as_of"], known))
    assert after.filter(pa.compute.less(after["as_of"], known)).drop(["label"]).equals(old.drop(["label"]))
    assert not after.drop(["label"]).equals(before.drop(["label"]))


def test_who_refused_by_now_is_absent_from_the_start_and_counted(shop):
    shop.refuse(0, 145)
    report = shop.make()
    assert shop.ids[0] not in shop.read(report.version).table["entity"].to_pylist()
    assert report.left_out == 1
    assert str(report).endswith("; 1 of the customers left out (no consent)")


def test_who_refused_then_and_allows_now_is_there_from_then_on(shop):
    shop.refuse(0, 0)
    shop.refuse(0, 60, allowed=True)
    table = shop.read(shop.make().version).table
    mine = [row["as_of"] for row in table.to_pylist() if row["entity"] == shop.ids[0]]
    assert mine
    assert min(mine) >= START + 60 * DAY


def test_a_refusal_of_another_purpose_and_one_after_the_read_do_not_matter(shop):
    shop.refuse(0, 10, purpose="campaigns")
    shop.refuse(0, 200)
    assert shop.ids[0] in shop.read(shop.make().version).table["entity"].to_pylist()


def test_under_opt_in_only_those_who_said_yes_are_there(shop):
    with pytest.raises(EmptyTrainingSet, match=r"3 left out \(no consent\)"):
        shop.make(purpose=Purpose("churn", "Keep them.", "opt_in"))
    shop.refuse(1, 5, allowed=True)
    report = shop.make(purpose=Purpose("churn", "Keep them.", "opt_in"))
    assert set(shop.read(report.version).table["entity"].to_pylist()) == {shop.ids[1]}


def test_a_signal_without_a_compliant_answer_is_refused(shop):
    gap = Access("gap", "basket", "shop", "sales", "churn", "no agreement covers it")
    granted = Access("compliant", "rhythm", "growth", "risk", "churn", "its own")
    for accesses in ([], [granted], [granted, gap], [replace(granted, purpose="campaigns")]):
        with pytest.raises(NotAgreed):
            shop.make(accesses=accesses)


def test_a_population_that_names_no_feature_is_refused_with_the_nearest(shop):
    wrong = plan_outcome(
        Outcome("o", "customer", absence("commerce.purchase", within="30d"), among="rhythm.purchase_90d > 0"), TAXONOMY
    )
    with pytest.raises(AskedWrongly, match="did you mean purchases_90d"):
        shop.make(outcome=wrong)


def test_a_population_of_nobody_says_so(shop):
    nobody = plan_outcome(
        Outcome("o", "customer", absence("commerce.purchase", within="30d"), among="rhythm.purchases_90d > 999"),
        TAXONOMY,
    )
    with pytest.raises(EmptyTrainingSet, match="none of the customers"):
        shop.make(outcome=nobody)


def test_an_unknown_version_is_refused(shop):
    known = shop.make().version
    with pytest.raises(UnknownTrainingSet, match=known):
        shop.read(known[:-1] + "x")


def test_raw_keys_stand_beside_the_rows_only_when_asked_for(shop):
    table = shop.read(shop.make().version).table
    assert "customer_id" not in table.column_names
    keyed = with_keys(table, "customer", PostgresKeys(shop.sql), column="customer_id")
    names = dict(zip(shop.ids, ["c0", "c1", "c2", "c3"], strict=True))
    assert keyed["customer_id"].to_pylist() == [names[id] for id in table["entity"].to_pylist()]


def test_profiles_are_weekly_and_say_how_large_their_sample_was(shop):
    done = profile_signal(
        RHYTHM, until=START + 120 * DAY, engine=shop.engine, lake=shop.lake, profiles=PostgresProfiles(shop.sql)
    )
    assert str(done) == "rhythm@2: 12 weekly profiles, the last one over all 3 entities"
    with shop.sql.connect() as connection:
        rows = connection.execute(text("SELECT feature, as_of, profile FROM ethogram.feature_profile")).all()
    assert len(rows) == 12 * 4
    newest = {row.feature: row.profile for row in rows if row.as_of == START + 120 * DAY}
    assert newest["purchases_30d"]["count"] == newest["purchases_30d"]["of"] == 3
    assert newest["purchases_30d"]["most"] == 4.0
