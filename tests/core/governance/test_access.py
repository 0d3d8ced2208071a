from datetime import date

import pytest

from ethogram.core.governance.agreement import Agreement, NotAgreed, decide_access

LIVE = Agreement(
    "growth-risk",
    provider="growth",
    consumer="risk",
    assets=("purchase_rhythm",),
    purposes=("churn_prevention",),
    starts=date(2026, 1, 1),
    ends=date(2026, 12, 31),
    features=("purchases_30d", "spend_90d"),
    approved_by="growth.reviewer",
)


def verdict(agreement: Agreement = LIVE, **changes: object) -> tuple[str, str]:
    asked = {
        "asset": "purchase_rhythm",
        "provider": "growth",
        "consumer": "risk",
        "purpose": "churn_prevention",
        "today": date(2026, 6, 1),
        "features": ("spend_90d",),
    } | changes
    answer = decide_access(agreements=[agreement], **asked)  # type: ignore[arg-type]
    return answer.verdict, answer.reason


def test_a_live_agreement_for_the_purpose_allows_the_read() -> None:
    assert verdict() == ("compliant", "agreement growth-risk, to 2026-12-31")


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 12, 31)])
def test_both_end_days_count(day: date) -> None:
    assert verdict(today=day)[0] == "compliant"


def test_a_team_reads_its_own() -> None:
    assert verdict(consumer="growth") == ("compliant", "its own")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"consumer": "sales"}, ("gap", "no agreement covers it")),
        ({"asset": "browsing"}, ("gap", "no agreement covers it")),
        ({"purpose": "campaigns"}, ("violation", "agreement growth-risk is for churn_prevention only")),
        ({"today": date(2025, 12, 31)}, ("violation", "agreement growth-risk starts on 2026-01-01")),
        ({"today": date(2027, 1, 1)}, ("violation", "agreement growth-risk ended on 2026-12-31")),
        ({"features": ("spend_90d", "refunds_180d")}, ("violation", "agreement growth-risk leaves out refunds_180d")),
    ],
)
def test_everything_else_is_refused_with_the_reason(changes: dict[str, object], expected: tuple[str, str]) -> None:
    assert verdict(**changes) == expected


def test_a_request_that_nobody_approved_allows_nothing() -> None:
    import dataclasses

    asked = dataclasses.replace(LIVE, approved_by="")
    assert verdict(asked) == ("violation", "agreement growth-risk waits for growth's approval")


def test_the_refusal_says_how_to_ask() -> None:
    answer = decide_access(
        asset="browsing",
        provider="growth",
        consumer="sales",
        purpose="campaigns",
        agreements=[],
        today=date(2026, 1, 1),
    )
    with pytest.raises(NotAgreed, match=r"propose an agreement in contracts/agreements/growth-sales\.yaml"):
        raise NotAgreed(answer)
