"""Teams and their principals, as each team's `team.yaml` declares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.yaml_content import Fields, Findings, read_yaml
from ethogram.errors import AskedWrongly, Problems, did_you_mean


@dataclass(frozen=True, slots=True)
class Team:
    """Who owns things together. Principals are roles or services, as "risk.modeller"; the team's own name is one."""

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
            some = ", ".join(known[:8])
            message = f"nobody is asking: set ETHOGRAM_PRINCIPAL, or say --as or connect(as_=...); one of {some}"
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


def load_team(text: str, path: str) -> Team:
    """The team that the `team.yaml` at `path` declares; its folder has the team's name.

    A principal is written `team.role`; reviewers may approve, and are principals too.

    >>> load_team("name: risk\\nbrief: Models of risk.\\nprincipals: [risk.modeller]\\n",
    ...           "feature_repo/teams/risk/team.yaml").principals
    ('risk.modeller',)

    Raises:
        Problems: everything wrong with the file, with lines.
    """
    findings = Findings(path)
    fields = Fields(read_yaml(text, path), findings, what="team")
    name = fields.text("name", required=True)
    team = Team(
        name=name,
        brief=fields.text("brief", required=True),
        principals=fields.texts("principals"),
        reviewers=fields.texts("reviewers"),
        origin=Origin(path, fields.line),
    )
    fields.done()
    folder = path.split("/")[-2] if "/" in path else name
    if name and name != folder:
        fields.add("name", f"team {name!r} stands in the folder {folder!r}; give both the same name")
    for kind, listed in (("principals", team.principals), ("reviewers", team.reviewers)):
        for principal in listed:
            owner, _, role = principal.partition(".")
            if name and (owner != name or not role or "." in role):
                fields.add(kind, f"{kind} of {name} are named {name}.role, not {principal!r}")
    if not team.principals and not team.reviewers and name:
        fields.add("principals", f"team {name} has nobody; list its principals, as in {name}.analyst")
    if problems := findings.told():
        raise Problems(problems, nothing_was="read")
    return team
