"""Model versions, gates, approvals and aliases: the truth that MLflow's registry is a projection of.

Everything that decides or records works on the caller's connection, so that an alias in MLflow's tables, the move in
ours and the change in the ledger are one transaction, whichever client asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from ethogram.adapters.model_files import file_digests, inside
from ethogram.adapters.postgres import tables as t
from ethogram.adapters.postgres.changes import write_change
from ethogram.core.governance.team import Team, UnknownPrincipal, team_of
from ethogram.core.models.declaration import ModelDeclaration, model_of
from ethogram.core.models.digest import changed_files
from ethogram.core.models.gate import GatePolicy, GateResult, evaluate, figures_of, gate_policy_of
from ethogram.core.models.promotion import (
    Alias,
    AliasMove,
    AliasPolicy,
    Approval,
    ApprovalVoid,
    ModelVersion,
    PromotionRefused,
    alias_policy_of,
    check_move,
    check_reviewer,
)
from ethogram.errors import AskedWrongly, EthogramError, did_you_mean

# MLflow's name for the only workspace there is when its workspaces are off.
_MLFLOW_WORKSPACE = "default"
_MODEL_LOCK = 7_306_085  # first half of the advisory lock of whoever changes one model


class NothingApplied(EthogramError):
    """Rules or declarations that nobody has applied to this state yet."""

    code = "nothing-applied"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what} is not applied in this state, so nothing is allowed by it\nnext: ethogram apply")


class UnknownVersion(AskedWrongly):
    """A model version that the registry does not know."""

    code = "unknown-version"

    def __init__(self, model: str, version: int | str, *, known: Sequence[int]) -> None:
        self.model, self.version, self.known = model, version, tuple(known)
        there = (
            f"it has {', '.join(map(str, self.known[-8:]))}"
            if self.known
            else f"`ethogram train {model}` makes the first"
        )
        which = f" {version}" if version else ""
        super().__init__(f"{model} has no registered version{which}; {there}")


class NoChampion(EthogramError):
    """A model without a version at the alias."""

    code = "no-champion"
    exit_status = 1

    def __init__(self, model: str, alias: str) -> None:
        self.model, self.alias = model, alias
        super().__init__(f"{model} has no @{alias}\nnext: ethogram promote {model} VERSION {alias}")


@dataclass(frozen=True, slots=True)
class Rules:
    """What was applied: policies, teams and model declarations."""

    gates: GatePolicy
    aliases: AliasPolicy
    teams: Mapping[str, Team]
    models: Mapping[str, ModelDeclaration]

    def model(self, name: str) -> ModelDeclaration:
        if name not in self.models:
            hint = did_you_mean(name, self.models, otherwise=f"declare it in registry/models/{name}.yaml and apply")
            raise AskedWrongly(f"no model named {name!r} is applied; {hint}")
        return self.models[name]

    def alias(self, name: str) -> Alias:
        if not self.aliases.protects(name):
            hint = did_you_mean(name, self.aliases.aliases, otherwise="see registry/policies/aliases.yaml")
            raise AskedWrongly(f"no protected alias named {name!r}; {hint}")
        return self.aliases.aliases[name]


def applied_rules(connection: Connection) -> Rules:
    """Policies, teams and models as last applied; fails closed where there are none."""
    kinds = ("policy", "team", "model")
    rows = connection.execute(
        select(t.declaration.c.kind, t.declaration.c.name, t.declaration.c.body).where(t.declaration.c.kind.in_(kinds))
    ).all()
    bodies = {(row.kind, row.name): row.body for row in rows}
    for name in ("gates", "aliases"):
        if ("policy", name) not in bodies:
            raise NothingApplied(f"registry/policies/{name}.yaml")
    teams = {
        name: Team(name, body["brief"], tuple(body["principals"]), tuple(body["reviewers"]))
        for (kind, name), body in bodies.items()
        if kind == "team"
    }
    models = {name: model_of(body) for (kind, name), body in bodies.items() if kind == "model"}
    policies = (gate_policy_of(bodies["policy", "gates"]), alias_policy_of(bodies["policy", "aliases"]))
    return Rules(*policies, teams, models)


def check_principal(principal: str, teams: Mapping[str, Team]) -> None:
    """Refuse a principal that is empty or that no applied team declares."""
    if not principal:
        raise UnknownPrincipal("", known=[p for team in teams.values() for p in team.principals])
    team_of(principal, teams)


def find_version(connection: Connection, model: str, version: int) -> ModelVersion | None:
    row = connection.execute(
        select(t.model_version).where(t.model_version.c.model == model, t.model_version.c.version == version)
    ).first()
    return _version(row) if row else None


def bound(connection: Connection, model: str, version: int | None = None) -> str:
    """Why a version (or any version of the model) may not be deleted, renamed or repointed; empty if it may."""
    which = "" if version is None else " AND version = :version"
    given = {"model": model, "version": version}
    alias = connection.execute(
        text(f"SELECT alias, version FROM mlflow.registered_model_aliases WHERE name = :model{which} LIMIT 1"), given
    ).first()
    if alias:
        return f"{model} {alias.version} is @{alias.alias}"
    approved = connection.execute(
        text(f"SELECT version FROM ethogram.approval WHERE model = :model AND decision = 'approve'{which} LIMIT 1"),
        given,
    ).first()
    return f"{model} {approved.version} carries an approval" if approved else ""


def move_alias(
    connection: Connection, *, model: str, version: int, alias: str, principal: str, artifacts: Path
) -> ModelVersion | None:
    """Point `alias` at `version` by the one rule, in the caller's transaction; the version, if it is one of ours.

    Writes the move, MLflow's alias and the change together. An alias that no policy protects may be set by any
    principal.

    Raises:
        PromotionRefused: If the rule says no; nothing is written.
        UnknownPrincipal: If nobody, or nobody known, asks.
    """
    _lock(connection, model)
    rules = applied_rules(connection)
    check_principal(principal, rules.teams)
    found = find_version(connection, model, version)
    body: dict[str, Any] = {
        "model": model,
        "alias": alias,
        "version": version,
        "digest": found.digest if found else None,
    }
    if rules.aliases.protects(alias):
        if found is None:
            raise PromotionRefused(
                model,
                version,
                alias,
                why=f"{model} {version} was not registered by training here: no gates, no digest, no lineage",
                next_=f"ethogram train {model}",
            )
        approval = check_move(
            found,
            alias=rules.alias(alias),
            model=rules.model(model),
            teams=rules.teams,
            gates=_evaluated(rules, found),
            approvals=_approvals(connection, model, version, alias),
            changed=lambda: changed_files(found.manifest, file_digests(inside(artifacts, found.manifest["location"]))),
        )
        body |= {"approved_by": approval.principal, "approved_at": approval.at.isoformat()}
    before = _current(connection, model, alias)
    if before is not None and before.version == version:
        return found
    connection.execute(
        insert(t.alias_move).values(
            model=model, alias=alias, version=version, digest=body["digest"], principal=principal
        )
    )
    connection.execute(
        text(
            "INSERT INTO mlflow.registered_model_aliases (workspace, name, alias, version)"
            " VALUES (:workspace, :model, :alias, :version)"
            " ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version"
        ),
        {"workspace": _MLFLOW_WORKSPACE, "model": model, "alias": alias, "version": version},
    )
    body["before"] = before.version if before else None
    write_change(connection, principal=principal, action="alias.move", subject=f"model {model}", body=body)
    return found


def drop_alias(connection: Connection, *, model: str, alias: str, principal: str) -> None:
    """Take an unprotected alias away, in the caller's transaction; a protected one only moves."""
    _lock(connection, model)
    rules = applied_rules(connection)
    check_principal(principal, rules.teams)
    before = _current(connection, model, alias)
    if before is None:
        return
    if rules.aliases.protects(alias):
        raise PromotionRefused(
            model,
            before.version or 0,
            alias,
            why=f"@{alias} is protected: its consumers would be left without a version",
            next_=f"move it to another approved version: ethogram promote {model} VERSION {alias}",
        )
    connection.execute(
        insert(t.alias_move).values(model=model, alias=alias, version=None, digest=None, principal=principal)
    )
    connection.execute(
        text("DELETE FROM mlflow.registered_model_aliases WHERE name = :model AND alias = :alias"),
        {"model": model, "alias": alias},
    )
    body = {"model": model, "alias": alias, "version": None, "before": before.version}
    write_change(connection, principal=principal, action="alias.drop", subject=f"model {model}", body=body)


