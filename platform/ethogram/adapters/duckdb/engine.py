"""Computes signals and outcomes with DuckDB, out of core; `core.signals.reference` says what is right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.adapters.duckdb.expressions import emit, quoted
from ethogram.adapters.duckdb.outcomes import emit_labels
from ethogram.adapters.duckdb.signals import COUNT_OF, emit_stream, streams
from ethogram.adapters.duckdb.spans import Grid, Reach, instant, scan
from ethogram.core.events import HEAD, Event
from ethogram.core.expressions import Expression, Type
from ethogram.core.outcomes.plan import OutcomePlan
from ethogram.core.signals.numbers import DIGITS, SCALE, Overflow, means
from ethogram.core.signals.plan import FeaturePlan, SignalPlan
from ethogram.core.signals.reference import NotAsserted
from ethogram.core.time import MICROSECOND
from ethogram.errors import AskedWrongly, EthogramError
from ethogram.ports import TableFiles

INSTANT = pa.timestamp("us", tz="UTC")
VALUE_TYPES = {
    "integer": pa.int64(),
    "decimal": pa.decimal128(DIGITS, SCALE),
    "double": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": INSTANT,
    "date": pa.date32(),
}
# At most so many events and observations in one query, or one entity's if it has more.
EVENTS_AT_ONCE = 12_000_000
OBSERVATIONS_AT_ONCE = 1_500_000

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

    def features(self, plan: SignalPlan, observations: pa.Table, events: Mapping[str, TableFiles]) -> pa.Table:
        """One row per observation, in the same order: `at`, `known_at`, then the plan's features."""
        entities, as_of = _observed(observations)
        at, known = moments(plan, as_of)
        columns: dict[str, pa.ChunkedArray | pa.Array] = {"at": _instants(at), "known_at": _instants(known)}
        tables = [events[behavior] for behavior in plan.behaviors if behavior in events]
        if len(at):
            grid = _grid(at)
            delay = plan.delay // MICROSECOND
            with self._session(f"signal {plan.ref}") as connection:
                _refuse_corrections(connection, plan.behaviors, events, before=grid.last, known=grid.last + delay)
                for stream in streams(plan):
                    since = stream.reaches_back(grid.first)

                    def query(low: int, high: int, stream: Any = stream, since: int | None = since) -> str:
                        reach = Reach(low, high, since, grid.last, grid.last + delay)
                        return emit_stream(stream, plan, events, grid, reach)

                    found = self._in_chunks(connection, query, entities, at, tables)
                    columns.update((f.name, _values(f, found)) for f in stream.features)
        fields = [pa.field("at", INSTANT), pa.field("known_at", INSTANT)]
        fields += [pa.field(f.name, VALUE_TYPES[f.type]) for f in plan.features]
        schema = pa.schema(fields)
        if not len(at):
            return schema.empty_table()
        return pa.table([columns[field.name] for field in schema], schema=schema)

    def labels(self, plan: OutcomePlan, observations: pa.Table, events: Mapping[str, TableFiles]) -> pa.Table:
        """One row per observation, in the same order: `label` (bool)."""
        schema = pa.schema([pa.field("label", pa.bool_())])
        entities, as_of = _observed(observations)
        if not len(as_of):
            return schema.empty_table()
        grid = _grid(as_of)
        horizon, matures = plan.horizon // MICROSECOND, plan.matures_after // MICROSECOND
        before, known = grid.last + horizon, grid.last + horizon + matures
        tables = [events[behavior] for behavior in plan.behaviors if behavior in events]

        def query(low: int, high: int) -> str:
            return emit_labels(plan, events, grid, Reach(low, high, grid.first, before, known))

        with self._session(f"outcome {plan.name}") as connection:
            _refuse_corrections(connection, plan.behaviors, events, before=before, known=known)
            found = self._in_chunks(connection, query, entities, as_of, tables)
        return pa.table([found["label"]], schema=schema)

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

    def events(self, behaviors: Mapping[str, TableFiles], entity: str, ids: Sequence[int]) -> list[Event]:
        """Every event of a few entities, for those who want to look at each."""
        found = []
        with self._session(f"events of {entity}") as connection:
            for behavior, files in behaviors.items():
                if files.schema is None or not files.paths or entity not in files.schema.names or not ids:
                    continue
                chosen = f"{quoted(entity)} IN ({', '.join(str(int(id)) for id in ids)})"
                rows = connection.sql(f"SELECT * FROM {scan(files)} WHERE {chosen}").to_arrow_table()
                found += [_event(behavior, entity, row) for row in rows.to_pylist()]
        return found

    @contextmanager
    def _session(self, what: str) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            connection = self._connect()
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

    def _in_chunks(
        self,
        connection: duckdb.DuckDBPyConnection,
        query: Callable[[int, int], str],
        entities: pa.Array,
        instants: _Ints,
        tables: list[TableFiles],
    ) -> pa.Table:
        """Answers in the order of the observations, from one query per range of entities."""
        ids = entities.fill_null(-1).to_numpy(zero_copy_only=False)
        unknown = entities.is_null().to_numpy(zero_copy_only=False)
        order = np.lexsort((ids, ~unknown))
        parts = []
        for rows in _chunks(ids[order], _rows(connection, tables) / self._events_at_once, self._observations_at_once):
            chosen = order[rows]
            known = ids[chosen][~unknown[chosen]]
            low, high = (int(known.min()), int(known.max())) if len(known) else (0, -1)
            observation = pa.table(
                {"i": pa.array(chosen), "entity": entities.take(pa.array(chosen)), "instant": instants[chosen]}
            )
            connection.register("observation", observation)
            parts.append(connection.sql(query(low, high)).to_arrow_table())
            connection.unregister("observation")
        answers = pa.concat_tables(parts)
        return answers if len(parts) == 1 else answers.sort_by("i")


