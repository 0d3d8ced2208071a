"""The local SDK: what holds across its verbs: consent, how far the data reaches, who acts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

import ethogram
from ethogram.adapters.postgres.changes import PostgresChanges
from ethogram.core.governance.purpose import UnknownPurpose
from ethogram.core.governance.team import UnknownPrincipal
from ethogram.core.workspace import UnknownName
from ethogram.errors import AskedWrongly
from ethogram.ports import RawUnit


def test_connect_opens_the_workspace_as_somebody(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETHOGRAM_PRINCIPAL", raising=False)
    store = ethogram.connect(as_="risk.modeller", workspace=shop.root, state=shop.state, purpose="churn_prevention")
    assert store.team == "risk"
    assert store.lookup("customer", "nobody", signals=["basket"]).why("basket_last") == "null: unknown entity"
    nobody = ethogram.connect(workspace=shop.root, state=shop.state)
    with pytest.raises(UnknownPrincipal, match="nobody is asking"):
        nobody.lookup("customer", "1", signals=["basket"], purpose="churn_prevention")


def test_a_view_is_found_by_feasts_name_its_ref_and_its_bare_name(shop: Any) -> None:
    store = shop.store()
    assert store.view("purchase_rhythm_v4") == store.view("purchase_rhythm@4") == store.view("purchase_rhythm")
    with pytest.raises(UnknownName, match="no signal named 'purchase_rhythm_v3'"):
        store.view("purchase_rhythm_v3")


def test_every_view_is_named_once_and_owned(shop: Any) -> None:
    views = shop.store().views()
    assert {view.owner for view in views.values()} <= set(shop.parts.workspace.teams)
    assert {"purchase_rhythm_v4", "lapse_score_v1"} <= set(views)
    assert all(view.name == name and view.features for name, view in views.items())


def test_consent_is_recorded_once_with_a_row_in_the_ledger_that_names_nobody(shop: Any) -> None:
    store = shop.store("care.analyst")
    ledger = "select action, principal, subject, body from ethogram.change where action = 'consent' order by seq"

    def written() -> list[tuple[Any, ...]]:
        with shop.parts.sql.connect() as connection:
            return [tuple(row) for row in connection.execute(text(ledger))]

    before = len(written())
    assert store.consent("customer", 990_001, allowed=False, purpose="campaigns")
    assert not store.consent("customer", "990001", allowed=False, purpose="campaigns")
    shop.clock.at += timedelta(seconds=1)
    assert store.consent("customer", "990001", allowed=True, purpose="campaigns")
    rows = written()[before:]
    number = shop.parts.keys.find("customer", ["990001"])[0]
    assert [(row[0], row[1], row[2], row[3]["allowed"]) for row in rows] == [
        ("consent", "care.analyst", f"customer #{number}", False),
        ("consent", "care.analyst", f"customer #{number}", True),
    ]
    assert "990001" not in str(rows)
    assert PostgresChanges(shop.parts.sql).verify() is None


def test_consent_needs_somebody_a_purpose_and_an_entity(shop: Any) -> None:
    with pytest.raises(UnknownPrincipal):
        shop.store("").consent("customer", "1", allowed=False)
    with pytest.raises(UnknownPurpose, match="did you mean campaigns"):
        shop.store().consent("customer", "1", purpose="campaign", allowed=False)
    with pytest.raises(AskedWrongly, match="did you mean customer"):
        shop.store().consent("custmer", "1", allowed=False)


def test_consent_said_before_the_entity_was_seen_holds_when_it_is(shop: Any) -> None:
    store = shop.store()
    assert store.consent("customer", "990002", allowed=False)
    assert store.lookup("customer", "990002", signals=["basket"]).left_out == "no consent for churn_prevention"


def test_the_data_ends_where_all_of_it_has_occurred_and_is_known(workspace: Any, state: str) -> None:
    from ethogram.local import Store
    from ethogram.settings import Settings
    from ethogram.wiring import parts_of

    parts = parts_of(Settings(workspace, state))
    store = Store(parts, principal="shop.analyst")
    before = datetime.now(UTC)
    assert before <= store.watermark() <= datetime.now(UTC)
    assert parts.catalog.made() == 0
    spans = [
        {"first": "2026-01-05T00:00:00Z", "last": "2026-03-01T10:00:00Z", "known": "2026-03-01T10:00:00Z"},
        {"first": "2026-02-01T00:00:00Z", "last": "2026-02-20T00:00:00Z", "known": "2026-02-28T00:00:00Z"},
    ]
    runs = parts.source_runs
    runs.start("run", source="receipts", principal="shop.analyst", at=before)
    for number, span in enumerate(spans):
        runs.add_unit(
            RawUnit(str(number), f"{number}.parquet", workspace / "x"),
            source="receipts",
            run="run",
            mapping="m",
            report={"coverage": {"commerce.purchase": span}, "made": number == 1},
            quarantined=[],
        )
    assert store.coverage() == (
        datetime(2026, 1, 5, tzinfo=UTC),
        datetime(2026, 3, 1, 10, 0, 0, 1, tzinfo=UTC),
    )
    assert parts.catalog.made() == 0.5


def test_a_training_set_says_what_it_is_and_gives_its_rows(shop: Any) -> None:
    store = shop.store()
    asked = {"signals": ["purchase_rhythm@4", "basket"], "every": "7d", "start": "2026-02-20", "end": "2026-03-01"}
    made = store.training_set("lapsed_90d", **asked)
    rows = made.to_arrow()
    assert rows.num_rows == made.report.rows > 0
    assert repr(made).startswith(f"{made.report.rows:,} observations of ")
    assert made.to_pandas()["as_of"].is_monotonic_increasing
    assert store.training_set("lapsed_90d", **asked).version == made.version
