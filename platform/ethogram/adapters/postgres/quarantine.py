"""Rejected rows: where each came from, why, and what it said."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from ethogram.adapters.postgres.tables import quarantine


class PostgresQuarantine:
    """Rows that ingest kept back, by source."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def rows(self, source: str, *, limit: int) -> list[dict[str, Any]]:
        """`path`, `row` (1-based), `reasons` and `raw` of at most `limit` rows, in file order."""
        columns = (quarantine.c.path, quarantine.c.row, quarantine.c.reasons, quarantine.c.raw)
        statement = select(*columns).where(quarantine.c.source == source)
        with self._engine.connect() as connection:
            found = connection.execute(statement.order_by(quarantine.c.path, quarantine.c.row).limit(limit))
            return [dict(row) for row in found.mappings()]
