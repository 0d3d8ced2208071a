"""The ledger of tiles: which days are made, of which versions of the event tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.dialects.postgresql import insert

from ethogram.adapters.postgres.tables import tile_day
from ethogram.core.signals.tiles import BackfillBusy

_RECENT = 400


class PostgresTiles:
    """Keeps `ports.TileLedger`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """One backfill of a table at a time; the server frees the lock of a process that was killed."""
        number = int.from_bytes(hashlib.sha256(f"backfill {table}".encode()).digest()[:8], "big", signed=True)
        with self._engine.begin() as connection:
            if not connection.scalar(select(func.pg_try_advisory_xact_lock(number))):
                raise BackfillBusy(table)
            yield

    def days(self, table: str) -> dict[date, tuple[str, Mapping[str, int]]]:
        """By day: the tiling's digest, and the version of each event table that went in."""
        asked = select(tile_day.c.day, tile_day.c.digest, tile_day.c.versions).where(tile_day.c.table == table)
        with self._engine.connect() as connection:
            return {day: (digest, versions) for day, digest, versions in connection.execute(asked)}

    def note(
        self, table: str, digest: str, days: Iterable[date], versions: Mapping[str, int], *, events: int, seconds: float
    ) -> None:
        """Enter days, in one transaction; what was said of them before is replaced."""
        listed = list(days)
        if not listed:
            return
        share = {"events": events // len(listed), "seconds": seconds / len(listed)}
        rows = [{"table": table, "day": day, "digest": digest, "versions": dict(versions), **share} for day in listed]
        stated = insert(tile_day)
        said = stated.excluded
        update: dict[str, Any] = {"digest": said.digest, "versions": said.versions}
        if events:
            update |= {"events": said.events, "seconds": said.seconds, "done_at": func.clock_timestamp()}
        with self._engine.begin() as connection:
            connection.execute(stated.on_conflict_do_update(index_elements=["table", "day"], set_=update), rows)

    def rate(self) -> float | None:
        """Events a second, as the latest backfills went; None before the first."""
        recent = (
            select(tile_day.c.events, tile_day.c.seconds)
            .where(tile_day.c.events > 0)
            .order_by(tile_day.c.done_at.desc())
            .limit(_RECENT)
            .subquery()
        )
        with self._engine.connect() as connection:
            events, seconds = connection.execute(select(func.sum(recent.c.events), func.sum(recent.c.seconds))).one()
        return float(events) / float(seconds) if events and seconds else None