class PostgresModels:
    """`ports.Models` over the shared state.

    Args:
        engine: From `open_engine`, schema ethogram.
        artifacts: Root below which the versions' files are.
    """

    def __init__(self, engine: Engine, artifacts: Path) -> None:
        self.engine, self.artifacts = engine, artifacts

    def rules(self) -> Rules:
        with self.engine.connect() as connection:
            return applied_rules(connection)

    def trained(self, model: str, *, recipe: str) -> ModelVersion | None:
        """The newest version that was trained by exactly this recipe."""
        with self.engine.connect() as connection:
            row = connection.execute(
                select(t.model_version)
                .where(t.model_version.c.model == model, t.model_version.c.manifest["recipe"].astext == recipe)
                .order_by(t.model_version.c.version.desc())
                .limit(1)
            ).first()
            return _version(row) if row else None

    def record(self, version: Mapping[str, Any]) -> ModelVersion:
        """Remember a version that MLflow's registry has just numbered, with one change."""
        with self.engine.begin() as connection:
            _lock(connection, str(version["model"]))
            row = connection.execute(insert(t.model_version).values(**version).returning(t.model_version)).one()
            made = _version(row)
            body = {
                "model": made.model,
                "version": made.version,
                "digest": made.digest,
                "training_set": made.training_set,
            }
            write_change(
                connection, principal=made.author, action="model.register", subject=f"model {made.model}", body=body
            )
            return made

    def versions(self, model: str) -> list[ModelVersion]:
        """All versions, oldest first."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(t.model_version).where(t.model_version.c.model == model).order_by(t.model_version.c.version)
            )
            return [_version(row) for row in rows]

    def version(self, model: str, version: int) -> ModelVersion:
        with self.engine.connect() as connection:
            found = find_version(connection, model, version)
        if found is None:
            raise UnknownVersion(model, version, known=[each.version for each in self.versions(model)])
        return found

    def at_alias(self, model: str, alias: str = "champion", *, at: datetime | None = None) -> ModelVersion:
        """The version the alias points at, or pointed at `at` an earlier instant."""
        with self.engine.connect() as connection:
            move = _current(connection, model, alias, at=at)
            found = find_version(connection, model, move.version) if move and move.version is not None else None
        if found is None:
            raise NoChampion(model, alias)
        return found

    def moves(self, model: str) -> list[AliasMove]:
        """Every move of every alias of the model, oldest first."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(t.alias_move).where(t.alias_move.c.model == model).order_by(t.alias_move.c.id)
            )
            return [_move(row) for row in rows]

    def approvals(self, model: str, version: int, alias: str) -> list[Approval]:
        with self.engine.connect() as connection:
            return _approvals(connection, model, version, alias)

    def gates(self, model: str, version: int, *, store: bool = True) -> list[GateResult]:
        """What every gate of the model's tier says of the version now; remembered unless `store` is False."""
        found = self.version(model, version)
        with self.engine.begin() as connection:
            rules = applied_rules(connection)
            results = _evaluated(rules, found)
            if store:
                connection.execute(
                    t.gate_result.delete().where(t.gate_result.c.model == model, t.gate_result.c.version == version)
                )
                for each in results:
                    row = {"verdict": each.verdict, "detail": each.detail, "digest": found.digest}
                    connection.execute(
                        upsert(t.gate_result).values(model=model, version=version, gate=each.gate, **row)
                    )
        return results

    def decide(
        self, model: str, version: int, alias: str, *, decision: str, principal: str, note: str = ""
    ) -> Approval:
        """Record a reviewer's approval or rejection of exactly this content, with one change in the same transaction.

        Raises:
            MayNotApprove: If `principal` is the author or no reviewer.
            ApprovalVoid: If the content is not what was registered.
        """
        found = self.version(model, version)
        with self.engine.begin() as connection:
            _lock(connection, model)
            rules = applied_rules(connection)
            check_reviewer(
                principal, version=found, alias=rules.alias(alias), model=rules.model(model), teams=rules.teams
            )
            changed = self.changed(found)
            if changed and decision == "approve":
                raise ApprovalVoid(model, version, alias, changed)
            row = connection.execute(
                insert(t.approval)
                .values(
                    model=model,
                    version=version,
                    alias=alias,
                    digest=found.digest,
                    principal=principal,
                    decision=decision,
                    note=note,
                )
                .returning(t.approval)
            ).one()
            body = {"model": model, "version": version, "alias": alias, "digest": found.digest, "note": note}
            write_change(
                connection, principal=principal, action=f"model.{decision}", subject=f"model {model}", body=body
            )
            return _approval(row)

    def move(self, model: str, version: int, alias: str, *, principal: str) -> ModelVersion | None:
        """`move_alias` in a transaction of its own."""
        self.version(model, version)
        with self.engine.begin() as connection:
            return move_alias(
                connection, model=model, version=version, alias=alias, principal=principal, artifacts=self.artifacts
            )

    def changed(self, version: ModelVersion) -> list[str]:
        """What differs between the version's files and its manifest."""
        return changed_files(version.manifest, file_digests(self.folder(version)))

    def folder(self, version: ModelVersion) -> Path:
        """Where the version's files are."""
        return inside(self.artifacts, version.manifest["location"])

    def document(self, version: ModelVersion) -> str:
        """Text of the version's scorer; refused if any of its files changed since registration."""
        changed = self.changed(version)
        if changed:
            raise ApprovalVoid(version.model, version.version, "champion", changed)
        return Path(self.folder(version), version.manifest["scorer"]).read_text(encoding="utf-8")

    def scored(self, run: Mapping[str, Any]) -> None:
        """Remember a scoring run, with one change; the same run twice counts once."""
        with self.engine.begin() as connection:
            done = connection.execute(
                upsert(t.score_run).values(**run).on_conflict_do_nothing().returning(t.score_run.c.run)
            )
            if done.first():
                body = {key: run[key] for key in ("run", "model", "version", "digest")} | {
                    "as_of": run["as_of"].isoformat()
                }
                write_change(
                    connection,
                    principal=run["principal"],
                    action="model.score",
                    subject=f"model {run['model']}",
                    body=body,
                )


