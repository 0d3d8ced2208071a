"""Events of a stream as DuckDB SQL: the rows in reach, in the order that kernels ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ethogram.adapters.arrow.asking import COUNTS
from ethogram.adapters.duckdb.expressions import emit, quoted
from ethogram.adapters.duckdb.standing import FROM, UNTIL, Standing
from ethogram.adapters.duckdb.tables import instant, scan, text
from ethogram.core.signals.kernel.events import FOREVER
from ethogram.core.signals.plan import Stream

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
    """Which events can matter: a range of entities, and of times in microseconds; `since` None reaches back forever.
    Knowledge is asked for from `known_first` to `known`; of `among` alone, where that is not None."""

    low: int
    high: int
    since: int | None
    before: int
    known_first: int
    known: int
    among: tuple[int, ...] | None = None


def column_type(kind: str, scale: int) -> str:
    """SQL type of a property as it stands in an event table."""
    return f"DECIMAL(18, {scale})" if kind in {"money", "number"} else COLUMN_TYPES[kind]


def event_rows(
    standing: Standing,
    stream: Stream,
    entity: str | None,
    *,
    columns: Mapping[str, str],
    reach: Reach,
    naming: str | None = None,
    sort: bool = True,
) -> str:
    """SQL for the events in reach: `entity`, `occurred`, `available`, then `columns` (name to SQL type); with `sort` by
    entity, time, knowledge and id. Where some of them stand for a while only, `until` tells until when. Without an
    `entity` all are of the one entity 0; with `naming`, only those that name that entity too.

    A table that does not exist yet, or has no such entity, has no events; a property that a version lacks is null.
    """
    selects = []
    where = stream.where
    if "behavior" in columns:  # a small number a row, not a text
        columns = {**columns, "behavior": f"ENUM({', '.join(map(text, stream.behaviors))})"}
    # Reconciled events are told apart before they are filtered: one that does not count may hide one that would.
    flagged = stream.reconciled is not None and where is not None
    aparts = {behavior: standing.apart(behavior, stream.identity, entity) for behavior in stream.behaviors}
    passing = any(aparts.values())
    order = "told" if passing else "available"
    for behavior in stream.behaviors:
        files = standing.tables.get(behavior)
        if files is None or files.schema is None or not files.paths:
            continue
        if not {entity, naming} - {None} <= set(files.schema.names):
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
        if reach.among is not None:
            conditions.append(f"{whose} IN ({', '.join(map(str, reach.among))})")
        if reach.since is not None:
            conditions.append(f"occurred_at >= {instant(reach.since)}")
        if naming is not None:
            conditions.append(f"{quoted(naming)} IS NOT NULL")
        properties = "".join(f", CAST({column(each)} AS {kind}) AS {quoted(each)}" for each, kind in columns.items())
        if where is not None:
            holds = f"({emit(where.expression, where.types[behavior], column)})"
            if flagged:
                properties += f", coalesce({holds}, false) AS {quoted(COUNTS)}"
            else:
                conditions.append(holds)
        here = " AND ".join(conditions)

        def select(available: str, until: str, source: str, whose: str = whose, properties: str = properties) -> str:
            told = f", {until} AS until, epoch_us(available_at) AS told" if passing else ""
            return (
                f"SELECT {whose} AS entity, epoch_us(occurred_at) AS occurred, "
                f"{available} AS available{told}, event_id{properties} FROM {source}"
            )

        apart = aparts[behavior]
        plain = f"{scan(files)} WHERE {here}" + (f" AND {apart.untouched}" if apart else "")
        selects.append(select("epoch_us(available_at)", str(FOREVER), plain))
        if apart:
            # What was put right before anybody looks need not be seen as it was.
            alive = f"{here} AND {FROM} <= {reach.known} AND {UNTIL} > greatest({FROM}, {reach.known_first})"
            selects.append(select(FROM, UNTIL, f"{apart.relation} WHERE {alive}"))
    columns = {**columns, COUNTS: "BOOLEAN"} if flagged else columns
    shown = "".join(f", {quoted(each)}" for each in columns)
    if not selects:
        nothing = "".join(f", CAST(NULL AS {kind}) AS {quoted(each)}" for each, kind in columns.items())
        return (
            "SELECT CAST(NULL AS BIGINT) AS entity, CAST(NULL AS BIGINT) AS occurred, "
            f"CAST(NULL AS BIGINT) AS available{nothing} WHERE false"
        )
    rows = "\n  UNION ALL ".join(selects)
    until = ", until" if passing else ""
    sorted_rows = f"\nORDER BY entity, occurred, {order}, event_id" if sort else ""
    return f"SELECT entity, occurred, available{until}{shown} FROM ({rows}){sorted_rows}"
