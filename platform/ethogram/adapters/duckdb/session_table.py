"""The table of all sessions, a range of entities at a time: DuckDB reads and filters, numpy sorts and cuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ethogram.adapters.arrow.values import arrow, arrow_type, column
from ethogram.adapters.duckdb.events import Reach, column_type, event_rows
from ethogram.adapters.duckdb.expressions import quoted
from ethogram.adapters.duckdb.standing import Standing
from ethogram.adapters.duckdb.tables import holds, scan
from ethogram.core.signals.kernel.columns import Ints
from ethogram.core.signals.kernel.events import Events
from ethogram.core.signals.kernel.sessions import table
from ethogram.core.signals.plan import Stream
from ethogram.core.signals.sessions import SessionPlan
from ethogram.ports import TableFiles

# The last instant there is: everything is known by then.
ALWAYS = 253_402_300_799_999_999
BUCKETS = 4096  # of entities; one is read as a whole
FEW_TIES = 1000  # entities whose order DuckDB finds alone
_TYPES = {
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "events": "integer",
    "duration_s": "decimal",
    "entry": "string",
    "exit": "string",
}
SCHEMA = pa.schema(
    [
        ("entity", pa.int64()),
        ("session_id", pa.string()),
        ("previous_id", pa.string()),
        *((name, arrow_type(kind)) for name, kind in _TYPES.items()),
    ]
)
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint8).reshape(256, 2)


def session_table(
    connection: duckdb.DuckDBPyConnection,
    plan: SessionPlan,
    events: Mapping[str, TableFiles],
    *,
    entities: Sequence[int] | None,
    at: int | None,
    events_at_once: int,
    workers: int,
) -> pa.Table:
    """See `ports.Engine.sessions`; `at` in microseconds."""
    until = ALWAYS if at is None else at
    stream = Stream(plan.behaviors, plan.where, plan)
    standing = Standing(connection, events, 0, until)
    standing.prepare(stream, plan.entity)
    columns = {name: column_type(kind, scale) for name, (kind, scale) in plan.reads({"entry"}).items()}
    wanted = None if entities is None else np.unique(np.array(entities, np.int64))

    def part(low: int, high: int) -> pa.Table:
        reach = Reach(low, high, None, until, until, until)

        def read(reach: Reach, sort: bool) -> Events:
            sql = event_rows(standing, stream, plan.entity, columns=columns, reach=reach, sort=sort)
            with connection.cursor() as cursor:
                return _standing_at(cursor.sql(sql).to_arrow_table(), list(columns), until, wanted)

        found = read(reach, False).in_order()
        ties = found.ties()
        if len(ties) > FEW_TIES:
            found = read(reach, True)
        elif len(ties):
            found = found.instead(read(replace(reach, among=tuple(map(int, ties))), True))
        return _rows(plan, found)

    cuts = _cuts(connection, plan, events, wanted, events_at_once)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda pair: part(*pair), cuts))
    return pa.concat_tables([SCHEMA.empty_table(), *parts])


def _standing_at(rows: pa.Table, columns: Sequence[str], known: int, wanted: Ints | None) -> Events:
    entity, occurred, available = (column(rows[name]).data for name in ("entity", "occurred", "available"))
    found = Events(entity, occurred, available, None, {name: column(rows[name]) for name in columns})
    keep = np.ones(len(entity), np.bool_) if wanted is None else np.isin(entity, wanted)
    if "until" in rows.column_names:
        keep &= column(rows["until"]).data > known
    return found if keep.all() else found.take(np.flatnonzero(keep))


def _rows(plan: SessionPlan, events: Events) -> pa.Table:
    made = table(plan, events)
    ids = _texts(made.ids)
    previous = ids.take(pa.array(np.arange(-1, len(ids) - 1), pa.int64(), mask=~made.follows))
    columns = [
        pa.array(made.entity),
        ids,
        previous,
        *(arrow(made.columns[name], kind) for name, kind in _TYPES.items()),
    ]
    return pa.table(columns, schema=SCHEMA)


def _texts(ids: npt.NDArray[np.uint64]) -> pa.Array:
    """128 bits each as 32 hexadecimal digits."""
    digits = np.ascontiguousarray(_HEX[ids.astype(">u8").view(np.uint8)])
    offsets = np.arange(0, 32 * len(ids) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(digits))


def _cuts(
    connection: duckdb.DuckDBPyConnection,
    plan: SessionPlan,
    events: Mapping[str, TableFiles],
    wanted: Ints | None,
    events_at_once: int,
) -> list[tuple[int, int]]:
    """Ranges of entities with about as many events each; they need not be exact, as an entity is never divided."""
    if wanted is not None:
        return [(int(wanted[0]), int(wanted[-1]))] if len(wanted) else []
    tables = [events[id] for id in plan.behaviors if id in events and holds(events[id], plan.entity)]
    if not tables:
        return []
    union = " UNION ALL ".join(f"SELECT {quoted(plan.entity)} AS entity FROM {scan(files)}" for files in tables)
    (low, high) = connection.sql(f"SELECT min(entity), max(entity) FROM ({union})").fetchall()[0]
    if low is None:
        return []
    width = max(1, -(-(high - low + 1) // BUCKETS))
    bucket = f"(entity - {low}) // {width}"
    counted = f"SELECT {bucket}, count(*) FROM ({union}) WHERE entity IS NOT NULL GROUP BY 1 ORDER BY 1"
    edges, seen = [low], 0
    for number, many in connection.sql(counted).fetchall():
        if seen and seen + many > events_at_once:
            edges.append(low + number * width)
            seen = 0
        seen += many
    return [(edge, following - 1) for edge, following in zip(edges, [*edges[1:], high + 1], strict=True)]
