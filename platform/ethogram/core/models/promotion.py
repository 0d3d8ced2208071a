"""Whether an alias may move to a version: the one rule for every client, whatever it speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.governance.team import Team, UnknownPrincipal, team_of
from ethogram.core.models.declaration import ModelDeclaration
from ethogram.core.models.gate import GateResult
from ethogram.core.yaml_content import Fields, Findings, read_yaml
from ethogram.errors import Problems, Refused


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered version as the registry remembers it.

    Attributes:
        digest: Of the manifest; what approvals bind to.
        author: Who trained it, and so may not approve it.
        manifest: `files` (SHA-256 by path), `location` below the artifact root, `signature`, `signals`, `training_set`,
            `declaration`, `recipe`.
        report: Folds, figures, curves; see `modeling.comparison`.
    """

    model: str
    version: int
    digest: str
    author: str
    run_id: str
    training_set: str
    learner: str
    created_at: datetime
    manifest: Mapping[str, Any]
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision of a reviewer about one version's content and one alias."""

    model: str
    version: int
    alias: str
    digest: str
    principal: str
    decision: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AliasMove:
    """One line of an alias's history; `version` is None where it was taken away."""

    model: str
    alias: str
    version: int | None
    digest: str | None
    principal: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Alias:
    """A protected alias.

    Attributes:
        name: e.g. "champion".
        brief: What pointing it at a version means.
        reviewers: By risk tier, whose reviewers may approve: "owner" (the model's own team) or a team's name.
    """

    name: str
    brief: str
    reviewers: Mapping[str, tuple[str, ...]]
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AliasPolicy:
    """The protected aliases by name; every other alias may be set by whoever names itself, and is recorded too."""

    aliases: Mapping[str, Alias]

    def protects(self, alias: str) -> bool:
        return alias in self.aliases


class PromotionRefused(Refused):
    """An alias that may not move to this version now."""

    code = "promotion-refused"

    def __init__(
        self, model: str, version: int, alias: str, *, why: str, details: Sequence[str] = (), next_: str
    ) -> None:
        self.model, self.version, self.alias, self.why = model, version, alias, why
        self.details = tuple(details)
        super().__init__("\n".join([f"refused: {why}", *(f"  {line}" for line in self.details), f"next: {next_}"]))


class GatesFailed(PromotionRefused):
    """At least one gate fails or is unknown; `failed` are their results."""

    code = "gates-failed"

    def __init__(self, model: str, version: int, alias: str, results: Sequence[GateResult]) -> None:
        self.results = tuple(results)
        self.failed = tuple(result for result in results if not result.passed)
        count, width = len(self.failed), max((len(result.gate) for result in self.failed), default=0)
        why = (
            f"{count} of {len(results)} gates fail{'s' if count == 1 else ''}"
            if results
            else "no gates are declared for it"
        )
        details = [
            f"{r.gate:<{width}}  {r.detail}{' (unknown is a fail)' if r.verdict == 'unknown' else ''}"
            for r in self.failed
        ]
        super().__init__(
            model,
            version,
            alias,
            why=why,
            details=details,
            next_=f"mend what fails and run `ethogram train {model}` again",
        )


class NotApproved(PromotionRefused):
    """No valid approval of exactly this content for this alias."""

    code = "not-approved"


class ApprovalVoid(PromotionRefused):
    """The content is not what was registered: every approval of it is void."""

    code = "approval-void"

    def __init__(self, model: str, version: int, alias: str, changed: Sequence[str]) -> None:
        self.changed = tuple(changed)
        shown = [*self.changed[:5], *([f"… and {len(self.changed) - 5} more"] if len(self.changed) > 5 else [])]
        super().__init__(
            model,
            version,
            alias,
            why=f"approval void: the content of {model} {version} is not what was registered",
            details=shown,
            next_=f"train it again (`ethogram train {model}`) and have the new version approved",
        )


class MayNotApprove(Refused):
    """A principal that may not decide about this version."""

    code = "may-not-approve"

    def __init__(self, principal: str, model: str, version: int, *, reason: str, reviewers: Sequence[str]) -> None:
        self.principal, self.model, self.version, self.reviewers = principal, model, version, tuple(reviewers)
        who = (
            ", ".join(self.reviewers) or "nobody: name reviewers in the team.yaml of the teams that aliases.yaml lists"
        )
        super().__init__(f"refused: {principal} may not approve {model} {version}: {reason}\nnext: ask one of {who}")


def reviewers_of(alias: Alias, model: ModelDeclaration, teams: Mapping[str, Team]) -> list[str]:
    """Principals who may approve a version of `model` for `alias`, sorted."""
    names = alias.reviewers.get(model.risk, ())
    boards = [teams.get(model.owner if name == "owner" else name) for name in names]
    return sorted({principal for board in boards if board for principal in board.reviewers})


