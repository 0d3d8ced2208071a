"""Make a training set: observations on a schedule, signals as they could have been known, ripe outcomes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ethogram.core import time
from ethogram.core.governance.agreement import Access, NotAgreed
from ethogram.core.governance.consent import Mask
from ethogram.core.governance.purpose import Purpose
from ethogram.core.observations import Schedule, population, ripe
from ethogram.core.outcomes.plan import OutcomePlan
from ethogram.core.signals.numbers import agree
from ethogram.core.signals.plan import SignalPlan
from ethogram.core.signals.profile import profile
from ethogram.core.signals.reference import evaluate
from ethogram.core.signals.reference.concerning import concerning
from ethogram.core.training_sets import Beside, Report, Request, beside_columns
from ethogram.errors import AskedWrongly, did_you_mean
from ethogram.ports import Engine, Joined, Keys, Lake, TableFiles, TrainingSets
from ethogram.usecases.members import among

INSTANT = pa.timestamp("us", tz="UTC")
# Candidates looked at in one go, and observations audited.
ROWS_AT_ONCE = 1_000_000
AUDITED = 40

_Ints = npt.NDArray[np.int64]


class EmptyTrainingSet(AskedWrongly):
    """A request that no observation answers."""

    code = "empty-training-set"


class UnknownTrainingSet(AskedWrongly):
    """A version that was never made here."""

    code = "unknown-training-set"

    def __init__(self, version: str, *, known: Collection[str]) -> None:
        self.version = version
        hint = did_you_mean(version, known, otherwise="make it with `ethogram training-set`")
        super().__init__(f"no training set {version!r}; {hint}")


@dataclass(frozen=True)
class Stored:
    """A training set read back.

    Attributes:
        table: One row an observation, by `as_of` and `entity`: `entity`, `as_of`, `label`, then the features.
    """

    version: str
    request: Mapping[str, Any]
    report: Mapping[str, Any]
    table: pa.Table

    @property
    def signals(self) -> tuple[str, ...]:
        """References of what its columns come from: signals, then scores and Feast views of others."""
        return (*self.request["signals"], *(each.ref for each in self.beside))

    @property
    def beside(self) -> tuple[Beside, ...]:
        """The scores and Feast views of others."""
        return tuple(Beside(**{**each, "features": tuple(each["features"])}) for each in self.request.get("beside", ()))


def make_training_set(
    outcome: OutcomePlan,
    signals: Sequence[SignalPlan],
    *,
    accesses: Sequence[Access],
    schedule: Schedule,
    purpose: Purpose,
    known_signals: Mapping[str, SignalPlan],
    noun: str,
    coverage: datetime,
    consent: Mask,
    principal: str,
    lake: Lake,
    engine: Engine,
    ledger: TrainingSets,
    joined: Sequence[Joined] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Make the training set, or find the one that the same request gave before.

    Every entity that was there at an instant is a candidate; who may not be used for the purpose is left out before
    anything about them is computed; `among` keeps those the outcome is about.

    Args:
        accesses: The answers that `usecases.access` gave for `signals` and `joined`, by their names.
        known_signals: Every signal by name, newest version: what `among` may name.
        noun: What the entities are called: "customers".
        coverage: How far the data reaches; outcomes ripe after it are not labelled.
        consent: What entities allow for `purpose` when the read runs.

    Raises:
        NotAgreed: a signal without a compliant answer.
        EmptyTrainingSet: no observation is left, and why.
    """
    granted = {access.asset for access in accesses if access.allowed and access.purpose == purpose.name}
    asked = [({plan.name}, plan.ref, plan.entity) for plan in signals]
    asked += [({each.about.name, each.about.ref}, each.about.ref, each.entity) for each in joined]
    for names, ref, entity in asked:
        if not names & granted:
            raise NotAgreed(Access("gap", min(names), "its owner", principal, purpose.name, "access was not asked for"))
        if entity != outcome.entity:
            raise AskedWrongly(f"{ref} is about {entity}, and {outcome.name} about {outcome.entity}")
    members = population(outcome, known_signals)
    plans = [*signals, *(plan for plan, _ in members)]
    behaviors = sorted({*outcome.behaviors, *(behavior for plan in plans for behavior in plan.behaviors)})
    events = {behavior: lake.files(f"events/{behavior}") for behavior in behaviors}
    request = Request(
        outcome=outcome,
        signals=tuple(signals),
        population=tuple(plan for plan, _ in members),
        schedule=schedule,
        purpose=purpose,
        coverage=coverage,
        tables={files.name: files.version for files in events.values()},
        consent=consent,
        beside=tuple(each.about for each in joined),
    )
    _require_distinct(request)
    known = ledger.find(request.version)
    if known is not None:
        return Report.of(known[1])
    making = _Making(request, members, events, engine, noun, joined)
    table = f"training_sets/{request.version}"
    progress("observations")
    candidates = making.candidates()
    if not lake.files(table).paths:
        making.require_rows(candidates)
        progress("signals and outcomes")
        batches = making.batches(candidates)
        first = next(batches, None)
        if first is None:
            raise EmptyTrainingSet(making.nobody())
        reader = pa.RecordBatchReader.from_batches(making.schema, _chained(first, batches))
        stored = lake.append(table, reader, unit=request.version)
    else:  # A run that ended before it was written into the ledger.
        stored = lake.files(table)
    progress("report")
    report = making.report(stored)
    ledger.add(
        request.version, request=request.facts() | {"digest": request.digest}, report=report.facts(), by=principal
    )
    return report


