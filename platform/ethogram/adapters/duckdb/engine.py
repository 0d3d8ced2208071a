"""Computes signals and outcomes with DuckDB, out of core; `core.signals.reference` says what is right."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ethogram.adapters.arrow.asking import NOBODY, counting, events_of, instants, moments, observed, since_of
from ethogram.adapters.arrow.values import INSTANT, arrow, arrow_type
from ethogram.adapters.duckdb.channels import channel_report
from ethogram.adapters.duckdb.events import Reach, column_type, event_rows
from ethogram.adapters.duckdb.expressions import emit, quoted
from ethogram.adapters.duckdb.session_table import session_table
from ethogram.adapters.duckdb.standing import ABOUT, Standing, corrected
from ethogram.adapters.duckdb.tables import holds, scan
from ethogram.adapters.duckdb.tiles import stored, stretches, tile_rows
from ethogram.core.events import HEAD, Event
from ethogram.core.expressions import Expression, Type
from ethogram.core.monitoring.channels import ChannelReport
from ethogram.core.outcomes.plan import OutcomePlan
from ethogram.core.signals.aggregates import AGGREGATES
from ethogram.core.signals.declaration import EVERYONE
from ethogram.core.signals.identity import Identity
from ethogram.core.signals.kernel import Events, Values, concat, evaluate
from ethogram.core.signals.kernel.columns import by_entity_and_time, put_back
from ethogram.core.signals.kernel.reconciled import reconcile
from ethogram.core.signals.numbers import Overflow
from ethogram.core.signals.plan import FeaturePlan, SignalPlan, Stream
from ethogram.core.signals.reconciled import Reconciliation
from ethogram.core.signals.sessions import SessionPlan
from ethogram.core.signals.tiles import Tiling
from ethogram.core.time import MICROSECOND, micros, utc
from ethogram.errors import EthogramError
from ethogram.ports import TableFiles, Tiles

# At most so many events and observations in one query, or one entity's if it has more.
EVENTS_AT_ONCE = 2_000_000
OBSERVATIONS_AT_ONCE = 500_000
UNSORTED_AT_ONCE = 6  # times as many, one query at a time, where each has to look at every row
PARTS = 16  # of what is read at once: so many events fit a cache
TILES_AT_ONCE = 131_072  # of one batch
SESSION_EVENTS_AT_ONCE = 2  # times the events at once: there are few columns, and no observations beside them
WORKERS = 2  # ranges of entities at a time: one is read while another is computed

_Ints = npt.NDArray[np.int64]


class EngineFailed(EthogramError):
    """DuckDB could not finish: no memory, no disk, an unreadable file."""

    code = "engine-failed"


class DuckdbEngine:
    """The embedded engine. `connect` gives a connection of its own for every call."""

    def __init__(
        self,
        connect: Callable[[], duckdb.DuckDBPyConnection],
        *,
        events_at_once: int = EVENTS_AT_ONCE,
        observations_at_once: int = OBSERVATIONS_AT_ONCE,
    ) -> None:
        self._connect = connect
        self._events_at_once = events_at_once
        self._observations_at_once = observations_at_once

    def features(
        self,
        plan: SignalPlan,
        observations: pa.Table,
        events: Mapping[str, TableFiles],
        tiles: Sequence[Tiles] = (),
    ) -> pa.Table:
        """One row per observation, in the same order: `at`, `known_at`, then the plan's features."""
        held = {each.tiling.stream: each for each in tiles}
        entities, as_of = observed(observations)
        at, known = moments(plan, as_of)
        columns: dict[str, pa.Array] = {"at": instants(at), "known_at": instants(known)}
        if len(at):
            delay = plan.delay // MICROSECOND
            with self._session(f"signal {plan.ref}") as connection:
                standing = Standing(connection, events, delay, int(at.max()) + delay)
                computed = [feature for feature in plan.computed if not feature.derivation]
                for stream, via in dict.fromkeys((feature.stream, feature.via) for feature in computed):
                    features = [each for each in computed if (each.stream, each.via) == (stream, via)]
                    if via is None and stream in held:
                        columns.update(self._tiled(standing, held[stream], features, entities, at))
                        continue
                    whose = self._whose(standing, plan.entity, features[0], entities, at)
                    columns.update(self._stream(standing, _named(plan, via), features, whose, at))
                _derive(connection, plan, columns)
        fields = [pa.field("at", INSTANT), pa.field("known_at", INSTANT)]
        fields += [pa.field(f.name, arrow_type(f.type)) for f in plan.features]
        schema = pa.schema(fields)
        if not len(at):
            return schema.empty_table()
        return pa.table([columns[field.name] for field in schema], schema=schema)

    def labels(self, plan: OutcomePlan, observations: pa.Table, events: Mapping[str, TableFiles]) -> pa.Table:
        """One row per observation, in the same order: `label` (bool)."""
        schema = pa.schema([pa.field("label", pa.bool_())])
        entities, as_of = observed(observations)
        if not len(as_of):
            return schema.empty_table()
        until, delay = as_of + plan.horizon // MICROSECOND, plan.matures_after // MICROSECOND
        with self._session(f"outcome {plan.name}") as connection:
            standing = Standing(connection, events, delay, int(until.max()) + delay)
            found = self._stream(standing, plan.entity, [plan.happens], entities, until)
        some = pc.greater(found[plan.happens.name], 0)
        return pa.table([pc.invert(some) if plan.negate else some], schema=schema)

    @contextmanager
    def tiles(
        self, tiling: Tiling, events: Mapping[str, TableFiles], days: Sequence[date]
    ) -> Iterator[pa.RecordBatchReader]:
        """The tiles of some days, sorted by `day`, which is the partition, entity and time."""
        with self._session(f"tiles of {tiling.view}", alone=False) as connection:
            sql = tile_rows(tiling, events, stretches(days))
            yield connection.sql(sql).to_arrow_reader(TILES_AT_ONCE)

    def days(self, tables: Sequence[TableFiles]) -> set[date]:
        """Days, UTC, on which any event of these tables occurred."""
        selects = [f"SELECT CAST(occurred_at AS DATE) AS day FROM {scan(files)}" for files in tables if files.paths]
        if not selects:
            return set()
        with self._session("days of events", alone=False) as connection:
            found = connection.sql(f"SELECT DISTINCT day FROM ({' UNION ALL '.join(selects)})").fetchall()
        return {day for (day,) in found}

    def rows(self, tables: Sequence[TableFiles]) -> int:
        """How many rows they have together, from their footers."""
        try:
            return sum(pq.read_metadata(path).num_rows for files in tables for path in files.paths)
        except (OSError, pa.ArrowException) as error:
            raise EngineFailed(f"rows of tables: {_first_line(error)}; `ethogram doctor` checks files") from error

    def corrected(self, tables: Sequence[TableFiles]) -> bool:
        """Whether any record corrects or retracts another: what it touches has no tiles."""
        with self._session("corrections", alone=False) as connection:
            return any(corrected(connection, files) for files in tables if files.paths)

    def seen(self, entity: str, events: Iterable[TableFiles]) -> pa.Table:
        """`entity` and `since`, the first instant at which an event of it had occurred and could be known."""
        schema = pa.schema([pa.field("entity", pa.int64()), pa.field("since", INSTANT)])
        selects = [
            f"SELECT {quoted(entity)} AS entity, "
            "min(greatest(epoch_us(occurred_at) + 1, epoch_us(available_at))) AS since "
            f"FROM {scan(files)} WHERE {quoted(entity)} IS NOT NULL GROUP BY ALL"
            for files in events
            if files.schema is not None and files.paths and entity in files.schema.names
        ]
        if not selects:
            return schema.empty_table()
        union = " UNION ALL ".join(selects)
        with self._session(f"entity {entity}") as connection:
            found = connection.sql(
                f"SELECT entity, min(since) AS since FROM ({union}) GROUP BY entity ORDER BY entity"
            ).to_arrow_table()
        since = found["since"].combine_chunks().cast(pa.int64()).cast(INSTANT)
        return pa.table([found["entity"], since], schema=schema)

    def holds(self, condition: Expression, types: Mapping[str, Type], rows: pa.Table) -> pa.Array:
        """For each row, in the same order, whether `condition` over its columns is true; null counts as false."""
        with self._session(f"condition {condition.text!r}") as connection:
            connection.register("given", rows)
            sql = f"SELECT coalesce({emit(condition, types)}, false) AS holds FROM given"
            return connection.sql(sql).to_arrow_table()["holds"].combine_chunks()

    def channels(
        self,
        rule: Reconciliation,
        stream: Stream,
        entity: str,
        compare: Mapping[str, tuple[str, int]],
        events: Mapping[str, TableFiles],
    ) -> ChannelReport:
        """How far the channels of `rule.priority` can be relied on, over all events of `stream`."""
        with self._session(f"channels of {', '.join(stream.behaviors)}") as connection:
            return channel_report(connection, rule, stream, entity, compare, events)

    def records(self, files: TableFiles, entity: str, ids: Sequence[int]) -> pa.Table:
        """Every row of an event table about a few entities, as it stands there."""
        chosen = f"{quoted(entity)} IN ({', '.join(str(int(id)) for id in set(ids)) or 'NULL'})"
        with self._session(f"records of {entity}") as connection:
            return connection.sql(f"SELECT * FROM {scan(files)} WHERE {chosen}").to_arrow_table()

    def events(
        self, behaviors: Mapping[str, TableFiles], entity: str, ids: Sequence[int], identities: Sequence[Identity] = ()
    ) -> list[Event]:
        """Every record that the values of a few entities can depend on, for those who want to look at each."""
        found = []
        listed = ", ".join(str(int(id)) for id in ids)
        with self._session(f"events of {entity}") as connection:
            for behavior, files in behaviors.items():
                if not holds(files, entity) or not ids:
                    continue
                chosen = f"{quoted(entity)} IN ({listed})"
                for identity in identities:
                    if not holds(files, identity.entity):
                        continue
                    who = quoted(identity.entity)
                    told = [
                        f for b, f in behaviors.items() if b in identity.told_by and holds(f, entity, identity.entity)
                    ]
                    theirs = [f"SELECT {who} FROM {scan(f)} WHERE {quoted(entity)} IN ({listed})" for f in told]
                    if theirs:
                        chosen += f" OR {who} IN ({' UNION '.join(theirs)})"
                if corrected(connection, files):
                    # What is said of one's event may name another by now; it is one's to look at all the same.
                    chosen = f"{ABOUT} IN (SELECT {ABOUT} FROM {scan(files)} WHERE {chosen})"
                rows = connection.sql(f"SELECT * FROM {scan(files)} WHERE {chosen}").to_arrow_table()
                named = [entity, *(each.entity for each in identities)]
                found += [_event(behavior, named, row) for row in rows.to_pylist()]
        return found

    def sessions(
        self,
        plan: SessionPlan,
        events: Mapping[str, TableFiles],
        entities: Sequence[int] | None = None,
        *,
        at: datetime | None = None,
    ) -> pa.Table:
        """One row a session, by entity and start."""
        with self._session(f"sessions {plan.name}") as connection:
            return session_table(
                connection,
                plan,
                events,
                entities=entities,
                at=None if at is None else micros(utc(at, what="at")),
                events_at_once=SESSION_EVENTS_AT_ONCE * self._events_at_once,
                workers=WORKERS,
            )

    @cached_property
    def _lasting(self) -> duckdb.DuckDBPyConnection:
        """Opening a database takes longer than many a question."""
        return self._connect()

    @contextmanager
    def _session(self, what: str, *, alone: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own; not `alone`, one of a database that stays, for those who make no tables."""
        try:
            connection = self._connect() if alone else self._lasting.cursor()
        except duckdb.Error as error:
            raise EngineFailed(f"DuckDB did not start: {_first_line(error)}; see `ethogram doctor`") from error
        try:
            yield connection
        except (duckdb.OutOfRangeException, duckdb.ConversionException) as error:
            raise Overflow(what) from error
        except duckdb.OutOfMemoryException as error:
            hint = "free some, or ask for fewer rows"
            raise EngineFailed(f"{what}: no memory left ({_first_line(error)}); {hint}") from error
        except duckdb.Error as error:
            raise EngineFailed(f"{what}: {_first_line(error)}; `ethogram doctor` checks files and disk") from error
        finally:
            connection.close()

    def _tiled(
        self, standing: Standing, tiles: Tiles, features: Sequence[FeaturePlan], entities: pa.Array, at: _Ints
    ) -> dict[str, pa.Array]:
        """Values from tiles, and from events what tiles cannot say: other aggregates, later days, earlier knowledge."""
        entity = tiles.tiling.entity
        some = [feature for feature in features if feature in tiles.tiling.features]
        others = [feature for feature in features if feature not in some]
        found = self._stream(standing, entity, others, entities, at) if others else {}
        if not some:
            return found
        ids = entities.fill_null(NOBODY).to_numpy(zero_copy_only=False)
        order = np.argsort(ids, kind="stable")
        since, size = since_of(some, int(at.min())), _rows(standing.connection, [tiles.files])
        parts = []
        right = at <= micros(tiles.until)
        for rows in _chunks(ids[order], size / self._events_at_once, self._observations_at_once):
            chosen = order[rows]
            values, known = stored(standing.connection, tiles, ids[chosen], at[chosen], standing.delay, since)
            right[chosen] &= known
            parts.append(values)
        found |= {f.name: arrow(put_back(concat([part[f.name] for part in parts]), order), f.type) for f in some}
        if not right.all():
            wrong = np.flatnonzero(~right)
            place = np.where(right, np.arange(len(at)), len(at) + np.cumsum(~right) - 1)
            again = self._stream(standing, entity, some, entities.take(pa.array(wrong)), at[wrong])
            for f in some:
                found[f.name] = pa.concat_arrays([found[f.name], again[f.name]]).take(pa.array(place))
        return found

    def _whose(self, standing: Standing, entity: str, feature: FeaturePlan, entities: pa.Array, at: _Ints) -> pa.Array:
        """Whose events each observation looks at: its entity's, its larger unit's as far as known, or everyone's."""
        if feature.via is None:
            return entities
        if feature.via == EVERYONE:
            return pa.array(np.zeros(len(at), np.int64))
        unit = replace(feature, name="unit", aggregate="last", stream=Stream(feature.stream.behaviors), window=None)
        unit = replace(unit, property=feature.via, property_type="integer", scale=0, type="integer")
        found = self._stream(standing, entity, [unit], entities, at, naming=feature.via)
        return found["unit"]

    def _stream(
        self,
        standing: Standing,
        entity: str | None,
        features: Sequence[FeaturePlan],
        entities: pa.Array,
        at: _Ints,
        *,
        naming: str | None = None,
    ) -> dict[str, pa.Array]:
        """Values of features that share a stream, in the order of the observations; a range of entities at a time."""
        stream = features[0].stream
        connection, delay = standing.connection, standing.delay
        standing.prepare(stream, entity)
        tables = [standing.tables[behavior] for behavior in stream.behaviors if behavior in standing.tables]
        read_by_any = {name: kind for feature in features for name, kind in feature.reads.items()}
        read_by_any |= stream.reconciled.reads if stream.reconciled else {}
        columns = {name: column_type(kind, scale) for name, (kind, scale) in read_by_any.items()}
        ids = entities.fill_null(NOBODY).to_numpy(zero_copy_only=False)
        order = by_entity_and_time(ids, at)
        ids, at = ids[order], at[order]
        before, since = int(at.max()), since_of(features, int(at.min()))
        # Where several events are of one instant, their ids may decide: then DuckDB sorts, as it alone reads them.
        decisive = stream.sessions is not None or any(AGGREGATES[feature.aggregate].ordered for feature in features)
        sorting = False

        def read(rows: slice, sort: bool) -> Events:
            low, high = max(int(ids[rows][0]), NOBODY + 1), int(ids[rows][-1])
            reach = Reach(low, high, since, before, int(at.min()) + delay, before + delay)
            sql = event_rows(standing, stream, entity, columns=columns, reach=reach, naming=naming, sort=sort)
            with connection.cursor() as cursor:
                return events_of(cursor.sql(sql).to_arrow_table(), columns)

        def compute(events: Events, rows: slice, sort: bool) -> dict[str, Values] | None:
            """Values of a range of entities; None if ids have to decide and did not."""
            found = events if sort else events.in_order()
            if decisive and not sort and found.tied():
                return None
            if stream.reconciled:
                found = counting(reconcile(found, stream.reconciled, delay))
            return evaluate(features, found, ids[rows], at[rows], delay)

        def values(rows: slice) -> list[dict[str, Values]]:
            nonlocal sorting
            sort = sorting
            events = read(rows, sort)
            parts = events.parted(max(1, self._events_at_once // PARTS))
            cuts = [rows.start + int(np.searchsorted(ids[rows], least)) for least, _ in parts[1:]]
            pieces = [slice(*each) for each in itertools.pairwise([rows.start, *cuts, rows.stop])]

            def one(mine: _Ints, piece: slice) -> dict[str, Values] | None:
                return compute(events.take(mine), piece, sort)

            found = list(computers.map(one, (mine for _, mine in parts), pieces))
            if any(each is None for each in found):
                sorting = True
                return values(rows)
            return [each for each in found if each is not None]

        rows, scattered = _laid_out(connection, tables, entity)
        more = UNSORTED_AT_ONCE if scattered else 1
        chunks = list(_chunks(ids, rows / (more * self._events_at_once), more * self._observations_at_once))
        with ThreadPoolExecutor(WORKERS) as computers, ThreadPoolExecutor(1 if scattered else WORKERS) as readers:
            parts = [part for found in readers.map(values, chunks) for part in found]
        return {f.name: arrow(put_back(concat([part[f.name] for part in parts]), order), f.type) for f in features}


def _named(plan: SignalPlan, via: str | None) -> str | None:
    """The entity whose column of the events counts; None for everyone's."""
    return None if via == EVERYONE else via or plan.entity


def _derive(connection: duckdb.DuckDBPyConnection, plan: SignalPlan, columns: dict[str, pa.Array]) -> None:
    """Add the derived features to `columns`, each after what it is made of."""
    for feature in plan.computed:
        if feature.derivation:
            names = [each.name for each in feature.derivation.inputs] or ["at"]
            connection.register("given", pa.table({name: columns[name] for name in names}))
            sql = emit(feature.derivation.expression, feature.derivation.types, to=feature.derivation.to)
            found = connection.sql(f"SELECT {sql} AS value FROM given").to_arrow_table()["value"]
            columns[feature.name] = found.combine_chunks().cast(arrow_type(feature.type))
            connection.unregister("given")


def _chunks(sorted_ids: _Ints, event_parts: float, observations_at_once: int) -> Iterator[slice]:
    """Slices that never divide an entity."""
    total = len(sorted_ids)
    wanted = max(1, int(np.ceil(max(event_parts, total / observations_at_once))))
    cuts = sorted_ids[np.linspace(0, total, wanted, endpoint=False).astype(np.int64)]
    starts = np.unique(np.concatenate([[0], np.searchsorted(sorted_ids, cuts, side="left")]))
    for start, end in zip(starts, [*starts[1:], total], strict=True):
        yield slice(int(start), int(end))


def _rows(connection: duckdb.DuckDBPyConnection, tables: list[TableFiles]) -> int:
    paths = [path for files in tables for path in files.paths]
    if not paths:
        return 0
    found = connection.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [paths]).fetchall()
    return int(found[0][0] or 0)


def _laid_out(connection: duckdb.DuckDBPyConnection, tables: list[TableFiles], entity: str | None) -> tuple[int, bool]:
    """How many rows there are, and whether a range of entities is scattered all over them."""
    paths = [path for files in tables for path in files.paths]
    if not paths or entity is None:
        return _rows(connection, tables), False
    many, reached, least, most = connection.execute(
        "SELECT sum(many), sum(many * (high - low)), min(low), max(high) FROM (SELECT row_group_num_rows AS many, "
        "CAST(stats_min_value AS DOUBLE) AS low, CAST(stats_max_value AS DOUBLE) AS high FROM parquet_metadata(?) "
        "WHERE path_in_schema = ?)",
        [paths, entity],
    ).fetchall()[0]
    return int(many or 0), bool(reached) and reached > many * (most - least) / 2


def _event(behavior: str, entities: Sequence[str], row: Mapping[str, Any]) -> Event:
    return Event(
        event_id=row["event_id"],
        behavior=behavior,
        entities={name: row[name] for name in entities if row.get(name) is not None},
        occurred_at=row["occurred_at"],
        available_at=row["available_at"],
        properties={name: value for name, value in row.items() if name not in HEAD and name not in entities},
        channel=row["channel"],
        op=row["op"],
        target_id=row["target_id"],
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
