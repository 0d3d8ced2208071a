"""Models as pages show them: what they are for, what each version achieved, who allowed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ethogram.core.catalog import Declaration, GateResult, ScoreRun
from ethogram.core.governance.team import Team
from ethogram.core.models.declaration import ModelDeclaration
from ethogram.core.models.gate import GateResult as Verdict
from ethogram.core.models.promotion import (
    Alias,
    AliasMove,
    Approval,
    GatesFailed,
    ModelVersion,
    NotApproved,
    check_move,
    reviewers_of,
)
from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.errors import NotInCatalog
from ethogram.usecases.catalog.figures import mapping, mappings, number, text, texts, whole
from ethogram.usecases.catalog.lineage import Lineage, alias_labels, current_aliases, edges, feature_signals, lineage
from ethogram.usecases.catalog.signals import State

CHAMPION = "champion"


@dataclass(frozen=True, slots=True)
class VersionView:
    """One trained version; figures are of its validation period, None where it reports none."""

    model: str
    version: int
    digest: str
    learner: str
    author: str
    run_id: str
    training_set: str
    created_at: datetime
    aliases: tuple[str, ...]
    auc: float | None
    brier: float | None
    log_loss: float | None
    ece: float | None
    ece_noise: float | None
    lift_10: float | None
    base_rate: float | None
    rows: int
    gates_passed: int
    gates: int
    state: State


@dataclass(frozen=True, slots=True)
class ModelSummary:
    name: str
    owner: str
    intent: str
    outcome: str
    risk: str
    purpose: str
    signals: tuple[str, ...]
    versions: int
    champion: VersionView | None
    newest: VersionView | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One learner that was fitted for the version."""

    learner: str
    chosen: bool
    auc: float | None
    brier: float | None
    log_loss: float | None
    ece: float | None


