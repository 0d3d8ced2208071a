"""The local SDK: a store opened on a workspace of this machine, with the verbs of the command line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.core import time
from ethogram.core.governance.purpose import UnknownPurpose
from ethogram.core.governance.team import team_of
from ethogram.core.models.score_signal import score_table, score_view
from ethogram.core.observations import schedule
from ethogram.core.online.answer import Answer
from ethogram.core.online.packed import Layout, key_of
from ethogram.core.signals.view import View
from ethogram.core.workspace import UnknownName, Workspace
from ethogram.errors import AskedWrongly, Refused
from ethogram.ports import Joined, OnlineRow
from ethogram.usecases.access import decide_all, note_open, require_access
from ethogram.usecases.apply import Applied, apply
from ethogram.usecases.approve import approve
from ethogram.usecases.approve import reject as reject_version
from ethogram.usecases.consent import consent
from ethogram.usecases.gates import gates
from ethogram.usecases.lookup import lookup
from ethogram.usecases.materialize import Materialized, materialize
from ethogram.usecases.promote import promote
from ethogram.usecases.values import PublishedScore, score_values, signal_values

if TYPE_CHECKING:
    from ethogram.core.governance.agreement import Access
    from ethogram.core.models.gate import GateResult
    from ethogram.core.models.promotion import Approval, ModelVersion
    from ethogram.core.models.score_contract import ScoreContract
    from ethogram.core.monitoring.channels import ChannelReport
    from ethogram.core.signals.plan import FeaturePlan, SignalPlan
    from ethogram.core.sources.report import IngestReport
    from ethogram.core.training_sets import Report
    from ethogram.core.training_sets.finding import Leakage
    from ethogram.usecases.backfill import Backfilled, Estimate
    from ethogram.usecases.ingest import Progress
    from ethogram.usecases.leakage import Audited
    from ethogram.usecases.profile import Profiled
    from ethogram.usecases.score import Scored
    from ethogram.usecases.train import Training
    from ethogram.usecases.training_set import Stored
    from ethogram.wiring import Parts

INSTANT = pa.timestamp("us", tz="UTC")
# What stands before the name of a Feast view of others.
FEAST = "feast:"


class NotOwner(Refused):
    """An act that only the owner of a signal or score may do."""

    code = "not-owner"

    def __init__(self, view: View, team: str, what: str) -> None:
        self.view, self.team = view, team
        super().__init__(f"{view.ref} belongs to {view.owner}, so {team} may not {what}; ask {view.owner}")


# Signals look back; the first observations of a default schedule leave them something to see.
WARM_UP = timedelta(days=90)


class TrainingSet:
    """A stored training set: what it is, and its rows when they are asked for.

    Attributes:
        report: Rows, entities, features, label rate, who was left out, what the audit found.
        version: `outcome/digest`; the same request always gives it, and the same bytes.
    """

    def __init__(self, report: Report, store: Store) -> None:
        self.report = report
        self.version = report.version
        self._store = store

    def __repr__(self) -> str:
        return str(self.report)

    def facts(self) -> dict[str, Any]:
        """The report, JSON-ready."""
        return self.report.facts()

    def to_arrow(self) -> pa.Table:
        """One row an observation, sorted: `entity` (surrogate), `as_of`, `label`, then the features."""
        return self._store.read_training_set(self.version).table

    def audit(self) -> Leakage:
        """Look for the future in it: see `Store.audit`."""
        return self._store.audit(self.version)

    def to_pandas(self) -> Any:
        """The same rows as a pandas frame; decimals stay Decimal, maps are dicts."""
        return self.to_arrow().to_pandas(maps_as_pydicts="strict")


class Store:
    """One state of a workspace, opened by one principal; every read states a purpose and is decided in one place."""

    def __init__(self, parts: Parts, *, principal: str, purpose: str = "") -> None:
        self.parts = parts
        self.principal = principal
        self.purpose = purpose

    @property
    def workspace(self) -> Workspace:
        """What the working tree declares."""
        return self.parts.workspace

    @property
    def team(self) -> str:
        """The team that the principal acts for."""
        return team_of(self.principal, self.workspace.teams).name

    # Views: what can be read.

    def views(self) -> dict[str, View]:
        """Every readable view by its Feast name: signals, then scores."""
        workspace = self.workspace
        found = {}
        for plan in workspace.signal_plans.values():
            declared = workspace.signals[plan.ref]
            found[plan.view] = View(
                name=plan.view,
                ref=plan.ref,
                asset=plan.name,
                entity=plan.entity,
                join_key=workspace.taxonomy.entities[plan.entity].join_key,
                features=tuple((feature.name, feature.type) for feature in plan.features),
                owner=declared.owner,
                brief=declared.brief,
            )
        for model, contract in workspace.scores.items():
            join_key = workspace.taxonomy.entities[contract.entity].join_key
            view = score_view(workspace.models[model], contract, join_key=join_key)
            found[view.name] = view
        return found

    def view(self, name: str) -> View:
        """A view by its Feast name ("purchase_rhythm_v4"), its ref ("purchase_rhythm@4") or, newest, its bare name."""
        views = self.views()
        if name in views:
            return views[name]
        same = [view for view in views.values() if name in {view.ref, view.asset}]
        if not same:
            raise UnknownName("signal", name, known=sorted({view.asset for view in views.values()}))
        return max(same, key=lambda view: int(view.ref.partition("@")[2]))

    def values(self, view: View, observations: pa.Table) -> pa.Table:
        """Values of `view` for (`entity`, `as_of`) rows, without asking who reads: for those that asked already."""
        if view.kind == "score":
            model, contract = self._score(view)
            return score_values(score_table(model), observations, contract=contract, lake=self.parts.lake)
        plan = self.workspace.signal_plans[view.ref].only([name for name, _ in view.features])
        return signal_values(
            plan, observations, engine=self.parts.engine, lake=self.parts.lake, ledger=self.parts.tiles
        )

    def _score(self, view: View) -> tuple[str, ScoreContract]:
        return next((m, c) for m, c in self.workspace.scores.items() if c.name == view.asset)

    def _published(self, view: View) -> PublishedScore:
        model, contract = self._score(view)
        return PublishedScore(score_table(model), view=view, contract=contract, lake=self.parts.lake)

    def allowed(self, entity: str, purpose: str, ids: Collection[int | None]) -> set[int]:
        """Those of the surrogates `ids` that may be read for `purpose` now."""
        known = np.array(sorted(number for number in set(ids) if number is not None), np.int64)
        now = np.full(len(known), time.micros(self.parts.clock.now()))
        return set(known[self.parts.mask(entity, purpose, only=known.tolist()).allows(known, now)].tolist())

    def accesses(self, views: Sequence[View], *, purpose: str) -> list[Access]:
        """The rules' answers for `views`, not recorded again."""
        return decide_all(
            self.workspace, views, principal=self.principal, purpose=purpose, today=self.parts.clock.now().date()
        )

    def grant(self, views: Sequence[View], *, purpose: str, how: str) -> str:
        """Ask for access to `views`; the purpose that was stated, or a refusal."""
        purpose = purpose or self.purpose
        require_access(
            self.workspace,
            views,
            principal=self.principal,
            purpose=purpose,
            today=self.parts.clock.now().date(),
            how=how,
            readings=self.parts.readings,
        )
        return purpose

    def _require_owner(self, view: View, what: str) -> None:
        if self.team != view.owner:
            raise NotOwner(view, self.team, what)

    # Consent, and how far the data reaches.

    def consent(self, entity: str, key: Any, *, purpose: str = "", allowed: bool) -> bool:
        """Record that an entity allows or refuses `purpose` from now on; False if it had said so last."""
        purpose = purpose or self.purpose
        self.workspace.taxonomy.entity(entity)
        if purpose not in self.workspace.purposes:
            raise UnknownPurpose(purpose, known=self.workspace.purposes)
        team_of(self.principal, self.workspace.teams)
        return consent(
            entity,
            str(key),
            self.workspace.purposes[purpose],
            allowed=allowed,
            principal=self.principal,
            keys=self.parts.keys,
            consents=self.parts.consents,
            now=self.parts.clock.now(),
        )

    def coverage(self) -> tuple[datetime, datetime]:
        """First instant of the data, and the first at which all of it occurred and is known; now if there is none."""
        units = [unit.report.get("coverage", {}).values() for unit in self.parts.catalog.source_units()]
        spans = [{name: datetime.fromisoformat(at) for name, at in span.items()} for unit in units for span in unit]
        if not spans:
            now = self.parts.clock.now()
            return now, now
        last = max(max(span["last"] + time.MICROSECOND, span["known"]) for span in spans)
        return min(span["first"] for span in spans), last

    def last(self, behavior: str) -> datetime:
        """Start of the UTC day of the last event of a behavior.

        Raises:
            AskedWrongly: none was taken in.
        """
        reports = [unit.report.get("coverage", {}).get(behavior) for unit in self.parts.catalog.source_units()]
        spans = [datetime.fromisoformat(span["last"]) for span in reports if span]
        if not spans:
            raise AskedWrongly(f"no event of {behavior} was taken in; see `ethogram ingest`")
        return time.floor(max(spans), timedelta(days=1))

    def watermark(self) -> datetime:
        """The data's end: the first instant at which all of it has occurred and is known; now if there is none."""
        return self.coverage()[1]

    def channels(
        self, behaviors: Sequence[str], *, match: Sequence[str] = (), within: str = "10m", where: str | None = None
    ) -> ChannelReport:
        """How far the channels that report a behavior can be relied on: coverage, delay and agreement of each.

        With several behaviors each is a channel. Reports are of one happening if they are of the same entity, with
        equal `match` properties, at most `within` apart.
        """
        from ethogram.usecases.channels import channel_report

        return channel_report(
            behaviors,
            match=match,
            within=within,
            where=where,
            taxonomy=self.workspace.taxonomy,
            engine=self.parts.engine,
            lake=self.parts.lake,
        )

    # Declarations.

    def apply(self, *, always_publish: bool = False) -> Applied:
        """Make the working tree's declarations current, then publish them to Feast."""
        return apply(
            self.workspace,
            declarations=self.parts.declarations,
            publish=lambda _: self.parts.publish(list(self.views().values())),
            principal=self.principal or "platform",
            always_publish=always_publish,
        )

    # Online.

    def everyone(self, entity: str, as_of: datetime) -> pa.Array:
        """Surrogates of every entity of which something was known at `as_of`, sorted."""
        behaviors = [b.id for b in self.workspace.taxonomy if entity in b.entities]
        files = [self.parts.lake.files(f"events/{behavior}") for behavior in behaviors]
        seen = self.parts.engine.seen(entity, [f for f in files if f.schema is not None])
        return seen.filter(pc.less_equal(seen["since"], pa.scalar(as_of, INSTANT)))["entity"].combine_chunks()

    def materialize(
        self, signals: Sequence[str], *, as_of: datetime, progress: Callable[[int], None] = lambda _: None
    ) -> list[Materialized]:
        """Bring the rows of `signals` online as of one instant, for every entity known then.

        Raises:
            NotOwner: If one of them is another team's; owners decide what is served.
        """
        done = []
        for name in signals:
            view = self.view(name)
            self._require_owner(view, "materialize it")
            ids = self.everyone(view.entity, as_of)
            observations = pa.table({"entity": ids, "as_of": pa.array([as_of] * len(ids), INSTANT)})
            table = self.values(view, observations).append_column("entity", ids)
            if view.kind == "score":
                table = table.filter(pc.is_valid(table["score"]))
            done.append(materialize(view, table, as_of=as_of, online=self.parts.online, progress=progress))
        return done

    def backfill(self, signals: Sequence[str], *, progress: Callable[[int], None] = lambda _: None) -> list[Backfilled]:
        """Make the tiles of `signals` for every day that the data covers: new days, and days that late events touched.

        Raises:
            NotOwner: If one of them is another team's.
        """
        from ethogram.usecases.backfill import backfill

        return [backfill(plan, **self._tiling(), progress=progress) for plan in self._own(signals)]

    def estimate(self, signals: Sequence[str]) -> list[Estimate]:
        """What `backfill` would do, and how long it would take."""
        from ethogram.usecases.backfill import estimate

        return [estimate(plan, **self._tiling()) for plan in self._own(signals)]

    def _own(self, signals: Sequence[str]) -> list[SignalPlan]:
        plans = []
        for name in signals:
            view = self.view(name)
            self._require_owner(view, "backfill it")
            plans.append(self.workspace.signal_plans[view.ref])
        return plans

    def _tiling(self) -> dict[str, Any]:
        parts = self.parts
        return {"until": self.watermark(), "engine": parts.engine, "lake": parts.lake, "ledger": parts.tiles}

    def lookup(self, entity: str, key: Any, *, signals: Sequence[str], purpose: str = "") -> Answer:
        """Features of one entity as last materialized, with the reason for every null."""
        return self.lookup_many(entity, [key], signals=signals, purpose=purpose)[0]

    def lookup_many(
        self, entity: str, keys: Sequence[Any], *, signals: Sequence[str], purpose: str = ""
    ) -> list[Answer]:
        """One answer per key, in order."""
        self.workspace.taxonomy.entity(entity)
        views = [self.view(name) for name in signals]
        other = [view for view in views if view.entity != entity]
        if other:
            raise AskedWrongly(f"{other[0].ref} is about a {other[0].entity}, not a {entity}")
        purpose = self.grant(views, purpose=purpose, how="lookup")
        return lookup(
            entity,
            [str(key) for key in keys],
            views,
            purpose=purpose,
            online=self.parts.online,
            registry=self.parts.keys,
            allowed=self.allowed,
            reasons=self._reasons(views),
            empty=self._empty(views),
        )

    def _reasons(self, views: Sequence[View]) -> dict[tuple[str, str], str]:
        reasons = {}
        for ref, feature in self._planned(views):
            behaviors = [self.workspace.taxonomy.behavior(id) for id in feature.behaviors[:3]]
            noun = " or ".join(each.noun.replace("_", " ") for each in behaviors)
            plural = " or ".join(each.plural.replace("_", " ") for each in behaviors)
            if sessions := feature.stream.sessions:
                noun, plural = sessions.noun.replace("_", " "), sessions.name.replace("_", " ")
            span = f"in the last {feature.window.suffix}" if feature.window else "yet"
            reasons[ref, feature.name] = feature.lacks.format(noun=noun, plural=plural, span=span)
        return reasons

    def _empty(self, views: Sequence[View]) -> dict[tuple[str, str], Any]:
        from ethogram.core.signals.reference import evaluate

        plans = [plan for view in views if (plan := self.workspace.signal_plans.get(view.ref))]
        rows = {plan.ref: evaluate(plan, [], None, self.parts.clock.now()).values for plan in plans}
        return {(ref, name): value for ref, row in rows.items() for name, value in row.items() if value is not None}

    def _planned(self, views: Sequence[View]) -> Iterator[tuple[str, FeaturePlan]]:
        for view in views:
            plan = self.workspace.signal_plans.get(view.ref)
            yield from ((view.ref, feature) for feature in (plan.features if plan else ()))

    # Sources.

    def ingest(
        self,
        source: str,
        *,
        data: Path | str | None = None,
        redo: bool = False,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> IngestReport:
        """Take in what is new of a source below the folder `data`; a file that is in already is left alone.

        Raises:
            SourceBusy: another ingest of it is under way.
            MappingChanged: what is in was mapped otherwise, and `redo` is not given.
        """
        from ethogram.usecases.ingest import ingest

        return ingest(
            self.workspace.source(source),
            data=Path(data) if data is not None else Path.cwd(),
            rows=self.parts.rows,
            lake=self.parts.lake,
            keys=self.parts.keys,
            runs=self.parts.source_runs,
            consents=self.parts.consents,
            clock=self.parts.clock,
            principal=self.principal,
            redo=redo,
            progress=progress,
        )

    # Training sets.

    def training_set(
        self,
        outcome: str,
        *,
        signals: Sequence[str],
        every: str = "7d",
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        purpose: str = "",
        progress: Callable[[str], None] = lambda _: None,
    ) -> TrainingSet:
        """Observations on a schedule with signals as they could have been known; the same request gives the same rows.

        Args:
            outcome: Name of an outcome.
            signals: Refs or names of signals and scores; each needs an agreement for `purpose`. "feast:name" is a view
                over files that others registered in the workspace's Feast: about these no agreements are kept, so that
                any purpose that exists reads them, and it is recorded.
            every: Time between observations.
            start: First instant; by default a quarter of a year after the data's first day.
            end: Instant after the last; by default the data's end, of which only ripe outcomes are labelled.
        """
        from ethogram.usecases.training_set import make_training_set

        workspace = self.workspace
        target = workspace.outcome(outcome)
        views = {name: self.view(name) for name in signals if not name.startswith(FEAST)}
        purpose = self.grant(list(views.values()), purpose=purpose, how="training set")
        noted = note_open(
            workspace,
            [name for name in signals if name.startswith(FEAST)],
            principal=self.principal,
            purpose=purpose,
            how="training set",
            readings=self.parts.readings,
        )
        plans = [workspace.signal(view.ref) for view in views.values() if view.kind == "signal"]
        joined: list[Joined] = []
        for name in signals:
            if name.startswith(FEAST):
                joined.append(self.parts.feast_view(name.removeprefix(FEAST), entity=target.entity))
            elif views[name].kind == "score":
                joined.append(self._published(views[name]))
        first, last = self.coverage()
        report = make_training_set(
            target,
            plans,
            accesses=[*self.accesses(list(views.values()), purpose=purpose), *noted],
            joined=joined,
            schedule=schedule(every, start or min(first + WARM_UP, last), end or last),
            purpose=workspace.purposes[purpose],
            known_signals={
                name: workspace.signal(name) for name in {plan.name for plan in workspace.signal_plans.values()}
            },
            noun=workspace.taxonomy.entity(target.entity).plural,
            coverage=last,
            consent=self.parts.mask(target.entity, purpose),
            principal=self.principal,
            lake=self.parts.lake,
            engine=self.parts.engine,
            ledger=self.parts.training_sets,
            progress=progress,
        )
        return TrainingSet(report, self)

    def audit(self, version: str, *, progress: Callable[[str], None] = lambda _: None) -> Leakage:
        """Look for the future in a stored training set: recomputed with another future, against what came after, and
        against its outcome.

        Raises:
            UnknownTrainingSet: it was never made here.
        """
        from ethogram.core.training_sets import feature_columns
        from ethogram.usecases.leakage import Audited

        stored = self.read_training_set(version)
        outcome = self.workspace.outcome(version.partition("/")[0])
        plans = [self.workspace.signal(ref) for ref in stored.signals if ref in self.workspace.signal_plans]
        features = {column: (plan, feature) for plan, feature, column in feature_columns(plans, stored.beside)}
        there = {name: pair for name, pair in features.items() if name in stored.table.column_names}
        return self._audited(
            Audited(version, outcome.entity, stored.table, there, {}, outcome.horizon), progress=progress
        )

    def audit_frame(
        self, path: Path, provenance: Path, *, purpose: str = "", progress: Callable[[str], None] = lambda _: None
    ) -> Leakage:
        """Look for the future in any table, with what `provenance` says of its columns.

        Raises:
            BadProvenance: a column or signal that is not there.
            Unreadable: no table.
        """
        from ethogram.adapters.parquet.frame import read_frame, read_provenance
        from ethogram.usecases.leakage import audited_frame

        said = read_provenance(provenance)
        self.workspace.taxonomy.entity(said.entity)
        table = read_frame(path)
        plans = {}
        for ref in dict.fromkeys(origin.signal for origin in said.features.values() if origin.signal):
            view = self.view(ref)
            self.grant([view], purpose=purpose, how="audit")
            plans[ref] = self.workspace.signal(view.ref)
        there = said.key in table.column_names
        keys = [None if key is None else str(key) for key in table[said.key].to_pylist()] if there else []
        return self._audited(
            audited_frame(str(path), table, said, plans=plans, ids=self._find(said.entity, keys)), progress=progress
        )

    def _audited(self, audited: Audited, *, progress: Callable[[str], None]) -> Leakage:
        from ethogram.usecases.leakage import audit_leakage

        return audit_leakage(
            audited,
            behaviors=[each for each in self.workspace.taxonomy if audited.entity in each.entities],
            coverage=self.watermark(),
            engine=self.parts.engine,
            lake=self.parts.lake,
            scratch=self.parts.scratch,
            progress=progress,
        )

    def read_training_set(self, version: str) -> Stored:
        """The stored rows of a version, with what was asked and reported."""
        from ethogram.usecases.training_set import read_training_set

        return read_training_set(version, lake=self.parts.lake, ledger=self.parts.training_sets)

    def profile(
        self, signal: str, *, until: datetime | None = None, progress: Callable[[int], None] = lambda _: None
    ) -> Profiled:
        """Profile a signal's features at twelve weekly instants up to `until`, else the data's end, for its page."""
        from ethogram.usecases.profile import profile_signal

        plan = self.workspace.signal(signal)
        return profile_signal(
            plan,
            until=until or self.watermark(),
            engine=self.parts.engine,
            lake=self.parts.lake,
            profiles=self.parts.profiles,
            progress=progress,
        )

    # Models.

    def train(
        self, name: str, *, training_set: str | None = None, progress: Callable[[str], None] = lambda _: None
    ) -> Training:
        """Fit, calibrate, validate and register a declared model; its training set is made if none is named."""
        from ethogram.usecases.train import train

        declared = self.workspace.model(name)
        if training_set is None:
            made = self.training_set(declared.outcome, signals=declared.signals, purpose=declared.purpose)
            training_set = made.version
        stored = self.read_training_set(training_set)
        outcome = self.workspace.outcome(declared.outcome)
        return train(
            declared,
            stored.table,
            training_set=training_set,
            signals=stored.signals,
            open_for=outcome.horizon + outcome.matures_after,
            audit=stored.report,
            principal=self.principal,
            models=self.parts.models,
            tracking=self.parts.tracking,
            progress=progress,
        )

    def gates(self, model: str, version: int | None = None) -> Sequence[GateResult]:
        """What every gate says of a version, the newest if none is named."""
        if version is None:
            versions = self.parts.models.versions(model)
            version = versions[-1].version if versions else 0
        return gates(model, version, models=self.parts.models)

    def approve(
        self, model: str, version: int, alias: str = "champion", *, note: str = "", reject: bool = False
    ) -> Approval:
        """Decide about exactly this content of a version, as a reviewer other than its author."""
        decide = reject_version if reject else approve
        return decide(model, version, principal=self.principal, models=self.parts.models, alias=alias, note=note)

    def promote(self, model: str, version: int, alias: str = "champion") -> ModelVersion:
        """Point an alias at a version whose gates pass and whose content is approved."""
        return promote(model, version, alias, principal=self.principal, models=self.parts.models)

    def is_champion(self, model: str, version: int, alias: str = "champion") -> bool:
        """Whether the alias points at this version now."""
        moves = [move for move in self.parts.models.moves(model) if move.alias == alias]
        return bool(moves) and moves[-1].version == version

    def score_all(self, name: str, *, as_of: datetime | None = None) -> Scored:
        """Score everyone the model's outcome is about with its champion, publish the scores and bring them online."""
        from ethogram.usecases.members import members
        from ethogram.usecases.score import score_batch

        workspace = self.workspace
        declared = workspace.model(name)
        outcome = workspace.outcome(declared.outcome)
        views = [self.view(signal) for signal in declared.signals]
        purpose = self.grant(views, purpose=declared.purpose, how="score")
        population = members(
            outcome,
            [workspace.signal(view.ref) for view in views],
            known_signals={plan.name: workspace.signal(plan.name) for plan in workspace.signal_plans.values()},
            as_of=as_of or self.watermark(),
            allows=self.parts.mask(outcome.entity, purpose).allows,
            engine=self.parts.engine,
            lake=self.parts.lake,
        )
        if not len(population):
            at = f"{as_of or self.watermark():%Y-%m-%d}"
            raise AskedWrongly(f"nobody is one that {outcome.name} is about as of {at}; score {name} as of another day")
        contract = workspace.scores[name]
        scored = score_batch(
            name,
            population,
            contract=contract,
            principal=self.principal,
            models=self.parts.models,
            lake=self.parts.lake,
        )
        view = self.view(contract.name)
        table = scored.table.append_column("at", scored.table["as_of"])
        materialize(view, table, as_of=as_of or self.watermark(), online=self.parts.online)
        return scored

    # What the Feast plug-ins ask.

    def values_as_of(self, name: str, keys: Sequence[str | None], as_of: pa.Array, features: Sequence[str]) -> pa.Table:
        """`features` of a view for each (key, instant); null where there is no consent.

        Over the nothing that is known of an unknown key counts and sums are 0, as everywhere.
        """
        view = self.view(name).only(features)
        purpose = self.grant([view], purpose="", how="feast")
        ids = self._find(view.entity, keys)
        readable = self.parts.mask(view.entity, purpose).allows(_ints(ids.fill_null(-1)), _ints(as_of.cast(pa.int64())))
        table = self.values(view, pa.table({"entity": ids, "as_of": as_of})).select(list(features))
        if readable.all():
            return table
        keep = pa.array(readable)
        return pa.table({n: pc.if_else(keep, table[n], pa.scalar(None, table[n].type)) for n in table.column_names})

    def everyone_as_of(
        self, name: str, as_of: datetime, features: Sequence[str]
    ) -> tuple[pa.Array, pa.ChunkedArray, pa.Table]:
        """Keys, instants and `features` of every entity seen by `as_of` that allows it: what Feast materializes."""
        view = self.view(name).only(features)
        purpose = self.grant([view], purpose="", how="feast")
        ids = self.everyone(view.entity, as_of)
        asked = np.full(len(ids), time.micros(as_of))
        ids = ids.filter(pa.array(self.parts.mask(view.entity, purpose).allows(_ints(ids), asked)))
        values = self.values(view, pa.table({"entity": ids, "as_of": pa.array([as_of] * len(ids), INSTANT)}))
        keys = pa.array(self.parts.keys.reveal(view.entity, ids.to_pylist()), pa.string())
        return keys, values["at"], values.select(list(features))

    def write_online(self, name: str, rows: Sequence[tuple[str, datetime, list[Any]]]) -> None:
        """Write rows (key, instant, features in order) of one of our own views; unknown keys are refused."""
        view = self.view(name)
        self._require_owner(view, "write rows of it")
        layout = Layout(view.features)
        ids = self.parts.keys.find(view.entity, [key for key, _, _ in rows])
        missing = [key for (key, _, _), number in zip(rows, ids, strict=True) if number is None]
        if missing:
            raise AskedWrongly(f"{view.name}: no {view.entity} {missing[0]!r} was ever seen; ingest its events first")
        packed = [
            OnlineRow(key_of(number), number, at, None, layout.pack(values))
            for number, (_, at, values) in zip(ids, rows, strict=True)
            if number is not None
        ]
        self.parts.online.write(view.name, layout, packed)

    def read_online(
        self, name: str, keys: Sequence[str], features: Sequence[str]
    ) -> list[tuple[datetime, dict[str, Any]] | None]:
        """Instant and `features` of each key's row; None where there is none or no consent."""
        view = self.view(name)
        purpose = self.grant([view.only(features)], purpose="", how="feast")
        ids = self.parts.keys.find(view.entity, list(keys))
        readable = self.allowed(view.entity, purpose, ids)
        rows = self.parts.online.read([view.name], [key_of(number) for number in readable])
        answers: list[tuple[datetime, dict[str, Any]] | None] = []
        for number in ids:
            row = None if number is None else rows.get((view.name, key_of(number)))
            answers.append(None if row is None else (row[0], {name: row[1].get(name) for name in features}))
        return answers

    @property
    def online(self) -> Any:
        """Packed rows, for Feast views that are not ours."""
        return self.parts.online

    def _find(self, entity: str, keys: Sequence[str | None]) -> pa.Array:
        known = [key for key in dict.fromkeys(keys) if key is not None]
        ids = dict(zip(known, self.parts.keys.find(entity, known), strict=True))
        return pa.array([None if key is None else ids[key] for key in keys], pa.int64())


def _ints(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.int64)
