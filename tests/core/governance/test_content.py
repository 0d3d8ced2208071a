from datetime import date

import pytest

from ethogram.core.governance.agreement import load_agreement
from ethogram.core.governance.purpose import load_purposes
from ethogram.core.governance.team import UnknownPrincipal, load_team, team_of
from ethogram.errors import Problems

TEAM = "name: risk\nbrief: Models.\nprincipals: [risk.modeller]\nreviewers: [risk.reviewer]\n"
AGREEMENT = """name: growth-risk
provider: growth
consumer: risk
assets: [purchase_rhythm]
purposes: [churn_prevention]
starts: "2026-01-01"
ends: "2026-12-31"
approved_by: growth.reviewer
"""


def problems(load, text: str, path: str = "feature_repo/teams/risk/team.yaml") -> list[str]:
    with pytest.raises(Problems) as caught:
        load(text, path)
    return list(caught.value.problems)


def test_a_team_is_read_with_its_place():
    team = load_team(TEAM, "feature_repo/teams/risk/team.yaml")
    assert (team.principals, team.reviewers) == (("risk.modeller",), ("risk.reviewer",))
    assert str(team.origin) == "feature_repo/teams/risk/team.yaml:1"


def test_all_problems_of_a_team_come_at_once_with_their_lines():
    text = "name: risc\nprincipals: [bob, risk.modeller]\nreviewrs: []\n"
    assert problems(load_team, text) == [
        "feature_repo/teams/risk/team.yaml:1: team needs brief",
        "feature_repo/teams/risk/team.yaml:1: team 'risc' stands in the folder 'risk'; give both the same name",
        "feature_repo/teams/risk/team.yaml:2: principals of risc are named risc.role, not 'bob'",
        "feature_repo/teams/risk/team.yaml:2: principals of risc are named risc.role, not 'risk.modeller'",
        "feature_repo/teams/risk/team.yaml:3: team has no field 'reviewrs'; did you mean reviewers?",
    ]


def test_a_principal_nobody_declared_is_refused_with_the_nearest():
    team = load_team(TEAM, "feature_repo/teams/risk/team.yaml")
    with pytest.raises(UnknownPrincipal, match=r"did you mean risk\.modeller"):
        team_of("risk.modeler", {"risk": team})


def test_a_purpose_says_on_what_basis():
    found = load_purposes("- {name: campaigns, brief: Offers., basis: opt_in}\n", "purposes.yaml")
    assert found["campaigns"].basis == "opt_in"
    twice = "- {name: a, brief: A., basis: opt_out}\n- {name: a, brief: B., basis: maybe}\n"
    first, second = problems(load_purposes, twice, "purposes.yaml")
    assert first == "purposes.yaml:2: purpose a is declared already at purposes.yaml:1"
    assert "basis cannot be 'maybe'" in second


def test_an_agreement_is_a_request_until_the_provider_approved_it():
    path = "contracts/agreements/growth-risk.yaml"
    found = load_agreement(AGREEMENT, path)
    assert (found.starts, found.ends, found.approved_by) == (date(2026, 1, 1), date(2026, 12, 31), "growth.reviewer")
    assert load_agreement(AGREEMENT.replace("approved_by: growth.reviewer\n", ""), path).approved_by == ""
    (only,) = problems(load_agreement, AGREEMENT.replace("growth.reviewer", "risk.reviewer"), path)
    assert only == f"{path}:8: risk.reviewer is not of growth, which has to approve"


def test_an_agreement_with_wrong_dates_is_refused():
    path = "contracts/agreements/growth-risk.yaml"
    (only,) = problems(load_agreement, AGREEMENT.replace("2026-12-31", "2025-12-31"), path)
    assert only == f"{path}:7: it ends on 2025-12-31, before it starts on 2026-01-01"
    (only,) = problems(load_agreement, AGREEMENT.replace("2026-12-31", "soon"), path)
    assert only == f"{path}:7: agreement: ends must be a date such as 2027-06-30, not 'soon'"


def test_the_reference_workspace_lets_nobody_read_but_by_agreement(project):
    teams = {path.parent.name for path in (project / "feature_repo/teams").glob("*/team.yaml")}
    parties = set()
    for path in sorted((project / "contracts/agreements").glob("*.yaml")):
        agreement = load_agreement(path.read_text(), f"contracts/agreements/{path.name}")
        assert {agreement.provider, agreement.consumer} <= teams
        parties |= {agreement.provider, agreement.consumer}
    assert "sales" in teams - parties
