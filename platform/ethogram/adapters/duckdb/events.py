"""Events of a stream as DuckDB SQL: the rows in reach, in the order that kernels ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ethogram.adapters.duckdb.expressions import emit, quoted
from ethogram.core.signals.condition import Condition
from ethogram.ports import TableFiles

COLUMN_TYPES = {
    "integer": "BIGINT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """Which events can matter: a range of entities, and of times in microseconds; `since` None reaches back forever."""

    low: int
    high: int
    since: int | None
    before: int
    known: int


def text(value: str) -> str:
    """A quoted string."""
    return "'" + value.replace("'", "''") + "'"


def scan(files: TableFiles) -> str:
    """Every row of a table's version."""
    paths = ", ".join(text(path) for path in files.paths)
    return f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"


def instant(micros: int) -> str:
    """A literal instant."""
    return f"make_timestamptz({micros})"


def column_type(kind: str, scale: int) -> str:
    """SQL type of a property as it stands in an event table."""
    return f"DECIMAL(18, {scale})" if kind in {"money", "number"} else COLUMN_TYPES[kind]


def event_rows(
    tables: Mapping[str, TableFiles],
    entity: str | None,
    *,
    where: Condition | None,
    columns: Mapping[str, str],
    reach: Reach,
    naming: str | None = None,
    sort: bool = True,
) -> str:
    """SQL for the events in reach: `entity`, `occurred`, `available`, then `columns` (name to SQL type).

    Sorted by entity, time, knowledge and id if that is asked for. Without an `entity` all are of the one entity 0; with
    `naming`, only those that name that entity too.

    A table that does not exist yet, or has no such entity, has no events; a property that a version lacks is null.
    """
    selects = []
    for behavior, files in tables.items():
        if files.schema is None or not files.paths or not {entity, naming} - {None} <= set(files.schema.names):
            continue
        present = set(files.schema.names)

        def column(property: str, behavior: str = behavior, present: set[str] = present) -> str:
            if property == "behavior":
                return text(behavior)
            return quoted(property) if property in present else "NULL"

        whose = "0" if entity is None else quoted(entity)
        conditions = [
            f"{whose} BETWEEN {reach.low} AND {reach.high}",
            f"occurred_at < {instant(reach.before)}",
            f"available_at <= {instant(reach.known)}",
        ]
        if reach.since is not None:
            conditions.append(f"occurred_at >= {instant(reach.since)}")
        if naming is not None:
            conditions.append(f"{quoted(naming)} IS NOT NULL")
        if where is not None:
            conditions.append(f"({emit(where.expression, where.types[behavior], column)})")
        properties = "".join(f", CAST({column(each)} AS {kind}) AS {quoted(each)}" for each, kind in columns.items())
        selects.append(
            f"SELECT {whose} AS entity, epoch_us(occurred_at) AS occurred, "
            f"epoch_us(available_at) AS available{', event_id' * sort}{properties} "
            f"FROM {scan(files)} WHERE {' AND '.join(conditions)}"
        )
    shown = "".join(f", {quoted(each)}" for each in columns)
    if not selects:
        nothing = "".join(f", CAST(NULL AS {kind}) AS {quoted(each)}" for each, kind in columns.items())
        return (
            "SELECT CAST(NULL AS BIGINT) AS entity, CAST(NULL AS BIGINT) AS occurred, "
            f"CAST(NULL AS BIGINT) AS available{nothing} WHERE false"
        )
    rows = "\n  UNION ALL ".join(selects)
    if not sort:
        return rows
    return f"SELECT entity, occurred, available{shown} FROM ({rows})\nORDER BY entity, occurred, available, event_id"
