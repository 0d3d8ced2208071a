"""Who may read which view for what: the one question that every way in asks, answered and counted in one place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from ethogram.core.governance.agreement import Access, NotAgreed, decide_access
from ethogram.core.governance.purpose import UnknownPurpose
from ethogram.core.governance.team import team_of
from ethogram.core.signals.view import View
from ethogram.core.workspace import Workspace


class Readings(Protocol):
    """The count of reads per consumer."""

    def add(self, accesses: Sequence[Access], *, principal: str, how: str) -> None:
        """Record each answer, refusals too."""


def decide_all(
    workspace: Workspace, views: Sequence[View], *, principal: str, purpose: str, today: date
) -> list[Access]:
    """The answer for each of `views`, with the features they have: what ownership and agreements say."""
    team = team_of(principal, workspace.teams)
    if purpose not in workspace.purposes:
        raise UnknownPurpose(purpose, known=workspace.purposes)
    return [
        decide_access(
            asset=view.asset,
            provider=view.owner,
            consumer=team.name,
            purpose=purpose,
            agreements=workspace.agreements,
            today=today,
            features=[name for name, _ in view.features],
        )
        for view in views
    ]


def require_access(
    workspace: Workspace,
    views: Sequence[View],
    *,
    principal: str,
    purpose: str,
    today: date,
    how: str,
    readings: Readings,
) -> list[Access]:
    """The compliant answers for all of `views`; raises `NotAgreed` at the first that is not, after recording it."""
    answers = decide_all(workspace, views, principal=principal, purpose=purpose, today=today)
    readings.add(answers, principal=principal, how=how)
    for answer in answers:
        if not answer.allowed:
            raise NotAgreed(answer)
    return answers


def note_open(
    workspace: Workspace, names: Sequence[str], *, principal: str, purpose: str, how: str, readings: Readings
) -> list[Access]:
    """Answers for Feast views of others: nobody agrees about them here, so a purpose that exists lets any team read
    them; each reading is recorded.
    """
    team = team_of(principal, workspace.teams)
    if purpose not in workspace.purposes:
        raise UnknownPurpose(purpose, known=workspace.purposes)
    reason = "a Feast view of others, for which no agreements are kept"
    answers = [Access("compliant", name, "others", team.name, purpose, reason) for name in names]
    readings.add(answers, principal=principal, how=how)
    return answers
