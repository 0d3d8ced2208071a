"""Reads per consumer and asset: who asked, for what, and what the rules said."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, insert

from ethogram.adapters.postgres.tables import reading
from ethogram.core.governance.agreement import Access


class PostgresReadings:
    """Keeps `usecases.access.Readings`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, accesses: Sequence[Access], *, principal: str, how: str) -> None:
        rows = [
            {
                "principal": principal,
                "team": access.consumer,
                "purpose": access.purpose,
                "asset": access.asset,
                "verdict": access.verdict,
                "how": how,
            }
            for access in accesses
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(insert(reading), rows)
