"""What entities allow, per purpose: changes as they were recorded, in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Engine, insert, select

from ethogram.adapters.postgres.changes import write_change
from ethogram.adapters.postgres.cursor import cursor
from ethogram.adapters.postgres.tables import consent, entity_key

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

    def say(self, entity: str, id: int, *, purpose: str, allowed: bool, at: datetime, by: str) -> bool:
        """Record what one entity says at `at`, with its row in the ledger; False if that was its last word."""
        this = (consent.c.entity == entity) & (consent.c.id == id) & (consent.c.purpose == purpose)
        with self._engine.begin() as connection:
            # Two that speak for one entity at once go one after the other.
            connection.execute(select(entity_key.c.id).where(entity_key.c.id == id).with_for_update())
            last = connection.scalar(
                select(consent.c.allowed)
                .where(this, consent.c.changed_at <= at)
                .order_by(consent.c.changed_at.desc(), consent.c.allowed)
                .limit(1)
            )
            if last is allowed:
                return False
            said = {"entity": entity, "id": id, "purpose": purpose, "allowed": allowed}
            connection.execute(insert(consent).values(**said, changed_at=at, recorded_by=by))
            write_change(connection, principal=by, action="consent", subject=f"{entity} #{id}", body=said)
        return True

    def changes(self, entity: str, purpose: str, *, only: Sequence[int] | None = None) -> pa.Table:
        """`id`, `allowed`, `changed_at`, sorted by id and time (then by when it was recorded)."""
        with cursor(self._engine) as sql:
            sql.execute(
                "select id, allowed, changed_at from ethogram.consent where entity = %s and purpose = %s "
                "and (%s::bigint[] is null or id = any(%s)) order by id, changed_at, seq",
                (entity, purpose, *[None if only is None else list(only)] * 2),
            )
            rows = sql.fetchall()
        schema = pa.schema([("id", pa.int64()), ("allowed", pa.bool_()), ("changed_at", INSTANT)])
        return pa.table([list(column) for column in zip(*rows, strict=True)] or [[], [], []], schema=schema)
