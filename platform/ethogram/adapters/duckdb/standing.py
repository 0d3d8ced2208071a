"""Events as they stand once corrections and retractions are followed, as DuckDB tables; only where there are any.

A record about an event stands from when it can be seen until one that outranks it can be: see
`core.signals.reference.standing`. Nearly all events are never spoken of again, and these are scanned as ever; the
others are kept apart, in a temporary table that tells from when until when each record stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from ethogram.adapters.duckdb.tables import instant, scan
from ethogram.core.signals.kernel.events import FOREVER
from ethogram.ports import TableFiles

# Columns of events kept apart, in microseconds of knowledge; no property can be called so.
FROM, UNTIL = '"@from"', '"@until"'
# The event that a record is about.
ABOUT = "CASE WHEN op = 'assert' THEN event_id ELSE coalesce(target_id, event_id) END"


@dataclass(frozen=True, slots=True)
class Apart:
    """Events of a behavior beside those that a scan finds.

    Attributes:
        relation: SQL of them: the columns of the event table, `FROM` and `UNTIL`.
        instead: Table of the asserted events that they stand in place of; None if the scan's all stand.
    """

    relation: str
    instead: str | None

    @property
    def untouched(self) -> str:
        """What the scan's rows have to meet."""
        return f"op = 'assert' AND event_id NOT IN (SELECT about FROM {self.instead})" if self.instead else "TRUE"


@dataclass
class Standing:
    """The events of one question.

    Args:
        tables: Event tables by behavior; those without a table have no events.
        delay: known = at + delay, in microseconds.
        known: The latest knowledge asked for; what becomes known later is not there.
        versions: Table of all records about corrected events by behavior, None where none was; found when asked for.
    """

    connection: duckdb.DuckDBPyConnection
    tables: Mapping[str, TableFiles]
    delay: int
    known: int
    versions: dict[str, str | None] = field(default_factory=dict)

    def prepare(self, behaviors: Sequence[str]) -> None:
        """Make the tables of `behaviors`, so that other threads need only read."""
        for behavior in behaviors:
            self.apart(behavior)

    def apart(self, behavior: str) -> Apart | None:
        """Events of `behavior` that a plain scan would get wrong; None if there are none."""
        versions = self._corrected(behavior)
        if versions is None:
            return None
        return Apart(f"(SELECT * EXCLUDE about FROM {versions} WHERE op <> 'retract')", versions)

    def _corrected(self, behavior: str) -> str | None:
        """Table of all records about events that were corrected or retracted; None where none was."""
        if behavior not in self.versions:
            self.versions[behavior] = self._follow(behavior)
        return self.versions[behavior]

    def _follow(self, behavior: str) -> str | None:
        files = self.tables.get(behavior)
        if files is None or not files.paths:
            return None
        known = f"available_at <= {instant(self.known)}"
        if not corrected(self.connection, files, known):
            return None
        name = f"versions_{len(self.versions)}"
        self.connection.execute(
            f"CREATE TABLE {name} AS "
            f"SELECT *, epoch_us(available_at) AS {FROM}, coalesce(min({self.seen_from()}) OVER later, {FOREVER}) "
            f"AS {UNTIL} FROM (SELECT *, {ABOUT} AS about FROM {scan(files)} WHERE {known}) "
            f"WHERE about IN (SELECT {ABOUT} FROM {scan(files)} WHERE op <> 'assert' AND {known}) "
            "WINDOW later AS (PARTITION BY about ORDER BY op <> 'assert', available_at, event_id "
            "ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
        )
        return name

    def seen_from(self) -> str:
        """SQL: the knowledge from which on a record can be seen; it has to have occurred by then."""
        return f"greatest(epoch_us(available_at), epoch_us(occurred_at) + {1 + self.delay})"


def corrected(connection: duckdb.DuckDBPyConnection, files: TableFiles, known: str = "TRUE") -> bool:
    """Whether any event was corrected or retracted; the files' statistics tell where none was, as nearly always."""
    found = connection.execute(f"SELECT 1 FROM {scan(files)} WHERE op <> 'assert' AND {known} LIMIT 1").fetchall()
    return bool(found)
