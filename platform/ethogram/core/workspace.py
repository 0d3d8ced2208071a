"""A workspace as a value: everything that its content folders declare, resolved against each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ethogram.core.content.reader import read_module
from ethogram.core.contracts import Contract, load_contract
from ethogram.core.governance.agreement import Agreement, load_agreement
from ethogram.core.governance.purpose import Purpose, load_purposes
from ethogram.core.governance.team import Team, load_team
from ethogram.core.models.declaration import ModelDeclaration, load_model
from ethogram.core.models.gate import GatePolicy, load_gate_policy
from ethogram.core.models.score_contract import ScoreContract, load_score_contract
from ethogram.core.models.promotion import AliasPolicy, load_alias_policy
from ethogram.core.models.score_contract import ScoreContract, load_score_contract
from ethogram.core.models.promotion import AliasPolicy, load_alias_policy
from ethogram.core.outcomes import declaration as outcomes_
from ethogram.core.outcomes.plan import OutcomePlan, plan_outcome
from ethogram.core.plan import Declared
from ethogram.core.signals import declaration as signals_
from ethogram.core.signals.plan import SignalPlan, plan_signal
from ethogram.core.sources import declaration as sources_
from ethogram.core.sources.plan import SourcePlan, plan_source
from ethogram.core.taxonomy import Taxonomy, load_taxonomy
from ethogram.errors import AskedWrongly, EthogramError, Problems, did_you_mean

# What a team's files may import from `ethogram`.
NAMES: dict[str, Callable[..., Any]] = {
    "Source": sources_.Source,
    "event": sources_.event,
    "reference": sources_.reference,
    "sql_table": sources_.sql_table,
    "Signal": signals_.Signal,
    "count": signals_.count,
    "total": signals_.total,
    "mean": signals_.mean,
    "minimum": signals_.minimum,
    "maximum": signals_.maximum,
    "last": signals_.last,
    "recency": signals_.recency,
    "Outcome": outcomes_.Outcome,
    "occurrence": outcomes_.occurrence,
    "absence": outcomes_.absence,
}


class UnknownName(AskedWrongly):
    """A source, signal, outcome or model that the workspace does not declare."""

    code = "unknown-name"

    def __init__(self, kind: str, name: str, *, known: Sequence[str]) -> None:
        self.kind, self.name = kind, name
        hint = did_you_mean(name, known, otherwise="one of " + ", ".join(sorted(known)[:12]) if known else "none is declared")
        super().__init__(f"no {kind} named {name!r}; {hint}")


@dataclass(frozen=True)
class Workspace:
    """All that is declared, by name; plans are the same things with their names resolved."""

    taxonomy: Taxonomy
    teams: Mapping[str, Team]
    purposes: Mapping[str, Purpose]
    agreements: Sequence[Agreement]
    contracts: Mapping[str, Contract]
    sources: Mapping[str, sources_.Source]
    source_plans: Mapping[str, SourcePlan]
    signals: Mapping[str, signals_.Signal]
    signal_plans: Mapping[str, SignalPlan]
    outcomes: Mapping[str, outcomes_.Outcome]
    outcome_plans: Mapping[str, OutcomePlan]
    models: Mapping[str, ModelDeclaration]
    scores: Mapping[str, ScoreContract]
    gates: GatePolicy
    aliases: AliasPolicy

    def source(self, name: str) -> SourcePlan:
        return _named("source", name, self.source_plans)

    def outcome(self, name: str) -> OutcomePlan:
        return _named("outcome", name, self.outcome_plans)

    def model(self, name: str) -> ModelDeclaration:
        return _named("model", name, self.models)

    def signal(self, ref: str) -> SignalPlan:
        """A signal by `name@version`, or by name alone for its newest version."""
        if "@" in ref:
            return _named("signal", ref, self.signal_plans)
        versions = [plan for plan in self.signal_plans.values() if plan.name == ref]
        if not versions:
            raise UnknownName("signal", ref, known=sorted({plan.name for plan in self.signal_plans.values()}))
        return max(versions, key=lambda plan: plan.version)

    def owner(self, plan: SignalPlan) -> str:
        return self.signals[plan.ref].owner

    def declared(self) -> list[Declared]:
        """Every declared thing in the form in which `apply` stores it."""
        rows = [Declared("team", t.name, t.name, plain(t), str(t.origin)) for t in self.teams.values()]
        rows += [Declared("purpose", p.name, "platform", plain(p), str(p.origin)) for p in self.purposes.values()]
        rows += [Declared("entity", e.name, "platform", plain(e), str(e.origin)) for e in self.taxonomy.entities.values()]
        rows += [Declared("behavior", b.id, "platform", plain(b), str(b.origin)) for b in self.taxonomy.behaviors.values()]
        rows += [Declared("source", s.name, s.owner, plain(s), str(s.origin)) for s in self.sources.values()]
        for ref, signal in self.signals.items():
            body = plain(signal) | {"features": [_feature(f) for f in self.signal_plans[ref].features]}
            rows.append(Declared("signal", ref, signal.owner, body, str(signal.origin)))
        rows += [Declared("outcome", o.name, o.owner, plain(o), str(o.origin)) for o in self.outcomes.values()]
        rows += [Declared("agreement", a.name, a.provider, plain(a), str(a.origin)) for a in self.agreements]
        rows += [
            Declared("policy", "gates", "platform", plain(self.gates), "registry/policies/gates.yaml:1"),
            Declared("policy", "aliases", "platform", plain(self.aliases), "registry/policies/aliases.yaml:1"),
        ]
        rows += [Declared("model", m.name, m.owner, plain(m), str(m.origin)) for m in self.models.values()]
        return rows


def _named(kind: str, name: str, among: Mapping[str, Any]) -> Any:
    if name not in among:
        raise UnknownName(kind, name, known=list(among))
    return among[name]


def _feature(feature: Any) -> dict[str, Any]:
    body = plain(feature) | {"where": feature.where.text if feature.where else None}
    if feature.window:
        body["window"] = feature.window.suffix
        body["hop_s"] = feature.window.hop.total_seconds() if feature.window.hop else None
    return body


def plain(value: Any) -> Any:
    """`value` as JSON-ready content, without origins: what is stored, shown and digested."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.compare]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value)
    return value


