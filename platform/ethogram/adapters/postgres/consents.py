"""What entities allow, per purpose: changes as they were recorded, in order."""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Engine

from ethogram.adapters.postgres.cursor import cursor

INSTANT = pa.timestamp("us", tz="UTC")


class PostgresConsents:
    """Changes in `ethogram.consent`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, entity: str, changes: pa.Table, *, by: str) -> int:
        """Add changes (`id` int64, `purpose`, `allowed` bool, `changed_at`); the same change twice counts once."""
        if not len(changes):
            return 0
        columns = [changes[name].to_pylist() for name in ("id", "purpose", "allowed", "changed_at")]
        with cursor(self._engine) as sql:
            sql.execute(
                "create temporary table incoming (id bigint, purpose text, allowed boolean, changed_at timestamptz) "
                "on commit drop"
            )
            with sql.copy("copy incoming from stdin") as copy:
                for row in zip(*columns, strict=True):
                    copy.write_row(row)
            sql.execute(
                "insert into ethogram.consent (entity, id, purpose, allowed, changed_at, recorded_by) "
                "select distinct %s, i.id, i.purpose, i.allowed, i.changed_at, %s from incoming i where not exists "
                "(select from ethogram.consent c where c.entity = %s and c.id = i.id and c.purpose = i.purpose "
                "and c.changed_at = i.changed_at and c.allowed = i.allowed) order by i.changed_at, i.id",
                (entity, by, entity),
            )
            return int(sql.rowcount)

    def changes(self, entity: str, purpose: str) -> pa.Table:
        """`id`, `allowed`, `changed_at`, sorted by id and time (then by when it was recorded)."""
        with cursor(self._engine) as sql:
            sql.execute(
                "select id, allowed, changed_at from ethogram.consent where entity = %s and purpose = %s "
                "order by id, changed_at, seq",
                (entity, purpose),
            )
            rows = sql.fetchall()
        schema = pa.schema([("id", pa.int64()), ("allowed", pa.bool_()), ("changed_at", INSTANT)])
        return pa.table([list(column) for column in zip(*rows, strict=True)] or [[], [], []], schema=schema)
