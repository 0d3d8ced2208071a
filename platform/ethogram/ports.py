"""What the core asks of the outside world, as few protocols as possible; adapters keep the promises."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from ethogram.core import catalog
    from ethogram.core.events import Event
    from ethogram.core.expressions import Expression, Type
    from ethogram.core.models.gate import GateResult
    from ethogram.core.models.promotion import AliasMove, Approval, ModelVersion
    from ethogram.core.models.training import TrainedModel, TrainingData
    from ethogram.core.monitoring.channels import ChannelReport
    from ethogram.core.online.packed import Layout
    from ethogram.core.outcomes.plan import OutcomePlan
    from ethogram.core.plan import Declared
    from ethogram.core.signals.identity import Identity
    from ethogram.core.signals.plan import SignalPlan, Stream
    from ethogram.core.signals.reconciled import Reconciliation
    from ethogram.core.signals.sessions import SessionPlan
    from ethogram.core.signals.tiles import Tiling
    from ethogram.core.sources.plan import SourcePlan
    from ethogram.core.sources.report import Account, Coverage
    from ethogram.core.training_sets import Beside


class Clock(Protocol):
    def now(self) -> datetime:
        """This instant, UTC."""


@dataclass(frozen=True, slots=True)
class TableFiles:
    """One version of a lake table as plain Parquet: every engine can read it without knowing Delta.

    Attributes:
        name: e.g. "events/commerce.purchase".
        version: Delta version; -1 while the table does not exist.
        paths: Parquet files of that version; empty while it does not exist.
        schema: Column names and types, None while it does not exist. The partition column is not inside the files.
    """

    name: str
    version: int
    paths: tuple[str, ...]
    schema: pa.Schema | None


class Lake(Protocol):
    """Delta tables below one folder or bucket."""

    def files(self, table: str, *, version: int | None = None) -> TableFiles:
        """The newest or the named version of `table`."""

    def append(
        self, table: str, batches: pa.RecordBatchReader, *, unit: str, partition_by: Sequence[str] = ()
    ) -> TableFiles:
        """Add all of `batches` in one commit; a second append of the same `unit` changes nothing."""

    def replace(self, table: str, batches: pa.RecordBatchReader, *, unit: str) -> TableFiles:
        """Make `batches` the whole content of `table` in one commit."""

    def appended(self, table: str, unit: str) -> int | None:
        """How many rows an append of `unit` brought to `table`; None if there was none."""

    def replace_parts(
        self, table: str, batches: pa.RecordBatchReader, *, unit: str, partition: str, parts: Collection[str]
    ) -> TableFiles:
        """Make `batches` the whole content of some partitions of `table`, in one commit."""

    def remove(self, table: str, column: str, value: str) -> int:
        """Drop the rows whose text `column` is `value`, in one commit; how many they were."""

    def pairs(self, table: str, first: str, second: str, seconds: Sequence[int]) -> pa.Table:
        """Distinct values of two int64 columns of `table`, the second one of `seconds`; none without the table."""

    def tables(self, folder: str) -> list[str]:
        """Names of the tables below `folder`, e.g. "events"."""


class Engine(Protocol):
    """Computes signals and outcomes over events; the plain-Python reference defines what is right."""

    def features(
        self,
        plan: SignalPlan,
        observations: pa.Table,
        events: Mapping[str, TableFiles],
        tiles: Sequence[Tiles] = (),
    ) -> pa.Table:
        """One row per observation, in the same order: `at`, `known_at`, then the plan's features.

        `observations` has `entity` (int64 surrogate, may be null for an unknown one) and `as_of` (timestamp us, UTC).
        What `tiles` can answer is read from them, and is the same.
        """

    def tiles(
        self, tiling: Tiling, events: Mapping[str, TableFiles], days: Sequence[date]
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """The tiles of some days, sorted by `day`, which is the partition, entity and time."""

    def rows(self, tables: Sequence[TableFiles]) -> int:
        """How many rows they have together, from their footers."""

    def days(self, tables: Sequence[TableFiles]) -> set[date]:
        """Days, UTC, on which any event of these tables occurred."""

    def corrected(self, tables: Sequence[TableFiles]) -> bool:
        """Whether any record corrects or retracts another: what it touches has no tiles."""

    def labels(self, plan: OutcomePlan, observations: pa.Table, events: Mapping[str, TableFiles]) -> pa.Table:
        """One row per observation, in the same order: `label` (bool)."""

    def sessions(
        self,
        plan: SessionPlan,
        events: Mapping[str, TableFiles],
        entities: Sequence[int] | None = None,
        *,
        at: datetime | None = None,
    ) -> pa.Table:
        """One row a session, by `entity` and start: `session_id` and `previous_id` (OpenTelemetry's session.id and
        session.previous_id: the same whenever made; null for an entity's first), `started_at`, `ended_at`, `events`,
        `duration_s` (decimal), `entry` and `exit` (behaviors). As known at `at`; of all that is there without it."""

    def seen(self, entity: str, events: Iterable[TableFiles]) -> pa.Table:
        """Who there is: `entity` (int64) and `since`, the first instant at which any of its events had occurred and
        could be known; one row an entity, sorted by `entity`."""

    def holds(self, condition: Expression, types: Mapping[str, Type], rows: pa.Table) -> pa.Array:
        """For each row, in the same order, whether `condition` over its columns is true; null counts as false."""

    def channels(
        self,
        rule: Reconciliation,
        stream: Stream,
        entity: str,
        compare: Mapping[str, tuple[str, int]],
        events: Mapping[str, TableFiles],
    ) -> ChannelReport:
        """How far the channels of `rule.priority` can be relied on, over all events of `stream`; properties in
        `compare`, each with its type and scale, are held against each other."""

    def records(self, files: TableFiles, entity: str, ids: Sequence[int]) -> pa.Table:
        """Every row of an event table about a few entities, as it stands there."""

    def events(
        self, behaviors: Mapping[str, TableFiles], entity: str, ids: Sequence[int], identities: Sequence[Identity] = ()
    ) -> list[Event]:
        """Every record that the values of a few entities can depend on, for those who want to look at each: about
        events that name one of them, and with `identities` about those that may be attributed to them."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tiles as they stand in the lake: every day from `since` up to and without `until` is there."""

    tiling: Tiling
    files: TableFiles
    until: datetime


class TileLedger(Protocol):
    """Which days of a signal have their tiles, and of which versions of the event tables."""

    def locked(self, table: str) -> AbstractContextManager[None]:
        """One backfill of a table at a time; `BackfillBusy` if somebody is at it."""

    def days(self, table: str) -> Mapping[date, tuple[str, Mapping[str, int]]]:
        """By day: the tiling's digest, and the version of each event table that went in."""

    def note(
        self, table: str, digest: str, days: Iterable[date], versions: Mapping[str, int], *, events: int, seconds: float
    ) -> None:
        """Enter days, in one transaction; what was said of them before is replaced."""

    def rate(self) -> float | None:
        """Events a second, as the latest backfills went; None before the first."""


class TrainingSets(Protocol):
    """The ledger of training sets; their rows are in the lake."""

    def find(self, version: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """Request and report of a version; None where there is none."""

    def versions(self) -> list[str]:
        """All versions, newest first."""

    def add(self, version: str, *, request: Mapping[str, Any], report: Mapping[str, Any], by: str) -> None:
        """Remember a version that the lake holds; the second time changes nothing."""


class Joined(Protocol):
    """What a training set takes beside signals, read at one state: a published score, a Feast view of others."""

    @property
    def about(self) -> Beside:
        """What it is called, its columns, and the state they are read at."""

    @property
    def entity(self) -> str:
        """Whose it is."""

    def values(self, observations: pa.Table) -> pa.Table:
        """Its columns, one row an observation (`entity`, `as_of`), in the same order; null where nothing is known."""


class Profiles(Protocol):
    """What pages show of a signal's values."""

    def write(self, signal: str, profiles: Mapping[tuple[str, datetime], Mapping[str, Any]]) -> None:
        """Replace the profiles of `signal`, by feature and instant."""


class Keys(Protocol):
    """Raw keys and their surrogate ids; nothing else knows both."""

    def intern(self, entity: str, keys: pa.Array) -> pa.Array:
        """Surrogates of `keys` (strings, nulls stay null), made where there is none yet."""

    def find(self, entity: str, keys: Sequence[str]) -> list[int | None]:
        """Surrogates of `keys`; None where unknown."""

    def reveal(self, entity: str, ids: Sequence[int]) -> list[str | None]:
        """Raw keys of surrogates; None where forgotten."""


@dataclass(frozen=True, slots=True)
class OnlineRow:
    """One packed row; `entity` is the surrogate of our own views' rows, None for other Feast views."""

    key: bytes
    entity: int | None
    at: datetime
    created_at: datetime | None
    packed: bytes


OnlineAnswers = dict[tuple[str, bytes], tuple[datetime, dict[str, Any]]]


class OnlineStore(Protocol):
    """Packed rows by (view, key), guarded by event time: an older value never overwrites a newer one."""

    def write(self, view: str, layout: Layout, rows: Iterable[OnlineRow]) -> int:
        """Upsert `rows` in one transaction; how many were at least as new as what stood there."""

    def read(self, views: Sequence[str], keys: Sequence[bytes]) -> OnlineAnswers:
        """Time, and values by feature as they were written, by (view, key) for the rows that exist."""

    def drop(self, view: str) -> int:
        """Remove every row of `view`."""

    def note(self, ref: str, *, at: datetime, rows: int) -> None:
        """Remember that the view of `ref` was materialized as of `at`."""


class Consents(Protocol):
    """What entities allow, per purpose, as a mask on reads."""

    def record(self, entity: str, changes: pa.Table, *, by: str) -> int:
        """Add changes (`id` int64, `purpose`, `allowed` bool, `changed_at`); the same change twice counts once."""

    def say(self, entity: str, id: int, *, purpose: str, allowed: bool, at: datetime, by: str) -> bool:
        """Record what one entity says, with its row in the ledger of changes; False if that was its last word."""

    def changes(self, entity: str, purpose: str, *, only: Sequence[int] | None = None) -> pa.Table:
        """`id`, `allowed`, `changed_at`, sorted by id and time: what `core.governance.consent` decides from."""


@dataclass(frozen=True, slots=True)
class RawUnit:
    """One raw file or database table: taken in whole or not at all.

    Attributes:
        id: Digest of path and content.
        path: As messages show it, below the data directory.
        file: Where it can be read.
        made: Whether the file says of itself that its rows are made.
    """

    id: str
    path: str
    file: Path
    made: bool = False


class Staged(Protocol):
    """One unit, read and mapped, with every row accounted for; nothing of it is in the lake yet."""

    @property
    def account(self) -> Account:
        """What became of its rows."""

    def count(self, behavior: str) -> int:
        """Events of `behavior` in it, duplicates included."""

    def coverage(self) -> Mapping[str, Coverage]:
        """Span of time by behavior, for behaviors with events."""

    def keys(self, entity: str) -> Iterator[pa.Array]:
        """Distinct keys of its events, in parts that fit in memory."""

    def number(self, entity: str, keys: pa.Array, ids: pa.Array) -> None:
        """Take `ids` as the surrogates of `keys`; all keys must be numbered before `events` is called."""

    def events(self, behavior: str, existing: TableFiles) -> pa.RecordBatchReader:
        """Rows of the table `events/<behavior>` that `existing` has not, sorted by month, actor, time and event."""

    def consents(self, behavior: str, entity: str) -> pa.Table:
        """What `Consents.record` takes, from the events of a behavior that says `purpose` and `allowed`."""

    def quarantined(self) -> Iterator[tuple[int, str, str]]:
        """Rows kept back: 1-based position, reasons and the raw row, both as JSON."""


class Rows(Protocol):
    """Raw rows, read in bounded memory."""

    def units(self, plan: SourcePlan, data: Path) -> AbstractContextManager[Sequence[RawUnit]]:
        """What there is to take in, in order; refused if there is nothing. Copies made for it go at the end."""

    def stage(
        self, plan: SourcePlan, unit: RawUnit, *, data: Path, run: str, started_at: datetime
    ) -> AbstractContextManager[Staged]:
        """Read and map one unit; what cannot be read is a `RowsUnreadable`."""

    def weeks(self, events: TableFiles) -> Mapping[datetime, int]:
        """Events by the Monday, UTC, of their week."""


class SourceRuns(Protocol):
    """The ledger of what was taken in; a unit is in exactly when it stands here."""

    def locked(self, source: str) -> AbstractContextManager[None]:
        """Nobody else takes the source in meanwhile; `SourceBusy` if somebody does."""

    def generation(self, source: str) -> int:
        """How often everything of the source was dropped to be taken in anew."""

    def start(self, run: str, *, source: str, principal: str, at: datetime) -> None:
        """Open a run; runs of the source that were cut short are closed as failed."""

    def finish(self, run: str, *, state: str, report: Mapping[str, Any], at: datetime) -> None:
        """Close a run as "done" or "failed"."""

    def units(self, source: str) -> Mapping[str, tuple[str, str]]:
        """Path and mapping digest by unit, of what is in."""

    def add_unit(
        self,
        unit: RawUnit,
        *,
        source: str,
        run: str,
        mapping: str,
        report: Mapping[str, Any],
        quarantined: Iterable[tuple[int, str, str]],
    ) -> None:
        """Enter a unit and the rows it kept back, in one transaction."""

    def drop(self, source: str, *, run: str) -> None:
        """Forget every unit of the source, in one transaction that counts as a new generation."""

    def profile(self, behavior: str, weeks: Mapping[datetime, int]) -> None:
        """Replace the behavior's events per week."""


class Declarations(Protocol):
    """What was applied."""

    def locked(self) -> AbstractContextManager[None]:
        """One apply at a time: who comes second waits."""

    def current(self) -> Mapping[tuple[str, str], str]:
        """Digest by (kind, name)."""

    def digest(self) -> str:
        """One digest over all that is applied: what `repo.py` compares the working tree with."""

    def published(self) -> str:
        """The digest of what Feast's registry was last made to hold; empty before the first time."""

    def mark_published(self, digest: str) -> None:
        """Remember that Feast's registry holds what is applied under `digest`."""

    def replace(self, rows: Sequence[Declared], removed: Sequence[tuple[str, str]], *, by: str) -> None:
        """Make `rows` current and drop `removed`, with one change each, in one transaction."""


class Changes(Protocol):
    """The hash-chained ledger of what we altered."""

    def write(self, *, principal: str, action: str, subject: str, body: Mapping[str, Any]) -> int:
        """Add one change; its sequence number."""


class CatalogReader(Protocol):
    """What pages read: the shared state, never the lake; each answer is one query, in a stable order."""

    def declarations(self, kind: str | None = None) -> list[catalog.Declaration]:
        """What is applied, of one kind or all, by kind and name."""

    def changes(self, *, limit: int, before: int | None = None) -> list[catalog.Change]:
        """Newest first; with `before`, those with a smaller sequence number."""

    def entities(self) -> Mapping[str, int]:
        """How many keys are known, by entity."""

    def opted_out(self) -> Mapping[str, int]:
        """How many entities refuse now, by purpose."""

    def weeks(self, behavior: str | None = None) -> list[catalog.Week]:
        """Events per week, by behavior and week."""

    def source_runs(self, source: str | None = None) -> list[catalog.SourceRun]:
        """Newest first."""

    def source_units(self, source: str | None = None) -> list[catalog.SourceUnit]:
        """By source and path."""

    def made(self) -> float:
        """Share of the units taken in whose rows `ethogram sample` made: 0 for none, 1 for all."""

    def quarantine(self, source: str) -> list[catalog.QuarantineReason]:
        """Reasons with most rows first."""

    def profiled(self) -> Mapping[str, datetime]:
        """The instant of the newest profile, by signal."""

    def profiles(self, signal: str) -> list[catalog.FeatureProfile]:
        """By signal, feature and instant, oldest first."""

    def training_sets(self, outcome: str | None = None) -> list[catalog.TrainingSetRow]:
        """Newest first."""

    def model_versions(self, model: str | None = None) -> list[ModelVersion]:
        """By model, newest version first."""

    def gate_results(self, model: str | None = None) -> list[catalog.GateResult]:
        """By model, version and gate."""

    def approvals(self, model: str | None = None) -> list[Approval]:
        """Newest first."""

    def alias_moves(self, model: str | None = None) -> list[AliasMove]:
        """Newest first."""

    def score_runs(self, model: str | None = None) -> list[catalog.ScoreRun]:
        """Newest first."""

    def materializations(self) -> list[catalog.Materialization]:
        """The newest of each view."""

    def reads(self, *, since: datetime) -> list[catalog.Reads]:
        """Reads since an instant, by asset, team, purpose, verdict and way in."""


class Tracking(Protocol):
    """Where runs and versions are logged."""

    def log(self, trained: TrainedModel, data: TrainingData, *, principal: str) -> dict[str, Any]:
        """Log a run for each learner and register the chosen one; the row that `Models.record` takes."""


class Models(Protocol):
    """Model versions, their gates, approvals and aliases, under the rule of `core.models.promotion`."""

    def trained(self, model: str, *, recipe: str) -> ModelVersion | None:
        """The newest version that was trained by exactly this recipe."""

    def record(self, version: Mapping[str, Any]) -> ModelVersion:
        """Remember a version that the registry has just numbered."""

    def version(self, model: str, version: int) -> ModelVersion:
        """A version; refused if there is none of that number."""

    def versions(self, model: str) -> list[ModelVersion]:
        """All versions, oldest first."""

    def at_alias(self, model: str, alias: str = "champion", *, at: datetime | None = None) -> ModelVersion:
        """The version the alias points at, or pointed at `at` an earlier instant."""

    def gates(self, model: str, version: int, *, store: bool = True) -> list[GateResult]:
        """What every gate of the model's tier says of the version now."""

    def decide(
        self, model: str, version: int, alias: str, *, decision: str, principal: str, note: str = ""
    ) -> Approval:
        """Record "approve" or "reject" of exactly this content by a reviewer other than its author."""

    def move(self, model: str, version: int, alias: str, *, principal: str) -> ModelVersion | None:
        """Point the alias at the version, if gates, approval and content allow it."""

    def document(self, version: ModelVersion) -> str:
        """Text of its scorer; refused if any of its files changed."""

    def scored(self, run: Mapping[str, Any]) -> None:
        """Remember a scoring run; the same run twice counts once."""