class _Collected:
    """Runs each reading step, keeps its result and every problem."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def run(self, step: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        try:
            return step(*arguments, **keywords)
        except Problems as several:
            self.problems.extend(several.problems)
        except EthogramError as error:
            self.problems.append(str(error))
        return None


def load_workspace(files: Mapping[str, str]) -> Workspace:
    """The workspace that `files` (text by path from its root) declare; raises `Problems` with all problems at once."""
    collect = _Collected()
    taxonomy = collect.run(
        load_taxonomy, {path: text for path, text in files.items() if path.startswith("feature_repo/taxonomy/")}
    )
    if taxonomy is None:
        raise Problems(collect.problems)
    under = lambda prefix, suffix: {p: t for p, t in files.items() if p.startswith(prefix) and p.endswith(suffix)}  # noqa: E731
    teams: dict[str, Team] = {}
    for path, text in under("feature_repo/teams/", "/team.yaml").items():
        team = collect.run(load_team, text, path)
        if team:
            teams[team.name] = team
    purposes = collect.run(load_purposes, files.get("registry/policies/purposes.yaml", ""), "registry/policies/purposes.yaml")
    agreements = [a for p, t in under("contracts/agreements/", ".yaml").items() if (a := collect.run(load_agreement, t, p))]
    contracts = {p: c for p, t in under("contracts/sources/", ".yaml").items() if (c := collect.run(load_contract, t, p))}
    gates = collect.run(load_gate_policy, files.get("registry/policies/gates.yaml", ""), "registry/policies/gates.yaml")
    aliases = collect.run(load_alias_policy, files.get("registry/policies/aliases.yaml", ""), "registry/policies/aliases.yaml")
    models = {m.name: m for p, t in under("registry/models/", ".yaml").items() if (m := collect.run(load_model, t, p))}

    sources: dict[str, sources_.Source] = {}
    signals: dict[str, signals_.Signal] = {}
    outcomes: dict[str, outcomes_.Outcome] = {}
    for path, text in under("feature_repo/teams/", ".py").items():
        team_name = path.split("/")[2]
        if team_name not in teams:
            collect.problems.append(f"{path}:1: team {team_name!r} has no team.yaml")
        module = read_module(text, path, NAMES)
        collect.problems.extend(module.problems)
        for value in module.values:
            kind, key, home = {
                sources_.Source: ("source", lambda v: v.name, sources),
                signals_.Signal: ("signal", lambda v: v.ref, signals),
                outcomes_.Outcome: ("outcome", lambda v: v.name, outcomes),
            }.get(type(value), (None, None, None))
            if kind is None or key is None or home is None:
                continue
            name = key(value)
            if name in home:
                earlier = home[name].origin  # type: ignore[attr-defined]  # every declaration carries its origin
                collect.problems.append(f"{value.origin}: {kind} {name} is declared already at {earlier}")
            else:
                home[name] = dataclasses.replace(value, owner=team_name)  # type: ignore[index]  # one dict per type

    source_plans = {n: p for n, s in sources.items() if (p := collect.run(_plan_source, s, taxonomy, contracts))}
    signal_plans = {r: p for r, s in signals.items() if (p := collect.run(plan_signal, s, taxonomy))}
    outcome_plans = {n: p for n, o in outcomes.items() if (p := collect.run(plan_outcome, o, taxonomy))}
    newest = {plan.name for plan in signal_plans.values()} | set(signal_plans)
    scores: dict[str, ScoreContract] = {}
    for model in models.values():
        if model.outcome not in outcomes:
            hint = did_you_mean(model.outcome, outcomes, otherwise="declare it in a team's outcomes.py")
            collect.problems.append(f"{model.origin}: no outcome named {model.outcome!r}; {hint}")
        for ref in model.signals:
            if ref not in newest and ref in signals:
                continue
            if ref not in newest:
                hint = did_you_mean(ref, newest, otherwise="declare it in a team's signals.py")
                collect.problems.append(f"{model.origin}: no signal named {ref!r}; {hint}")
        if model.score not in files:
            collect.problems.append(f"{model.origin}: no score contract at {model.score}; write it")
        elif contract := collect.run(load_score_contract, files[model.score], model.score):
            scores[model.name] = contract
        if model.purpose not in (purposes or {}):
            hint = did_you_mean(model.purpose, purposes or {}, otherwise="see registry/policies/purposes.yaml")
            collect.problems.append(f"{model.origin}: no purpose named {model.purpose!r}; {hint}")
    if collect.problems:
        raise Problems(collect.problems)
    return Workspace(
        taxonomy,
        teams,
        purposes,
        agreements,
        contracts,
        sources,
        source_plans,
        signals,
        signal_plans,
        outcomes,
        outcome_plans,
        models,
        scores,
        gates,
        aliases,
    )


def _plan_source(source: sources_.Source, taxonomy: Taxonomy, contracts: Mapping[str, Contract]) -> SourcePlan:
    contract = None
    if source.contract is not None:
        if source.contract not in contracts:
            hint = did_you_mean(source.contract, contracts, otherwise="write it, or drop contract=")
            raise Problems([f"{source.origin}: no contract at {source.contract}; {hint}"])
        contract = contracts[source.contract]
    return plan_source(source, taxonomy, contract)
