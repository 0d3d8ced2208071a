"""Events of a stream as Spark SQL: what stands, whose it is, and the columns that kernels read.

What DuckDB's side keeps in temporary tables is said here in sub-queries, for Spark plans them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ethogram.adapters.arrow.asking import COUNTS
from ethogram.adapters.spark.expressions import emit, quoted
from ethogram.core.signals.identity import FOREVER, Identity, Link, attributions
from ethogram.core.signals.plan import Stream
from ethogram.ports import TableFiles

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

COLUMN_TYPES = {
    "integer": "BIGINT",
    "double": "DOUBLE",
    "string": "STRING",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
}
# The event that a record is about.
_ABOUT = "CASE WHEN op = 'assert' THEN event_id ELSE coalesce(target_id, event_id) END"
_LINK = ("entity", "occurred", "told", "event_id", "known_as", "since", "until")
_MAP = "entity BIGINT, known_as BIGINT, valid_from BIGINT, valid_to BIGINT, known_from BIGINT, known_to BIGINT"


@dataclass
class Standing:
    """The events of one question, as views of one session.

    Args:
        tables: Event tables by behavior; those without a table have no events.
        delay: known = at + delay, in microseconds.
        known: The latest knowledge asked for; what becomes known later is not there.
    """

    session: SparkSession
    tables: Mapping[str, TableFiles]
    delay: int
    known: int
    _views: dict[object, str] = field(default_factory=dict)

    def rows(
        self,
        stream: Stream,
        entity: str | None,
        *,
        columns: Mapping[str, tuple[str, int]],
        since: int | None,
        before: int,
        naming: str | None = None,
    ) -> DataFrame:
        """`entity`, `occurred`, `available`, `until`, `told` (microseconds), `event_id`, then `columns`.

        Args:
            entity: Whose column; None makes all of them the one entity 0.
            columns: Type and scale by name.
            naming: Only events that name this entity too.
        """
        selects = []
        flagged = stream.reconciled is not None and stream.where is not None
        for behavior in stream.behaviors:
            files = self.tables.get(behavior)
            if files is None or files.schema is None or not files.paths:
                continue
            present = set(files.schema.names)
            if not {entity, naming} - {None} <= present:
                continue

            def column(name: str, behavior: str = behavior, present: set[str] = present) -> str:
                if name == "behavior":
                    return "'" + behavior + "'"
                return quoted(name) if name in present else "NULL"

            whose = "CAST(0 AS BIGINT)" if entity is None else quoted(entity)
            conditions = [
                f"{whose} IS NOT NULL",
                f"unix_micros(occurred_at) < {before}",
                f"`@from` <= {self.known}",
                "`@until` > `@from`",
            ]
            if since is not None:
                conditions.append(f"unix_micros(occurred_at) >= {since}")
            if naming is not None:
                conditions.append(f"{quoted(naming)} IS NOT NULL")
            shown = [f"CAST({column(name)} AS {sql_type(*kind)}) AS {quoted(name)}" for name, kind in columns.items()]
            if stream.where is not None:
                holds = f"({emit(stream.where.expression, stream.where.types[behavior], column)})"
                if flagged:
                    shown.append(f"coalesce({holds}, false) AS {quoted(COUNTS)}")
                else:
                    conditions.append(holds)
            listed = "".join(f", {each}" for each in shown)
            selects.append(
                f"SELECT {whose} AS entity, unix_micros(occurred_at) AS occurred, `@from` AS available, "
                f"`@until` AS until, unix_micros(available_at) AS told, event_id{listed} "
                f"FROM ({self._theirs(behavior, stream.identity, entity)}) WHERE {' AND '.join(conditions)}"
            )
        if not selects:
            shown = [f"CAST(NULL AS {sql_type(*kind)}) AS {quoted(name)}" for name, kind in columns.items()]
            listed = "".join(f", {each}" for each in shown)
            empty = ", ".join(
                f"CAST(NULL AS BIGINT) AS {n}" for n in ("entity", "occurred", "available", "until", "told")
            )
            selects.append(f"SELECT {empty}, CAST(NULL AS STRING) AS event_id{listed} WHERE false")
        return self.session.sql(" UNION ALL ".join(selects))

    def _theirs(self, behavior: str, identity: Identity | None, entity: str | None) -> str:
        """All events of a behavior, and those attributed to an `entity` once for each that they were taken for."""
        standing = self._standing(behavior)
        if identity is None or entity is None or not self._names(behavior, identity.entity, entity):
            return f"SELECT * FROM {standing}"
        who, whose = quoted(identity.entity), quoted(entity)
        files = self.tables[behavior]
        assert files.schema is not None
        kept = ", ".join(f"e.{quoted(name)}" for name in files.schema.names if name not in {"month", entity})
        others = f"{kept}, "
        return (
            f"SELECT {others}e.{whose}, e.`@from`, e.`@until` FROM {standing} e UNION ALL "
            f"SELECT {others}m.known_as AS {whose}, greatest(e.`@from`, m.known_from), least(e.`@until`, m.known_to) "
            f"FROM {standing} e JOIN {self._identities(identity, entity)} m ON e.{who} = m.entity "
            "AND unix_micros(e.occurred_at) >= m.valid_from AND unix_micros(e.occurred_at) < m.valid_to "
            f"WHERE e.{whose} IS NULL"
        )

    def _names(self, behavior: str, *entities: str) -> bool:
        files = self.tables.get(behavior)
        return files is not None and files.schema is not None and set(entities) <= set(files.schema.names)

    def _standing(self, behavior: str) -> str:
        """View of the events of a behavior that stand, with the knowledge for which they do."""
        key = ("standing", behavior)
        if key not in self._views:
            raw = f"events_{len(self._views)}"
            self.session.read.parquet(*self.tables[behavior].paths).createOrReplaceTempView(raw)
            known = f"unix_micros(available_at) <= {self.known}"
            name = f"standing_{len(self._views)}"
            plain = f"SELECT *, unix_micros(available_at) AS `@from`, {FOREVER} AS `@until` FROM {raw} WHERE {known}"
            if self.session.sql(f"SELECT 1 FROM {raw} WHERE op <> 'assert' AND {known} LIMIT 1").head(1):
                later = (
                    f"OVER (PARTITION BY {_ABOUT} ORDER BY op <> 'assert', available_at, event_id "
                    "ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
                )
                told = f"coalesce(min({self._seen_from()}) {later}, {FOREVER})"
                plain = (
                    f"SELECT * FROM (SELECT *, unix_micros(available_at) AS `@from`, {told} AS `@until` "
                    f"FROM {raw} WHERE {known}) WHERE op <> 'retract'"
                )
            self.session.sql(plain).createOrReplaceTempView(name)
            self._views[key] = name
        return self._views[key]

    def _seen_from(self) -> str:
        """SQL: the knowledge from which on a record can be seen; it has to have occurred by then."""
        return f"greatest(unix_micros(available_at), unix_micros(occurred_at) + {1 + self.delay})"

    def _identities(self, identity: Identity, entity: str) -> str:
        """View of `core.signals.identity.Attribution`."""
        key = (identity, entity)
        if key not in self._views:
            who, whose = quoted(identity.entity), quoted(entity)
            links = " UNION ALL ".join(
                f"SELECT {who} AS entity, unix_micros(occurred_at) AS occurred, unix_micros(available_at) AS told, "
                f"event_id, {whose} AS known_as, {self._seen_from()} AS since, `@until` AS until "
                f"FROM {self._standing(behavior)} WHERE {who} IS NOT NULL AND {whose} IS NOT NULL"
                for behavior in identity.told_by
                if self._names(behavior, identity.entity, entity)
            )
            name = f"identities_{len(self._views)}"
            if links:
                made = self.session.sql(links).groupBy("entity").applyInArrow(_attributed, _MAP)
            else:
                made = self.session.createDataFrame([], _MAP)
            made.createOrReplaceTempView(name)
            self._views[key] = name
        return self._views[key]


def _attributed(links: pa.Table) -> pa.Table:
    """The map over both times of one entity's links."""
    import pyarrow as pa

    found = attributions([Link(*row) for row in zip(*(links[name].to_pylist() for name in _LINK), strict=True)])
    names = [part.split()[0] for part in _MAP.split(", ")]
    return pa.table({name: pa.array([getattr(each, name) for each in found], pa.int64()) for name in names})


def sql_type(kind: str, scale: int) -> str:
    """SQL type of a property as it stands in an event table."""
    return f"DECIMAL(18, {scale})" if kind in {"money", "number"} else COLUMN_TYPES[kind]