def read_training_set(version: str, *, lake: Lake, ledger: TrainingSets) -> Stored:
    """The stored rows of a version, with what was asked and reported; the same bytes every time."""
    found = ledger.find(version)
    if found is None:
        raise UnknownTrainingSet(version, known=ledger.versions())
    request, report = found
    return Stored(
        version, request, report, _rows(lake.files(f"training_sets/{version}", version=report["table_version"]))
    )


def with_keys(table: pa.Table, entity: str, keys: Keys, *, column: str) -> pa.Table:
    """`table` with raw keys in `column`, before the rest; null where a key was forgotten.

    Only for those who have to act on single entities: models need no keys.
    """
    ids = pc.unique(table["entity"])
    raw = pa.array(keys.reveal(entity, ids.to_pylist()), pa.string())
    return table.add_column(0, column, raw.take(pc.index_in(table["entity"], value_set=ids)))


class _Making:
    def __init__(
        self,
        request: Request,
        members: Sequence[tuple[SignalPlan, Mapping[str, Any]]],
        events: Mapping[str, TableFiles],
        engine: Engine,
        noun: str,
        joined: Sequence[Joined],
    ) -> None:
        self.request, self.members, self.events = request, members, events
        self.engine, self.noun, self.joined = engine, noun, joined
        self.columns = request.columns()
        self.beside = beside_columns(request.signals, request.beside)
        instants = request.schedule.instants()
        self.instants, self.unripe = ripe(instants, request.outcome, request.coverage)
        self.left_out = 0
        nobody = pa.table({"entity": pa.array([], pa.int64()), "as_of": pa.array([], INSTANT)})
        self.schema = self.observed(nobody).schema

    def candidates(self) -> list[tuple[datetime, _Ints]]:
        """Per instant, the entities that were there and may be used, sorted; who may not be is counted."""
        seen = self.engine.seen(self.request.outcome.entity, self.events.values())
        entities = seen["entity"].to_numpy()
        since = seen["since"].cast(pa.int64()).to_numpy()
        without = np.zeros(len(entities), np.bool_)
        found = []
        for instant in self.instants:
            at = time.micros(instant)
            there = since <= at
            allowed = self.request.consent.allows(entities, np.full(len(entities), at))
            without |= there & ~allowed
            found.append((instant, entities[there & allowed]))
        self.left_out = int(without.sum())
        return found

    def require_rows(self, candidates: Sequence[tuple[datetime, _Ints]]) -> None:
        outcome = self.request.outcome
        if not self.instants:
            needs = time.spell(outcome.horizon + outcome.matures_after)
            raise EmptyTrainingSet(
                f"no outcome is ripe: {outcome.name} needs {needs} of data after each instant, and the data reaches "
                f"{self.request.coverage:%Y-%m-%d}; start earlier"
            )
        if not any(len(entities) for _, entities in candidates):
            out = f"; {self.left_out:,} left out (no consent)" if self.left_out else ""
            raise EmptyTrainingSet(
                f"no {self.noun} were seen by {self.instants[-1]:%Y-%m-%d}{out}; ingest their events, or start later"
            )

    def nobody(self) -> str:
        kept = self.request.outcome.among
        said = f" (among {kept.text})" if kept else ""
        name = self.request.outcome.name
        return f"none of the {self.noun} is one that {name} is about{said}; start later, or look at the signal"

    def batches(self, candidates: Sequence[tuple[datetime, _Ints]]) -> Iterator[pa.RecordBatch]:
        """Rows in the order of `as_of` and `entity`, in bounded memory."""
        for block in _blocks(candidates):
            rows = among(self.request.outcome, self.members, block, engine=self.engine, events=self.events)
            if len(rows):
                yield from self.observed(rows).combine_chunks().to_batches()

    def observed(self, rows: pa.Table) -> pa.Table:
        """Labels and features of observations."""
        table = rows.append_column("label", self.engine.labels(self.request.outcome, rows, self.events)["label"])
        for plan in self.request.signals:
            values = self.engine.features(plan, rows, self.events)
            for owner, feature, column in self.columns:
                if owner is plan:
                    table = table.append_column(column, values[feature.name])
        for each in self.joined:
            values = each.values(rows)
            for about, name, column in self.beside:
                if about == each.about:
                    table = table.append_column(column, values[name])
        return table

    def report(self, stored: TableFiles) -> Report:
        table = _rows(stored)
        ahead = self.audit(table)
        return Report(
            version=self.request.version,
            outcome=self.request.outcome.name,
            signals=(*(plan.ref for plan in self.request.signals), *(each.ref for each in self.request.beside)),
            rows=len(table),
            entities=pc.count_distinct(table["entity"]).as_py(),
            noun=self.noun,
            label_rate=pc.mean(table["label"].cast(pa.float64())).as_py(),
            left_out=self.left_out,
            unripe=self.unripe,
            sha256=_sha256(stored),
            table_version=stored.version,
            features={column: profile_of(table[column]) for *_, column in [*self.columns, *self.beside]},
            audited=len(_audited(table)),
            future_features=tuple(ahead),
        )

    def audit(self, table: pa.Table) -> list[str]:
        """Features of signals that come out otherwise when computed from the events known at the time alone."""
        chosen = _audited(table).to_pylist(maps_as_pydicts="strict")
        ids = sorted({row["entity"] for row in chosen})
        entity = self.request.outcome.entity
        identities = list(dict.fromkeys(each for plan in self.request.signals for each in plan.identities))
        events = concerning(self.engine.events(self.events, entity, ids, identities), entity, identities)
        ahead = []
        for plan in self.request.signals:
            # What others do cannot be told from an entity's own events.
            own = plan.only(
                [f.name for f in plan.features if all(each.via is None for each in plan.only([f.name]).computed)]
            )
            mine = [(column, f) for owner, f, column in self.columns if owner is plan and f in own.features]
            for row in chosen:
                right = evaluate(own, events.get(row["entity"], []), row["entity"], row["as_of"]).values
                ahead += [column for column, f in mine if not agree(row[column], right[f.name], exact=f.exact)]
        return sorted(set(ahead))


