"""SQL shared by signals and outcomes: events as spans of instants, and what observations see of them.

An event counts at `instant` while `starts <= instant < ends`: it starts when it has happened and is known, and ends
when it has left the window. Both are fixed as soon as the event is, whatever is asked later. So a count or a sum at an
observation is a running total of steps (+ at the start, - at the end), in one sort however many windows there are, and
exact because every step is an integer or fixed-point.

All instants are whole microseconds since the epoch. Observations stand in a relation `observation` with `i`, `entity`
and `instant`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
class Grid:
    """Instants that are asked for: all of them are `first + k * step`. Any moment between two of them behaves as the
    next one does, so spans are rounded up to the grid, where most of them coincide and are added up first."""

    first: int
    last: int
    step: int

    def snap(self, moment: str) -> str:
        """SQL for the first instant of the grid at or after `moment`."""
        if self.step == 1:
            return f"greatest({moment}, {self.first})"
        return f"{self.first} + {self.step} * ((greatest({moment} - {self.first}, 0) + {self.step - 1}) // {self.step})"


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
    entity: str,
    *,
    where: Condition | None,
    columns: Mapping[str, str],
    reach: Reach,
) -> str:
    """SQL for the events in reach: `entity`, `occurred`, `available`, `event_id`, then `columns` (name to SQL type).

    A table that does not exist yet, or has no such entity, has no events; a property that a version lacks is null.
    """
    selects = []
    for behavior, files in tables.items():
        if files.schema is None or not files.paths or entity not in files.schema.names:
            continue
        present = set(files.schema.names)

        def column(property: str, present: set[str] = present) -> str:
            return quoted(property) if property in present else "NULL"

        conditions = [
            f"{quoted(entity)} BETWEEN {reach.low} AND {reach.high}",
            f"occurred_at < {instant(reach.before)}",
            f"available_at <= {instant(reach.known)}",
        ]
        if reach.since is not None:
            conditions.append(f"occurred_at >= {instant(reach.since)}")
        if where is not None:
            conditions.append(f"({emit(where.expression, where.types[behavior], column)})")
        properties = "".join(f", CAST({column(each)} AS {kind}) AS {quoted(each)}" for each, kind in columns.items())
        selects.append(
            f"SELECT {quoted(entity)} AS entity, epoch_us(occurred_at) AS occurred, "
            f"epoch_us(available_at) AS available, event_id{properties} "
            f"FROM {scan(files)} WHERE {' AND '.join(conditions)}"
        )
    if not selects:
        nothing = "".join(f", CAST(NULL AS {kind}) AS {quoted(each)}" for each, kind in columns.items())
        return (
            "SELECT CAST(NULL AS BIGINT) AS entity, CAST(NULL AS BIGINT) AS occurred, "
            f"CAST(NULL AS BIGINT) AS available, CAST(NULL AS VARCHAR) AS event_id{nothing} WHERE false"
        )
    return "\n  UNION ALL ".join(selects)


def listed(parts: Sequence[str], indent: int = 2) -> str:
    """Items of a SELECT, one a line."""
    return (",\n" + " " * indent).join(parts)