def check_reviewer(
    principal: str, *, version: ModelVersion, alias: Alias, model: ModelDeclaration, teams: Mapping[str, Team]
) -> None:
    """Refuse unless `principal` is a reviewer for this alias and is not the version's author.

    Raises:
        UnknownPrincipal: If no team declares it.
        MayNotApprove: If it is the author, or no reviewer.
    """
    if not principal:
        raise UnknownPrincipal("", known=[p for team in teams.values() for p in team.principals])
    team_of(principal, teams)
    allowed = [name for name in reviewers_of(alias, model, teams) if name != version.author]
    if principal == version.author:
        raise MayNotApprove(principal, version.model, version.version, reason="it is its author", reviewers=allowed)
    if principal not in allowed:
        reason = f"not a reviewer of {model.risk}-risk models for @{alias.name}"
        raise MayNotApprove(principal, version.model, version.version, reason=reason, reviewers=allowed)


def check_move(
    version: ModelVersion,
    *,
    alias: Alias,
    model: ModelDeclaration,
    teams: Mapping[str, Team],
    gates: Sequence[GateResult],
    approvals: Sequence[Approval],
    changed: Callable[[], Sequence[str]],
) -> Approval:
    """The approval that lets `alias` move to `version`.

    Args:
        version: What it is to point at.
        alias: The protected alias.
        model: Its declaration, for risk and owner.
        teams: By name.
        gates: Results over the version's report, evaluated now.
        approvals: All decisions about this version and alias, oldest first.
        changed: What differs between the artifacts and the manifest, read when all else holds.

    Raises:
        GatesFailed: If a gate fails or is unknown, or there is none.
        NotApproved: If the last decision about this digest is no approval by a present reviewer other than the author.
        ApprovalVoid: If the content changed.
    """
    if not gates or not all(result.passed for result in gates):
        raise GatesFailed(version.model, version.version, alias.name, gates)
    allowed = reviewers_of(alias, model, teams)
    whom = " or ".join(name for name in allowed if name != version.author) or "a reviewer"
    said = f"`ethogram approve {version.model} {version.version}`, by {whom}"
    latest: dict[str, Approval] = {}
    for each in approvals:
        if each.digest == version.digest and each.principal in allowed and each.principal != version.author:
            latest[each.principal] = each
    rejected = [each for each in latest.values() if each.decision == "reject"]
    approved = [each for each in latest.values() if each.decision == "approve"]
    if rejected:
        why = f"{rejected[0].principal} rejected {version.model} {version.version}"
        raise NotApproved(
            version.model,
            version.version,
            alias.name,
            why=why,
            details=[rejected[0].note or "no reason given"],
            next_=said,
        )
    if not approved:
        why = f"no valid approval of {version.model} {version.version} for @{alias.name}"
        others = sorted(
            {f"{each.principal}'s does not count: {_why_not(each, version, allowed)}" for each in approvals}
        )
        raise NotApproved(version.model, version.version, alias.name, why=why, details=others, next_=said)
    different = changed()
    if different:
        raise ApprovalVoid(version.model, version.version, alias.name, different)
    return approved[-1]


def _why_not(approval: Approval, version: ModelVersion, allowed: Sequence[str]) -> str:
    if approval.digest != version.digest:
        return "it is of other content"
    if approval.principal == version.author:
        return "it is the author's own"
    return "no longer a reviewer" if approval.principal not in allowed else approval.decision


def load_alias_policy(text: str, path: str) -> AliasPolicy:
    """Read `registry/policies/aliases.yaml`; raises `Problems` with every problem and its line."""
    from ethogram.core.models.declaration import RISKS

    findings = Findings(path)
    fields = Fields(read_yaml(text, path), findings, what="the alias policy")
    if not fields.has("aliases"):
        findings.add(1, "the alias policy needs aliases")
    items = fields.items("aliases")
    aliases: dict[str, Alias] = {}
    for place, item in enumerate(items):
        one = Fields(item, findings, what="an alias", line=items.line_of(place))
        name = one.text("alias", required=True)
        one.what = f"alias {name}" if name else one.what
        if name in aliases:
            one.add("alias", f"alias {name} is declared twice")
        brief = one.text("brief", required=True)
        inner = Fields(one.inner("reviewers"), findings, what=f"{one.what}: reviewers", line=one.line_of("reviewers"))
        reviewers = {risk: inner.texts(risk, required=True) for risk in RISKS}
        inner.done()
        one.done()
        aliases[name] = Alias(name, brief, reviewers, Origin(path, one.line_of("alias")))
    fields.done()
    if findings.found:
        raise Problems(findings.told())
    return AliasPolicy(aliases)


def alias_policy_of(body: Mapping[str, Any]) -> AliasPolicy:
    """The policy from the form in which `apply` stored it."""
    made = {
        name: Alias(name, each["brief"], {risk: tuple(names) for risk, names in each["reviewers"].items()})
        for name, each in body["aliases"].items()
    }
    return AliasPolicy(made)
