"""Events as they stand once corrections are followed and identities are known, as DuckDB relations, where it matters.

A record about an event stands from when it can be seen until one that outranks it can be: see
`core.signals.reference.standing`. An event that is attributed to somebody is theirs while the identity map says so: see
`core.signals.identity`. Nearly all events are never spoken of again, and these are scanned as ever; the others are kept
apart, in relations that tell from when until when each of their rows stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields
from itertools import groupby
from operator import itemgetter

import duckdb
import pyarrow as pa

from ethogram.adapters.duckdb.expressions import quoted
from ethogram.adapters.duckdb.tables import holds, instant, scan
from ethogram.core.signals.identity import LONG_AGO, Attribution, Identity, Link, attributions
from ethogram.core.signals.kernel.events import FOREVER
from ethogram.core.signals.plan import Stream
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
        identities: Table of the map of each identity that was asked for.
    """

    connection: duckdb.DuckDBPyConnection
    tables: Mapping[str, TableFiles]
    delay: int
    known: int
    versions: dict[str, str | None] = field(default_factory=dict)
    identities: dict[tuple[Identity, str], str] = field(default_factory=dict)

    def prepare(self, stream: Stream, entity: str | None) -> None:
        """Make the tables that `stream` needs, so that other threads need only read."""
        for behavior in stream.behaviors:
            self.apart(behavior, stream.identity, entity)

    def apart(self, behavior: str, identity: Identity | None = None, entity: str | None = None) -> Apart | None:
        """Events of `behavior` that a plain scan would get wrong; None if there are none."""
        versions = self._corrected(behavior)
        relations = [] if versions is None else [f"SELECT * EXCLUDE about FROM {versions} WHERE op <> 'retract'"]
        if identity is not None and entity is not None and self._names(behavior, identity.entity, entity):
            relations.append(self._attributed(behavior, identity, entity))
        if not relations:
            return None
        return Apart(f"({' UNION ALL BY NAME '.join(relations)})", versions)

    def _names(self, behavior: str, *entities: str) -> bool:
        files = self.tables.get(behavior)
        return files is not None and holds(files, *entities)

    def _attributed(self, behavior: str, identity: Identity, entity: str) -> str:
        """Events that name the identity's entity alone, once for each `entity` that it was ever taken for."""
        who, whose = quoted(identity.entity), quoted(entity)
        occurred = "epoch_us(e.occurred_at)"
        return (
            f"SELECT e.* REPLACE (m.known_as AS {whose}, greatest(e.{FROM}, m.known_from) AS {FROM}, "
            f"least(e.{UNTIL}, m.known_to) AS {UNTIL}) FROM ({self._standing(behavior)}) e "
            f"JOIN {self._identities(identity, entity)} m ON e.{who} = m.entity "
            f"AND {occurred} >= m.valid_from AND {occurred} < m.valid_to WHERE e.{whose} IS NULL"
        )

    def _standing(self, behavior: str) -> str:
        """All events of `behavior` with the knowledge for which they stand."""
        files, versions = self.tables[behavior], self._corrected(behavior)
        plain = f"SELECT *, epoch_us(available_at) AS {FROM}, {FOREVER} AS {UNTIL} FROM {scan(files)}"
        if versions is None:
            return plain
        untouched = Apart("", versions).untouched
        return (
            f"{plain} WHERE {untouched} UNION ALL BY NAME SELECT * EXCLUDE about FROM {versions} WHERE op <> 'retract'"
        )

    def _identities(self, identity: Identity, entity: str) -> str:
        """Table of `core.signals.identity.Attribution`."""
        key = (identity, entity)
        if key not in self.identities:
            self.identities[key] = f"identities_{len(self.identities)}"
            self._follow_identities(identity, entity, self.identities[key])
        return self.identities[key]

    def _follow_identities(self, identity: Identity, entity: str, name: str) -> None:
        who, whose = quoted(identity.entity), quoted(entity)
        links = " UNION ALL ".join(
            f"SELECT {who} AS entity, {whose} AS known_as, epoch_us(occurred_at) AS occurred, "
            f"epoch_us(available_at) AS told, event_id, {self.seen_from()} AS since, {UNTIL} AS until "
            f"FROM ({self._standing(behavior)}) WHERE {who} IS NOT NULL AND {whose} IS NOT NULL "
            f"AND available_at <= {instant(self.known)}"
            for behavior in identity.told_by
            if self._names(behavior, identity.entity, entity)
        )
        none = "SELECT NULL::BIGINT AS entity, NULL::BIGINT AS known_as, 0 AS occurred, 0 AS told, '' AS event_id, "
        links = links or f"{none} 0 AS since, 0 AS until WHERE false"
        self.connection.execute(f"CREATE TABLE links_of_{name} AS {links}")
        # Who was taken for one alone is theirs from the first word on; only the others need the whole map.
        simple = f"min(known_as) = max(known_as) AND min(until) = {FOREVER}"
        self.connection.execute(
            f"CREATE TABLE {name} AS SELECT entity, min(known_as) AS known_as, {LONG_AGO} AS valid_from, "
            f"{FOREVER} AS valid_to, min(since) AS known_from, {FOREVER} AS known_to FROM links_of_{name} "
            f"GROUP BY entity HAVING {simple}"
        )
        others = self.connection.execute(
            f"SELECT entity, occurred, told, event_id, known_as, since, until FROM links_of_{name} "
            f"WHERE entity NOT IN (SELECT entity FROM {name}) ORDER BY entity"
        ).fetchall()
        found = [
            astuple(each)
            for _, theirs in groupby(others, key=itemgetter(0))
            for each in attributions([Link(*link) for link in theirs])
        ]
        if found:
            columns = [pa.array(column, pa.int64()) for column in zip(*found, strict=True)]
            self.connection.register("found", pa.table(columns, names=[each.name for each in fields(Attribution)]))
            self.connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM found")
            self.connection.unregister("found")

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
