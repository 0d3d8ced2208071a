from datetime import UTC, datetime, timedelta

import pytest

from ethogram.core.governance.team import Team, UnknownPrincipal
from ethogram.core.models.declaration import ModelDeclaration
from ethogram.core.models.gate import GateResult
from ethogram.core.models.promotion import (
    Alias,
    Approval,
    ApprovalVoid,
    GatesFailed,
    MayNotApprove,
    ModelVersion,
    NotApproved,
    check_move,
    check_reviewer,
    load_alias_policy,
)
from ethogram.errors import Problems

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEAMS = {
    "risk": Team("risk", "Models.", ("risk.modeller",), ("risk.reviewer", "risk.second")),
    "growth": Team("growth", "Signals.", ("growth.analyst",)),
    "board": Team("board", "Reviews.", (), ("board.reviewer",)),
}
CHAMPION = Alias("champion", "Scores.", {"low": ("owner",), "medium": ("owner",), "high": ("board",)})
VERSION = ModelVersion("lapse", 8, "d1", "risk.modeller", "r", "t", "logistic", NOW, {}, {})
PASS = [GateResult("ranking", "pass", "")]


def model(risk="medium"):
    return ModelDeclaration("lapse", "risk", "o", ("s",), "intent", (), "p", risk, "c")


def said(principal="risk.reviewer", *, digest="d1", decision="approve", hours=0):
    return Approval("lapse", 8, "champion", digest, principal, decision, "", NOW + timedelta(hours=hours))


def move(approvals, *, gates=PASS, changed=(), risk="medium", version=VERSION):
    return check_move(
        version,
        alias=CHAMPION,
        model=model(risk),
        teams=TEAMS,
        gates=gates,
        approvals=approvals,
        changed=lambda: list(changed),
    )


def test_passed_gates_and_an_approval_of_this_content_let_it_move():
    assert move([said()]).principal == "risk.reviewer"


def test_a_failing_gate_is_named_with_its_figures():
    failing = [*PASS, GateResult("calibration", "fail", "ece 0.081; needs ece <= 0.05")]
    with pytest.raises(GatesFailed) as refused:
        move([said()], gates=failing)
    first, second, last = str(refused.value).splitlines()
    assert first == "refused: 1 of 2 gates fails"
    assert second == "  calibration  ece 0.081; needs ece <= 0.05"
    assert last.startswith("next: ")
    assert [result.gate for result in refused.value.failed] == ["calibration"]


def test_an_unknown_gate_and_no_gates_at_all_refuse():
    with pytest.raises(GatesFailed, match="unknown is a fail"):
        move([said()], gates=[GateResult("ranking", "unknown", "auc unknown")])
    with pytest.raises(GatesFailed, match="no gates are declared"):
        move([said()], gates=[])


@pytest.mark.parametrize(
    ("approvals", "why"),
    [
        ([], "no valid approval of lapse 8 for @champion"),
        ([said(digest="d0")], "it is of other content"),
        ([said("growth.analyst")], "no longer a reviewer"),
        ([said("board.reviewer")], "no longer a reviewer"),
        ([said(decision="reject")], "risk.reviewer rejected lapse 8"),
        ([said(), said(decision="reject", hours=1)], "risk.reviewer rejected lapse 8"),
        ([said("risk.second"), said(decision="reject")], "risk.reviewer rejected lapse 8"),
    ],
)
def test_without_a_valid_approval_it_stays(approvals, why):
    with pytest.raises(NotApproved) as refused:
        move(approvals)
    assert why in str(refused.value)
    assert "next: `ethogram approve lapse 8`, by risk.reviewer or risk.second" in str(refused.value)


def test_an_approval_after_a_rejection_by_the_same_reviewer_counts():
    assert move([said(decision="reject"), said(hours=1)]).at == NOW + timedelta(hours=1)


def test_a_high_risk_needs_the_board():
    with pytest.raises(NotApproved):
        move([said()], risk="high")
    assert move([said("board.reviewer")], risk="high").principal == "board.reviewer"


def test_an_authors_own_approval_never_counts_even_as_a_reviewer():
    import dataclasses

    own = dataclasses.replace(VERSION, author="risk.reviewer")
    with pytest.raises(NotApproved, match="it is the author's own"):
        move([said()], version=own)


def test_changed_content_voids_the_approval():
    with pytest.raises(ApprovalVoid, match="approval void") as refused:
        move([said()], changed=["model.json changed"])
    assert refused.value.changed == ("model.json changed",)


def test_who_may_decide_is_a_known_reviewer_other_than_the_author():
    import dataclasses

    def check(principal, version=VERSION):
        check_reviewer(principal, version=version, alias=CHAMPION, model=model(), teams=TEAMS)

    check("risk.reviewer")
    with pytest.raises(MayNotApprove, match="it is its author"):
        check("risk.reviewer", dataclasses.replace(VERSION, author="risk.reviewer"))
    with pytest.raises(MayNotApprove, match=r"ask one of risk\.reviewer, risk\.second"):
        check("growth.analyst")
    with pytest.raises(UnknownPrincipal, match=r"did you mean risk\.reviewer"):
        check("risk.reviewr")
    with pytest.raises(UnknownPrincipal, match=r"nobody is asking"):
        check("")


def test_an_alias_policy_names_reviewers_for_every_risk():
    with pytest.raises(Problems, match="reviewers needs high"):
        load_alias_policy(
            "aliases:\n- alias: champion\n  brief: Scores.\n  reviewers: {low: [owner], medium: [owner]}\n",
            "aliases.yaml",
        )