def _lock(connection: Connection, model: str) -> None:
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:half, hashtext(:model))"), {"half": _MODEL_LOCK, "model": model}
    )


def _evaluated(rules: Rules, version: ModelVersion) -> list[GateResult]:
    model = rules.model(version.model)
    return evaluate(rules.gates, model.risk, figures_of(version.report, model))


def _approvals(connection: Connection, model: str, version: int, alias: str) -> list[Approval]:
    a = t.approval.c
    rows = connection.execute(
        select(t.approval).where(a.model == model, a.version == version, a.alias == alias).order_by(a.id)
    )
    return [_approval(row) for row in rows]


def _current(connection: Connection, model: str, alias: str, *, at: datetime | None = None) -> AliasMove | None:
    m = t.alias_move.c
    wanted = select(t.alias_move).where(m.model == model, m.alias == alias).order_by(m.id.desc()).limit(1)
    if at is not None:
        wanted = wanted.where(m.at <= at)
    row = connection.execute(wanted).first()
    return _move(row) if row and row.version is not None else None


def _version(row: Row[Any]) -> ModelVersion:
    return ModelVersion(**row._mapping)


def _approval(row: Row[Any]) -> Approval:
    return Approval(**{name: value for name, value in row._mapping.items() if name != "id"})


def _move(row: Row[Any]) -> AliasMove:
    return AliasMove(**{name: value for name, value in row._mapping.items() if name != "id"})
