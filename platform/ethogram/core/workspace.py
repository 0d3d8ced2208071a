"""A workspace as a value: everything that its content folders declare, resolved against each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from ethogram.core.content.origin import Origin
from ethogram.core.content.reader import read_module
from ethogram.core.contracts import Contract, load_contract
from ethogram.core.governance.agreement import Agreement, load_agreement
from ethogram.core.governance.purpose import Purpose, load_purposes
from ethogram.core.governance.team import Team, load_team
from ethogram.core.models.declaration import ModelDeclaration, load_model
from ethogram.core.models.gate import GatePolicy, load_gate_policy
from ethogram.core.models.promotion import AliasPolicy, load_alias_policy
from ethogram.core.models.score_contract import ScoreContract, load_score_contract
from ethogram.core.outcomes import declaration as outcomes_
from ethogram.core.outcomes.plan import OutcomePlan, plan_outcome
from ethogram.core.plan import Declared
from ethogram.core.signals import declaration as signals_
from ethogram.core.signals import sessions as sessions_
from ethogram.core.signals.aggregates import WORDS
from ethogram.core.signals.plan import SignalPlan, plan_signal
from ethogram.core.signals.reconciled import Reconciled
from ethogram.core.sources import declaration as sources_
from ethogram.core.sources.plan import SourcePlan, plan_source
from ethogram.core.taxonomy import Taxonomy, load_taxonomy
from ethogram.errors import AskedWrongly, EthogramError, Problems, did_you_mean

_T = TypeVar("_T")
_D = TypeVar("_D")

# What a team's files may import from `ethogram`.
NAMES: dict[str, Callable[..., Any]] = {
    "Source": sources_.Source,
    "event": sources_.event,
    "reference": sources_.reference,
    "sql_table": sources_.sql_table,
    "Signal": signals_.Signal,
    "Sessions": sessions_.Sessions,
    "Reconciled": Reconciled,
    **WORDS,
    "Outcome": outcomes_.Outcome,
    "occurrence": outcomes_.occurrence,
    "absence": outcomes_.absence,
}


class UnknownName(AskedWrongly):
    """A source, signal, outcome or model that the workspace does not declare."""

    code = "unknown-name"

    def __init__(self, kind: str, name: str, *, known: Sequence[str]) -> None:
        self.kind, self.name = kind, name
        otherwise = "one of " + ", ".join(sorted(known)[:12]) if known else "none is declared"
        hint = did_you_mean(name, known, otherwise=otherwise)
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
        taxonomy = self.taxonomy
        rows += [Declared("entity", e.name, "platform", plain(e), str(e.origin)) for e in taxonomy.entities.values()]
        rows += [Declared("behavior", b.id, "platform", plain(b), str(b.origin)) for b in taxonomy.behaviors.values()]
        rows += [Declared("source", s.name, s.owner, plain(s), str(s.origin)) for s in self.sources.values()]
        for ref, signal in self.signals.items():
            body = plain(signal) | {"features": [f.facts() for f in self.signal_plans[ref].features]}
            rows.append(Declared("signal", ref, signal.owner, body, str(signal.origin)))
        rows += [Declared("outcome", o.name, o.owner, plain(o), str(o.origin)) for o in self.outcomes.values()]
        rows += [Declared("agreement", a.name, a.provider, plain(a), str(a.origin)) for a in self.agreements]
        rows += [
            Declared("policy", "gates", "platform", plain(self.gates), "registry/policies/gates.yaml:1"),
            Declared("policy", "aliases", "platform", plain(self.aliases), "registry/policies/aliases.yaml:1"),
        ]
        rows += [Declared("model", m.name, m.owner, plain(m), str(m.origin)) for m in self.models.values()]
        return rows


def _named(kind: str, name: str, among: Mapping[str, _T]) -> _T:
    if name not in among:
        raise UnknownName(kind, name, known=list(among))
    return among[name]


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


class _Loading:
    """Reads the parts of a workspace one after the other and keeps every problem."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.problems: list[str] = []

    def run(self, step: Callable[[], _T]) -> _T | None:
        """What `step` gives; None, with its problems kept, if it finds any."""
        try:
            return step()
        except Problems as several:
            self.problems.extend(several.problems)
        except EthogramError as error:
            self.problems.append(str(error))
        return None

    def one(self, path: str, load: Callable[[str, str], _T]) -> _T | None:
        """The thing that one fixed file declares; a missing file is read as an empty one."""
        return self.run(lambda: load(self.files.get(path, ""), path))

    def each(self, folder: str, load: Callable[[str, str], _T], *, name: str = ".yaml") -> dict[str, _T]:
        """What each file below `folder` whose path ends in `name` declares, by path."""
        found = {}
        for path, text in self.files.items():
            if path.startswith(folder) and path.endswith(name):
                value = self.run(lambda path=path, text=text: load(text, path))  # type: ignore[misc]  # bound per turn
                if value is not None:
                    found[path] = value
        return found

    def resolved(self, declared: Mapping[str, _D], plan: Callable[[_D], _T]) -> dict[str, _T]:
        """The plan of each declaration that has one, by the same names."""
        found = {}
        for name, value in declared.items():
            resolved = self.run(lambda value=value: plan(value))  # type: ignore[misc]  # bound per turn
            if resolved is not None:
                found[name] = resolved
        return found

    def team_files(self, teams: Mapping[str, Team]) -> _Declared:
        """Sources, signals and outcomes that the teams' files declare, each with its owner."""
        declared = _Declared({}, {}, {})
        for path, text in self.files.items():
            if not (path.startswith("feature_repo/teams/") and path.endswith(".py")):
                continue
            owner = path.split("/")[2]
            if owner not in teams:
                self.problems.append(f"{path}:1: team {owner!r} has no team.yaml")
            module = read_module(text, path, NAMES)
            self.problems.extend(module.problems)
            for value in module.values:
                if isinstance(value, sources_.Source):
                    self.keep("source", value.name, dataclasses.replace(value, owner=owner), declared.sources)
                elif isinstance(value, signals_.Signal):
                    self.keep("signal", value.ref, dataclasses.replace(value, owner=owner), declared.signals)
                elif isinstance(value, outcomes_.Outcome):
                    self.keep("outcome", value.name, dataclasses.replace(value, owner=owner), declared.outcomes)
        return declared

    def keep(self, kind: str, name: str, value: _D, among: dict[str, _D]) -> None:
        """Add a declaration, unless its name is taken."""
        if name in among:
            earlier = getattr(among[name], "origin", "another file")
            self.problems.append(f"{getattr(value, 'origin', '')}: {kind} {name} is declared already at {earlier}")
        else:
            among[name] = value

    def unknown(self, origin: Origin, kind: str, name: str, known: Collection[str], otherwise: str) -> None:
        """Note a name that nothing declares."""
        if name not in known:
            hint = did_you_mean(name, known, otherwise=otherwise)
            self.problems.append(f"{origin}: no {kind} named {name!r}; {hint}")


