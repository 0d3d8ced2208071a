"""Tiles as DuckDB SQL: one row an entity and stretch of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import duckdb
import numpy as np
import pyarrow as pa

from ethogram.adapters.arrow.values import column
from ethogram.adapters.duckdb.events import column_type
from ethogram.adapters.duckdb.expressions import emit, quoted
from ethogram.adapters.duckdb.tables import instant, scan
from ethogram.core.signals.kernel import Events, Values
from ethogram.core.signals.kernel.columns import Ints, Mask
from ethogram.core.signals.numbers import DIGITS
from ethogram.core.signals.tiles import Part, Tiling, from_tiles
from ethogram.core.time import MICROSECOND, micros
from ethogram.ports import TableFiles, Tiles

PARTITION = "day"
_DAY = 86_400_000_000


def tile_rows(tiling: Tiling, events: Mapping[str, TableFiles], days: Sequence[tuple[int, int]]) -> str:
    """SQL for the tiles of some stretches [start, end), in microseconds, that begin and end with a day.

    Columns: `entity`, `start`, `known` (microseconds), one a part, and `day`; sorted by day, entity, start.
    """
    properties = {
        part.property: column_type(part.property_type or "", part.scale) for part in tiling.parts if part.property
    }
    named = any(part.kind in {"first", "last"} for part in tiling.parts)
    selects = []
    for behavior in tiling.stream.behaviors:
        files = events.get(behavior)
        if files is None or files.schema is None or not files.paths or tiling.entity not in files.schema.names:
            continue
        present = set(files.schema.names)

        def column(name: str, behavior: str = behavior, present: set[str] = present) -> str:
            if name == "behavior":
                return "'" + behavior + "'"
            return quoted(name) if name in present else "NULL"

        inside = " OR ".join(f"occurred_at >= {instant(start)} AND occurred_at < {instant(end)}" for start, end in days)
        conditions = [f"{quoted(tiling.entity)} IS NOT NULL", f"({inside or False})"]
        where = tiling.stream.where
        if where is not None:
            conditions.append(f"({emit(where.expression, where.types[behavior], column)})")
        read = "".join(f", CAST({column(each)} AS {kind}) AS {quoted(each)}" for each, kind in properties.items())
        selects.append(
            f"SELECT {quoted(tiling.entity)} AS entity, epoch_us(occurred_at) AS occurred, "
            f"epoch_us(available_at) AS available{', event_id' * named}{read} "
            f"FROM {scan(files)} WHERE {' AND '.join(conditions)}"
        )
    if not selects:
        nothing = "".join(f", CAST(NULL AS {kind}) AS {quoted(each)}" for each, kind in properties.items())
        selects = [
            "SELECT CAST(NULL AS BIGINT) AS entity, CAST(NULL AS BIGINT) AS occurred, "
            f"CAST(NULL AS BIGINT) AS available{', NULL AS event_id' * named}{nothing} WHERE false"
        ]
    length = tiling.length // MICROSECOND
    parts = "".join(f", {_part(part)} AS {quoted(part.name)}" for part in tiling.parts)
    rows = " UNION ALL ".join(selects)
    return (
        f"SELECT entity, occurred - (occurred % {length} + {length}) % {length} AS start, "
        f"max(available) AS known{parts}, strftime(make_timestamp(start), '%Y-%m-%d') AS {PARTITION} "
        f"FROM ({rows}) GROUP BY entity, start ORDER BY {PARTITION}, entity, start"
    )


def _part(part: Part) -> str:
    column = quoted(part.property or "")
    match part.kind:
        case "n":
            return "count(*)"
        case "newest":
            return "max(occurred)"
        case "many":
            return f"count({column})"
        case "sum":
            return f"CAST(coalesce(sum({column}), 0) AS DECIMAL({DIGITS}, {part.scale}))"
        case "least":
            return f"min({_zeroed(part)})"
        case "largest":
            return f"max({_zeroed(part)})"
    best = "min" if part.kind == "first" else "max"
    return f"{best}(struct_pack(o := occurred, a := available, e := event_id, x := {_zeroed(part)})).x"


def _zeroed(part: Part) -> str:
    """The property; adding 0.0 makes the negative zero of doubles an ordinary one."""
    column = quoted(part.property or "")
    return f"{column} + 0.0" if part.property_type == "double" else column


def stretches(days: Sequence[date]) -> list[tuple[int, int]]:
    """Days as stretches of microseconds; neighbours are one.

    >>> [end - start for start, end in stretches([date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 9)])]
    [172800000000, 86400000000]
    """
    found: list[tuple[int, int]] = []
    for day in sorted(days):
        start = micros(datetime(day.year, day.month, day.day, tzinfo=UTC))
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], start + _DAY)
        else:
            found.append((start, start + _DAY))
    return found


def stored(
    connection: duckdb.DuckDBPyConnection, tiles: Tiles, entity: Ints, at: Ints, delay: int, since: int | None
) -> tuple[dict[str, Values], Mask]:
    """What tiles say for observations (entity, at), and for which of these they are right."""
    tiling, files = tiles.tiling, tiles.files
    parts = "".join(f", {quoted(part.name)}" for part in tiling.parts)
    conditions = [f"entity BETWEEN {int(entity.min())} AND {int(entity.max())}", f"start < {int(at.max())}"]
    if since is not None:
        conditions.append(f"start >= {since}")
    found = "SELECT CAST(NULL AS BIGINT) AS entity WHERE false"
    rows: pa.Table | None = None
    if files.paths:
        found = f"SELECT entity, start, known{parts} FROM {scan(files)} WHERE {' AND '.join(conditions)}"
        rows = connection.sql(found).to_arrow_table()
    if rows is None or not len(rows):
        nobody = np.zeros(0, np.int64)
        columns = {part.name: column(pa.array([], pa.int64())) for part in tiling.parts}
        return from_tiles(tiling, Events(nobody, nobody, nobody, None, columns), entity, at, delay)
    columns = {part.name: column(rows[part.name]) for part in tiling.parts}
    place, start, known = (column(rows[name]).data for name in ("entity", "start", "known"))
    return from_tiles(tiling, Events(place, start, known, None, columns).in_order(), entity, at, delay)
