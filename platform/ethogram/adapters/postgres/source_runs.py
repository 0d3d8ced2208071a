"""The ledger of what was taken in, and what was kept back."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, func, insert, select, text, update

from ethogram.adapters.postgres.cursor import cursor
from ethogram.adapters.postgres.errors import ServerTrouble
from ethogram.adapters.postgres.tables import behavior_profile, quarantine, source_run, source_unit
from ethogram.core.sources.errors import SourceBusy
from ethogram.ports import RawUnit

LOCK_WAIT_S = 3.0


class PostgresSourceRuns:
    """Keeps `ports.SourceRuns`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def locked(self, source: str) -> Iterator[None]:
        """Nobody else takes the source in meanwhile; the server frees the lock of a process that was killed."""
        number = int.from_bytes(hashlib.sha256(f"ingest {source}".encode()).digest()[:8], "big", signed=True)
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # The server takes a moment to notice that the process before us was killed.
            patience = time.monotonic() + LOCK_WAIT_S
            while not connection.scalar(select(func.pg_try_advisory_lock(number))):
                if time.monotonic() > patience:
                    raise SourceBusy(source)
                time.sleep(0.05)
            try:
                yield
            finally:
                try:
                    connection.scalar(select(func.pg_advisory_unlock(number)))
                except ServerTrouble:
                    connection.invalidate()  # its lock went with the server

    def generation(self, source: str) -> int:
        """How often everything of the source was dropped to be taken in anew."""
        with self._engine.connect() as connection:
            dropped = source_run.c.report["dropped"].as_boolean()
            found = connection.scalar(
                select(func.count()).select_from(source_run).where(source_run.c.source == source, dropped)
            )
        return int(found or 0)

    def start(self, run: str, *, source: str, principal: str, at: datetime) -> None:
        """Open a run; runs of the source that were cut short are closed as failed."""
        with self._engine.begin() as connection:
            connection.execute(
                update(source_run)
                .where(source_run.c.source == source, source_run.c.state == "running")
                .values(
                    state="failed",
                    finished_at=at,
                    report=source_run.c.report.concat(func.jsonb_build_object("error", "it was cut short")),
                )
            )
            connection.execute(
                insert(source_run).values(run=run, source=source, principal=principal, started_at=at, state="running")
            )

    def finish(self, run: str, *, state: str, report: Mapping[str, Any], at: datetime) -> None:
        """Close a run as "done" or "failed"."""
        with self._engine.begin() as connection:
            connection.execute(
                update(source_run)
                .where(source_run.c.run == run)
                .values(state=state, finished_at=at, report=source_run.c.report.concat(dict(report)))
            )

    def units(self, source: str) -> Mapping[str, tuple[str, str]]:
        """Path and mapping digest by unit, of what is in."""
        with self._engine.connect() as connection:
            wanted = select(source_unit.c.unit, source_unit.c.path, source_unit.c.mapping)
            rows = connection.execute(wanted.where(source_unit.c.source == source)).all()
        return {unit: (path, mapping) for unit, path, mapping in rows}

    def add_unit(
        self,
        unit: RawUnit,
        *,
        source: str,
        run: str,
        mapping: str,
        report: Mapping[str, Any],
        quarantined: Iterable[tuple[int, str, str]],
    ) -> None:
        """Enter a unit and the rows it kept back, in one transaction."""
        with cursor(self._engine) as sql:
            sql.execute("delete from ethogram.quarantine where source = %s and unit = %s", (source, unit.id))
            columns = "(source, unit, row, path, run, reasons, raw)"
            with sql.copy(f"copy ethogram.quarantine {columns} from stdin") as copy:
                for row, reasons, raw in quarantined:
                    copy.write_row((source, unit.id, row, unit.path, run, _clean(reasons), _clean(raw)))
            sql.execute(
                "insert into ethogram.source_unit (source, unit, path, mapping, run, report) "
                "values (%s, %s, %s, %s, %s, %s::jsonb)",
                (source, unit.id, unit.path, mapping, run, json.dumps(report)),
            )

    def drop(self, source: str, *, run: str) -> None:
        """Forget every unit of the source, in one transaction that counts as a new generation."""
        with self._engine.begin() as connection:
            connection.execute(delete(quarantine).where(quarantine.c.source == source))
            connection.execute(delete(source_unit).where(source_unit.c.source == source))
            connection.execute(
                update(source_run).where(source_run.c.run == run).values(report=text("'{\"dropped\": true}'::jsonb"))
            )

    def profile(self, behavior: str, weeks: Mapping[datetime, int]) -> None:
        """Replace the behavior's events per week."""
        with self._engine.begin() as connection:
            connection.execute(delete(behavior_profile).where(behavior_profile.c.behavior == behavior))
            if weeks:
                rows = [{"behavior": behavior, "week": week, "events": n} for week, n in weeks.items()]
                connection.execute(insert(behavior_profile), rows)


def _clean(text: str) -> str:
    # PostgreSQL's JSON has no NUL; the sign for it keeps the row readable.
    return text.replace("\\u0000", "␀").replace("\0", "␀")