@dataclass(frozen=True)
class _Declared:
    sources: dict[str, sources_.Source]
    signals: dict[str, signals_.Signal]
    outcomes: dict[str, outcomes_.Outcome]


def load_workspace(files: Mapping[str, str]) -> Workspace:
    """The workspace that `files` (text by path from its root) declare; raises `Problems` with all problems at once."""
    loading = _Loading(files)
    vocabulary = {path: text for path, text in files.items() if path.startswith("feature_repo/taxonomy/")}
    taxonomy = loading.run(lambda: load_taxonomy(vocabulary))
    if taxonomy is None:
        raise Problems(loading.problems)
    teams = {team.name: team for team in loading.each("feature_repo/teams/", load_team, name="/team.yaml").values()}
    purposes = loading.one("registry/policies/purposes.yaml", load_purposes) or {}
    agreements = list(loading.each("contracts/agreements/", load_agreement).values())
    contracts = loading.each("contracts/sources/", load_contract)
    gates = loading.one("registry/policies/gates.yaml", load_gate_policy)
    aliases = loading.one("registry/policies/aliases.yaml", load_alias_policy)
    models = {model.name: model for model in loading.each("registry/models/", load_model).values()}
    declared = loading.team_files(teams)
    source_plans = loading.resolved(declared.sources, lambda s: _plan_source(s, taxonomy, contracts))
    signal_plans = loading.resolved(declared.signals, lambda s: plan_signal(s, taxonomy))
    outcome_plans = loading.resolved(declared.outcomes, lambda o: plan_outcome(o, taxonomy))
    readable = {signal.name for signal in declared.signals.values()} | set(declared.signals)
    scores: dict[str, ScoreContract] = {}
    for model in models.values():
        loading.unknown(model.origin, "outcome", model.outcome, declared.outcomes, "declare it in a team's outcomes.py")
        for ref in model.signals:
            loading.unknown(model.origin, "signal", ref, readable, "declare it in a team's signals.py")
        loading.unknown(model.origin, "purpose", model.purpose, purposes, "see registry/policies/purposes.yaml")
        if model.score not in files:
            loading.problems.append(f"{model.origin}: no score contract at {model.score}; write it")
        elif contract := loading.one(model.score, load_score_contract):
            scores[model.name] = contract
    if loading.problems or gates is None or aliases is None:
        raise Problems(loading.problems)
    return Workspace(
        taxonomy=taxonomy,
        teams=teams,
        purposes=purposes,
        agreements=agreements,
        contracts=contracts,
        sources=declared.sources,
        source_plans=source_plans,
        signals=declared.signals,
        signal_plans=signal_plans,
        outcomes=declared.outcomes,
        outcome_plans=outcome_plans,
        models=models,
        scores=scores,
        gates=gates,
        aliases=aliases,
    )


def _plan_source(source: sources_.Source, taxonomy: Taxonomy, contracts: Mapping[str, Contract]) -> SourcePlan:
    contract = None
    if source.contract is not None:
        if source.contract not in contracts:
            hint = did_you_mean(source.contract, contracts, otherwise="write it, or drop contract=")
            raise Problems([f"{source.origin}: no contract at {source.contract}; {hint}"])
        contract = contracts[source.contract]
    return plan_source(source, taxonomy, contract)
