"""Models as pages show them: what they are for, what each version achieved, who allowed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ethogram.core.catalog import AliasMove, Approval, GateResult, ModelVersionRow, ScoreRun
from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.errors import NotInCatalog
from ethogram.usecases.catalog.figures import mapping, mappings, number, text, texts, whole
from ethogram.usecases.catalog.lineage import Lineage, alias_labels, current_aliases, edges, lineage
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
    importance: tuple[tuple[str, float], ...]
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
            (text(each, "feature"), number(each, "added_loss") or 0.0) for each in mappings(report, "importance")
        ),
        moves=tuple(m for m in moves if m.model == name),
        scores=tuple(reader.score_runs(name)),
        lineage=line,
    )


def version_views(reader: CatalogReader) -> dict[str, list[VersionView]]:
    """Versions by model, newest first."""
    gates, approvals = reader.gate_results(), reader.approvals()
    held = current_aliases(reader.alias_moves())
    found: dict[str, list[VersionView]] = {}
    for row in reader.model_versions():
        aliases = tuple(sorted(alias for alias, version in held.get(row.model, {}).items() if version == row.version))
        own = [g for g in gates if (g.model, g.version) == (row.model, row.version)]
        # A gate or an approval of other bytes says nothing about these.
        valid = [g for g in own if g.digest == row.digest]
        passed = sum(g.verdict == "pass" for g in valid)
        given = [a for a in approvals if (a.model, a.version, a.digest) == (row.model, row.version, row.digest)]
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
                state=_state(row, own, passed, given, aliases),
            )
        )
    return found


def _state(
    row: ModelVersionRow,
    gates: Sequence[GateResult],
    passed: int,
    approvals: Sequence[Approval],
    aliases: Sequence[str],
) -> State:
    """Where a version stands; only what binds to its present digest counts."""
    if aliases:
        return State(" ".join(f"@{alias}" for alias in aliases), "good", "in use")
    if not gates:
        return State("registered", "plain", "its gates were not evaluated")
    if passed < len(gates):
        missed = ", ".join(g.gate for g in gates if g.verdict != "pass" or g.digest != row.digest)
        return State("blocked", "bad", f"{passed} of {len(gates)} gates passed; not {missed}")
    if approvals and approvals[0].decision == "reject":
        return State("rejected", "bad", f"by {approvals[0].principal}")
    if any(a.decision == "approve" and a.principal != row.author for a in approvals):
        return State("approved", "good", "may be promoted")
    return State("approve", "warn", f"needs the approval of another than {row.author}")


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
