"""Access: one question for every way in, answered from ownership and agreements, and always counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ethogram.core.governance.agreement import Access, Agreement, NotAgreed
from ethogram.core.governance.purpose import UnknownPurpose
from ethogram.core.governance.team import UnknownPrincipal
from ethogram.core.workspace import Workspace
from ethogram.usecases.access import require_access

TODAY = date(2026, 6, 1)


class Kept:
    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []

    def add(self, accesses: Sequence[Access], *, principal: str, how: str) -> None:
        self.rows += [(principal, access.asset, access.verdict, how) for access in accesses]


@pytest.fixture
def ask(shop: Any) -> Any:
    workspace: Workspace = shop.parts.workspace
    kept = Kept()

    def asked(
        *names: str, by: str = "risk.modeller", purpose: str = "churn_prevention", today: date = TODAY,
        agreements: Sequence[Agreement] | None = None,
    ) -> list[Access]:  # fmt: skip
        given = workspace if agreements is None else dataclasses.replace(workspace, agreements=agreements)
        views = [shop.store().view(name) for name in names]
        return require_access(given, views, principal=by, purpose=purpose, today=today, how="lookup", readings=kept)

    asked.kept = kept  # type: ignore[attr-defined]  # what was counted
    return asked


def agreement(**changes: Any) -> Agreement:
    whole = Agreement(
        "a", "shop", "sales", ("basket",), ("campaigns",), TODAY, TODAY + timedelta(days=9), approved_by="shop.reviewer"
    )
    return dataclasses.replace(whole, **changes)


def test_a_team_reads_its_own_and_what_it_has_an_agreement_for(ask: Any) -> None:
    assert [a.agreement for a in ask("purchase_rhythm", "basket")] == ["growth-risk", "shop-risk"]
    assert ask("basket", by="shop.analyst")[0].reason == "its own"
    assert [row[2] for row in ask.kept.rows] == ["compliant"] * 3


def test_a_refusal_says_how_to_ask_and_is_counted_with_the_rest(ask: Any) -> None:
    with pytest.raises(NotAgreed) as refusal:
        ask("purchase_rhythm", "basket", by="sales.analyst", purpose="campaigns")
    assert str(refusal.value) == (
        "sales may not read purchase_rhythm of growth for campaigns: no agreement covers it\n"
        "next: propose an agreement in contracts/agreements/growth-sales.yaml and have growth approve it"
    )
    assert refusal.value.exit_status == 1
    assert [row[1:3] for row in ask.kept.rows] == [("purchase_rhythm", "gap"), ("basket", "gap")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"purposes": ("churn_prevention",)}, "agreement a is for churn_prevention only"),
        ({"approved_by": ""}, "agreement a waits for shop's approval"),
        ({"starts": TODAY + timedelta(days=1)}, "agreement a starts on 2026-06-02"),
        ({"ends": TODAY - timedelta(days=1)}, "agreement a ended on 2026-05-31"),
        ({"features": ("basket_last",)}, "agreement a leaves out basket_max_180d, basket_mean_180d, basket_min_180d"),
    ],
)
def test_an_agreement_that_does_not_cover_the_read_is_a_violation(ask: Any, changes: Any, reason: str) -> None:
    with pytest.raises(NotAgreed, match=reason) as refusal:
        ask("basket", by="sales.analyst", purpose="campaigns", agreements=[agreement(**changes)])
    assert refusal.value.access.verdict == "violation"


def test_its_first_and_last_day_count(ask: Any) -> None:
    for today in (TODAY, TODAY + timedelta(days=9)):
        given = ask("basket", by="sales.analyst", purpose="campaigns", today=today, agreements=[agreement()])
        assert given[0].allowed


def test_columns_that_were_agreed_on_may_be_read_alone(shop: Any) -> None:
    workspace = dataclasses.replace(shop.parts.workspace, agreements=[agreement(features=("basket_last",))])
    view = shop.store().view("basket").only(["basket_last"])
    asks = {"principal": "sales.analyst", "purpose": "campaigns", "today": TODAY, "how": "feast", "readings": Kept()}
    assert require_access(workspace, [view], **asks)[0].allowed


def test_nobody_and_nothing_are_refused_before_anything_is_counted(ask: Any) -> None:
    with pytest.raises(UnknownPrincipal, match="nobody is asking: set ETHOGRAM_PRINCIPAL"):
        ask("basket", by="")
    with pytest.raises(UnknownPrincipal, match=r"no principal named 'risk\.modeler'; did you mean risk\.modeller"):
        ask("basket", by="risk.modeler")
    with pytest.raises(UnknownPurpose, match=r"every read states a purpose \(--purpose, ETHOGRAM_PURPOSE\); one of"):
        ask("basket", purpose="")
    with pytest.raises(UnknownPurpose, match="no purpose named 'campains'; did you mean campaigns"):
        ask("basket", purpose="campains")
    assert ask.kept.rows == []


def test_reads_and_refusals_stand_in_the_table_of_readings(shop: Any) -> None:
    with shop.parts.sql.begin() as connection:
        connection.execute(text("delete from ethogram.reading"))
    shop.store().lookup("customer", "1", signals=["basket"])
    with pytest.raises(NotAgreed):
        shop.store("sales.analyst", "campaigns").lookup("customer", "1", signals=["basket"])
    with shop.parts.sql.connect() as connection:
        rows = connection.execute(text("select principal, team, purpose, asset, verdict, how from ethogram.reading"))
        assert sorted(map(tuple, rows)) == [
            ("risk.modeller", "risk", "churn_prevention", "basket", "compliant", "lookup"),
            ("sales.analyst", "sales", "campaigns", "basket", "gap", "lookup"),
        ]