def _require_distinct(request: Request) -> None:
    pairs = [(column, plan.ref) for plan, _, column in request.columns()]
    pairs += [(column, each.ref) for each, _, column in beside_columns(request.signals, request.beside)]
    by_column: dict[str, str] = {}
    for column, ref in pairs:
        if column in by_column:
            raise AskedWrongly(f"{by_column[column]} and {ref} both give a column {column!r}; take one of them")
        by_column[column] = ref


def profile_of(column: pa.ChunkedArray) -> dict[str, Any]:
    """`core.signals.profile.profile` of an Arrow column; of lists, maps and texts only how many there are."""
    kind = column.type
    present = column.drop_null()
    values = None
    if (
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    ):
        number = present.cast(pa.int8()) if pa.types.is_boolean(kind) else present
        values = number.cast(pa.float64(), safe=False).to_numpy()
    return profile(values, count=len(column), nulls=column.null_count)


def _blocks(candidates: Sequence[tuple[datetime, _Ints]]) -> Iterator[pa.Table]:
    waiting: list[tuple[datetime, _Ints]] = []
    for each in candidates:
        if waiting and sum(len(ids) for _, ids in waiting) + len(each[1]) > ROWS_AT_ONCE:
            yield _block(waiting)
            waiting = []
        waiting.append(each)
    if waiting:
        yield _block(waiting)


def _block(candidates: Sequence[tuple[datetime, _Ints]]) -> pa.Table:
    as_of = np.concatenate([np.full(len(ids), time.micros(instant)) for instant, ids in candidates])
    entities = np.concatenate([ids for _, ids in candidates])
    return pa.table({"entity": pa.array(entities, pa.int64()), "as_of": pa.array(as_of, pa.int64()).cast(INSTANT)})


def _audited(table: pa.Table) -> pa.Table:
    """Observations spread evenly over the whole."""
    return table.take(pa.array(np.unique(np.linspace(0, len(table) - 1, AUDITED).astype(np.int64))))


def _rows(files: TableFiles) -> pa.Table:
    table = pa.concat_tables([pq.read_table(path, partitioning=None) for path in files.paths])
    return table.set_column(1, "as_of", table["as_of"].cast(INSTANT))


def _sha256(files: TableFiles) -> str:
    found = hashlib.sha256()
    for path in files.paths:
        with open(path, "rb") as file:
            while piece := file.read(1 << 20):
                found.update(piece)
    return found.hexdigest()


def _chained(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest
