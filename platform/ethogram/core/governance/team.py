"""Teams and their principals, as each team's `team.yaml` declares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.errors import AskedWrongly, did_you_mean


@dataclass(frozen=True, slots=True)
class Team:
    """Who owns things together. Principals are roles or services, e.g. "risk.modeller"; the team's own name is one too."""

    name: str
    brief: str
    principals: tuple[str, ...]
    reviewers: tuple[str, ...] = ()
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


class UnknownPrincipal(AskedWrongly):
    """A principal that no team declares."""

    code = "unknown-principal"

    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        self.name = name
        known = sorted(known)
        if not name:
            message = "nobody is asking: set ETHOGRAM_PRINCIPAL or connect(as_=...); one of " + ", ".join(known[:8])
        else:
            hint = did_you_mean(name, known, otherwise="declare it under feature_repo/teams/<team>/team.yaml")
            message = f"no principal named {name!r}; {hint}"
        super().__init__(message)


def team_of(principal: str, teams: Mapping[str, Team]) -> Team:
    """The team that `principal` acts for.

    >>> risk = Team("risk", "Models of risk.", ("risk.modeller",))
    >>> team_of("risk.modeller", {"risk": risk}).name, team_of("risk", {"risk": risk}).name
    ('risk', 'risk')
    """
    for team in teams.values():
        if principal == team.name or principal in team.principals or principal in team.reviewers:
            return team
    raise UnknownPrincipal(principal, known=[p for t in teams.values() for p in (t.name, *t.principals, *t.reviewers)])