@dataclass(frozen=True, slots=True)
class Period:
    """Rows of one fold: "train", "calibrate" or "validate", each later than the one before."""

    name: str
    rows: int
    cases: int
    begins: str
    ends: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model and one of its versions, `shown`: the one asked for, else the champion, else the newest."""

    summary: ModelSummary
    limits: tuple[str, ...]
    value: tuple[tuple[str, str], ...]
    score: str
    origin: str
    applied_at: datetime | None
    versions: tuple[VersionView, ...]
    shown: VersionView | None
    gates: tuple[GateResult, ...]
    approvals: tuple[Approval, ...]
    calibration: tuple[tuple[float, float, int], ...]
    compared: tuple[Compared, ...]
    why: str
    periods: tuple[Period, ...]
    importance: tuple[tuple[str, str, float], ...]  # feature, the signal that publishes it or "", added loss
    moves: tuple[AliasMove, ...]
    scores: tuple[ScoreRun, ...]
    lineage: Lineage | None


def models(reader: CatalogReader) -> tuple[ModelSummary, ...]:
    """Every model that is declared or has a version, by name."""
    declared = {d.name: d for d in reader.declarations("model")}
    versions = version_views(reader)
    return tuple(
        _summary(name, declared[name].owner if name in declared else "", _body(declared, name), versions.get(name, []))
        for name in sorted({*declared, *versions})
    )


def model(reader: CatalogReader, name: str, *, version: int | None = None) -> ModelView:
    """One model with one of its versions; `NotInCatalog` when either is not there."""
    declared = reader.declarations()
    named = {d.name: d for d in declared if d.kind == "model"}
    all_versions = version_views(reader)
    if name not in named and name not in all_versions:
        raise NotInCatalog("model", name, known=[*named, *all_versions])
    own = all_versions.get(name, [])
    summary = _summary(name, named[name].owner if name in named else "", _body(named, name), own)
    shown = summary.champion or summary.newest
    if version is not None:
        shown = next((v for v in own if v.version == version), None)
        if shown is None:
            raise NotInCatalog("model version", f"{name} {version}", known=[f"{name} {v.version}" for v in own])
    body = _body(named, name)
    rows = reader.model_versions()
    moves = reader.alias_moves()
    report: Mapping[str, Any] = {}
    line = None
    if shown:
        report = next(r.report for r in rows if (r.model, r.version) == (name, shown.version))
        direct = edges(declared, reader.training_sets(), rows)
        line = lineage(("model", f"{name} {shown.version}"), direct, aliases=alias_labels(moves))
    published = feature_signals(declared, texts(report, "signals"))
    return ModelView(
        summary=summary,
        limits=texts(body, "limits"),
        value=_value(mapping(body, "value")),
        score=text(body, "score"),
        origin=named[name].origin if name in named else "",
        applied_at=named[name].applied_at if name in named else None,
        versions=tuple(own),
        shown=shown,
        gates=tuple(g for g in reader.gate_results(name) if shown and g.version == shown.version),
        approvals=tuple(reader.approvals(name)),
        calibration=tuple(
            (predicted, observed, whole(point, "rows"))
            for point in mappings(report, "curve")
            if (predicted := number(point, "predicted")) is not None
            and (observed := number(point, "observed")) is not None
        ),
        compared=_compared(report),
        why=text(report, "why"),
        periods=_periods(report),
        importance=tuple(
            (text(each, "feature"), published.get(text(each, "feature"), ""), number(each, "added_loss") or 0.0)
            for each in mappings(report, "importance")
        ),
        moves=tuple(m for m in moves if m.model == name),
        scores=tuple(reader.score_runs(name)),
        lineage=line,
    )


def version_views(reader: CatalogReader) -> dict[str, list[VersionView]]:
    """Versions by model, newest first."""
    gates, approvals = reader.gate_results(), reader.approvals()
    held, rules = current_aliases(reader.alias_moves()), _rules(reader)
    found: dict[str, list[VersionView]] = {}
    for row in reader.model_versions():
        aliases = tuple(sorted(alias for alias, version in held.get(row.model, {}).items() if version == row.version))
        own = [g for g in gates if (g.model, g.version) == (row.model, row.version)]
        passed = sum(g.verdict == "pass" and g.digest == row.digest for g in own)
        given = [a for a in approvals if (a.model, a.version) == (row.model, row.version)]
        found.setdefault(row.model, []).append(
            VersionView(
                model=row.model,
                version=row.version,
                digest=row.digest,
                learner=row.learner,
                author=row.author,
                run_id=row.run_id,
                training_set=row.training_set,
                created_at=row.created_at,
                aliases=aliases,
                auc=number(row.report, "figures", "auc"),
                brier=number(row.report, "figures", "brier"),
                log_loss=number(row.report, "figures", "log_loss"),
                ece=number(row.report, "figures", "ece"),
                base_rate=number(row.report, "figures", "base_rate"),
                ece_noise=number(row.report, "figures", "ece_noise"),
                lift_10=number(row.report, "figures", "lift_10"),
                rows=whole(row.report, "figures", "validation_rows"),
                gates_passed=passed,
                gates=len(own),
                state=_state(row, own, given, aliases, rules),
            )
        )
    return found


def _state(
    row: ModelVersion,
    gates: Sequence[GateResult],
    approvals: Sequence[Approval],
    aliases: Sequence[str],
    rules: _Rules,
) -> State:
    """Where a version stands on its way to champion, by the rule that moves the alias."""
    if aliases:
        return State(" ".join(f"@{alias}" for alias in aliases), "good", "in use")
    if not gates:
        return State("registered", "plain", "its gates were not evaluated")
    declared = ModelDeclaration(
        row.model, rules.owner(row.model), "", (), "", (), "", rules.risk(row.model), ""
    )  # of the declaration, the rule asks for owner and risk
    # A verdict on other bytes says nothing about these.
    verdicts = [Verdict(g.gate, g.verdict if g.digest == row.digest else "unknown", g.detail) for g in gates]
    whom = [name for name in reviewers_of(rules.alias, declared, rules.teams) if name != row.author]
    try:
        check_move(
            row,
            alias=rules.alias,
            model=declared,
            teams=rules.teams,
            gates=verdicts,
            approvals=[each for each in reversed(approvals) if each.alias == CHAMPION],
            changed=lambda: (),
        )
    except GatesFailed as error:
        missed = ", ".join(result.gate for result in error.failed)
        return State(
            "blocked", "bad", f"{len(verdicts) - len(error.failed)} of {len(verdicts)} gates passed; not {missed}"
        )
    except NotApproved as error:
        if "rejected" in error.why:
            return State("rejected", "bad", error.why)
        return State("approve", "warn", f"needs the approval of {' or '.join(whom) or 'a reviewer'}")
    return State("approved", "good", "may be promoted")


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is applied about who may approve."""

    alias: Alias
    teams: Mapping[str, Team]
    models: Mapping[str, Declaration]

    def owner(self, model: str) -> str:
        return self.models[model].owner if model in self.models else ""

    def risk(self, model: str) -> str:
        return text(self.models[model].body, "risk") if model in self.models else ""