def moments(plan: SignalPlan, as_of: _Ints) -> tuple[_Ints, _Ints]:
    """`plan.moment` of every instant, in microseconds."""
    if plan.freshness == "live":
        return as_of, as_of
    delay = plan.delay // MICROSECOND
    step = plan.step // MICROSECOND
    at = (as_of - delay) // step * step
    return at, at + delay


def _observed(observations: pa.Table) -> tuple[pa.Array, _Ints]:
    as_of = observations["as_of"]
    if not pa.types.is_timestamp(as_of.type) or as_of.type.tz is None:
        raise AskedWrongly(f"as_of is {as_of.type}; it must be instants with a time zone")
    if as_of.null_count:
        raise AskedWrongly(f"as_of is missing in {as_of.null_count} of {len(as_of)} observations")
    entities = observations["entity"].combine_chunks().cast(pa.int64())
    # A finer instant is asked for too early rather than too late: what it could not know stays hidden.
    return entities, pc.floor_temporal(as_of, unit="microsecond").cast(INSTANT, safe=False).cast(pa.int64()).to_numpy()


def _grid(instants: _Ints) -> Grid:
    distinct = np.unique(instants)
    step = int(np.gcd.reduce(np.diff(distinct))) if len(distinct) > 1 else 1
    return Grid(int(distinct[0]), int(distinct[-1]), step)


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


def _refuse_corrections(
    connection: duckdb.DuckDBPyConnection,
    behaviors: Iterable[str],
    events: Mapping[str, TableFiles],
    *,
    before: int,
    known: int,
) -> None:
    for behavior in behaviors:
        files = events.get(behavior)
        if files is None or not files.paths:
            continue
        found = connection.execute(
            f"SELECT op, event_id FROM {scan(files)} WHERE op <> 'assert' "
            f"AND occurred_at < {instant(before)} AND available_at <= {instant(known)} LIMIT 1"
        ).fetchall()
        for op, event_id in found:
            raise NotAsserted(behavior, op, event_id)


def _event(behavior: str, entity: str, row: Mapping[str, Any]) -> Event:
    return Event(
        event_id=row["event_id"],
        behavior=behavior,
        entities={entity: row[entity]},
        occurred_at=row["occurred_at"],
        available_at=row["available_at"],
        properties={name: value for name, value in row.items() if name not in HEAD and name != entity},
        channel=row["channel"],
        op=row["op"],
        target_id=row["target_id"],
    )


def _instants(micros: _Ints) -> pa.Array:
    return pa.array(micros, pa.int64()).cast(INSTANT)


def _values(feature: FeaturePlan, found: pa.Table) -> pa.Array:
    column = found[feature.name].combine_chunks()
    if feature.aggregate != "mean":
        return column.cast(VALUE_TYPES[feature.type])
    counts = found[COUNT_OF.format(feature.name)].combine_chunks().to_numpy()
    return pa.array(means(_unscaled(column), counts, feature.scale), mask=counts == 0)


def _unscaled(column: pa.Array) -> _Ints | list[int]:
    """Digits of a decimal128 column without its point; Python integers where some do not fit 64 bits."""
    halves = np.frombuffer(column.buffers()[1], dtype="<i8").reshape(-1, 2)[column.offset : column.offset + len(column)]
    low, high = halves[:, 0], halves[:, 1]
    if np.array_equal(high, low >> 63):
        return low
    return [(int(upper) << 64) + int(lower) % 2**64 for lower, upper in zip(low, high, strict=True)]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