def _rules(reader: CatalogReader) -> _Rules:
    declared = reader.declarations()
    policy = next((d.body for d in declared if (d.kind, d.name) == ("policy", "aliases")), {})
    reviewers = mapping(mapping(mapping(policy, "aliases"), CHAMPION), "reviewers")
    return _Rules(
        Alias(CHAMPION, "", {risk: texts(reviewers, risk) for risk in reviewers}),
        {
            d.name: Team(d.name, text(d.body, "brief"), texts(d.body, "principals"), texts(d.body, "reviewers"))
            for d in declared
            if d.kind == "team"
        },
        {d.name: d for d in declared if d.kind == "model"},
    )


def _summary(name: str, owner: str, body: Mapping[str, Any], versions: Sequence[VersionView]) -> ModelSummary:
    return ModelSummary(
        name=name,
        owner=owner,
        intent=text(body, "intent"),
        outcome=text(body, "outcome") or (versions[0].training_set.partition("/")[0] if versions else ""),
        risk=text(body, "risk"),
        purpose=text(body, "purpose"),
        signals=texts(body, "signals"),
        versions=len(versions),
        champion=next((v for v in versions if CHAMPION in v.aliases), None),
        newest=versions[0] if versions else None,
    )


def _body(declared: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return declared[name].body if name in declared else {}


def _value(value: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What acting on a score costs and brings, and the probability above which it pays."""
    try:
        contact, saved, accepts = (Decimal(text(value, key)) for key in ("contact", "saved", "accepts"))
    except InvalidOperation:
        return ()
    currency = text(value, "currency")
    found = [
        ("Acting costs", f"{contact} {currency}"),
        ("A saved case is worth", f"{saved} {currency}"),
        ("Acting saves", f"{accepts:.0%} of true cases".replace("%", " %")),
    ]
    if saved * accepts > 0:
        found.append(("Pays above", f"a score of {contact / (saved * accepts):.3f}"))
    return tuple(found)


def _compared(report: Mapping[str, Any]) -> tuple[Compared, ...]:
    """Learners that were fitted, with their figures on the same validation rows; the chosen one first."""
    chosen = text(report, "chosen")
    found = [
        Compared(
            str(name),
            name == chosen,
            number(own, "auc"),
            number(own, "brier"),
            number(own, "log_loss"),
            number(own, "ece"),
        )
        for name, own in mapping(report, "learners").items()
    ]
    return tuple(sorted(found, key=lambda each: (not each.chosen, each.learner)))


def _periods(report: Mapping[str, Any]) -> tuple[Period, ...]:
    folds = mapping(report, "folds")
    return tuple(
        Period(name, whole(folds, name, "rows"), whole(folds, name, "cases"), begins[:10], text(folds[name], "to")[:10])
        for name in ("train", "calibrate", "validate")
        if (begins := text(folds.get(name), "from"))
    )
