"""The ledger of training sets: version, request and report; the rows themselves are in the lake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert

from ethogram.adapters.postgres.changes import write_change
from ethogram.adapters.postgres.tables import training_set


class PostgresTrainingSets:
    """Keeps `ports.TrainingSets`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, version: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """Request and report of a version; None where there is none."""
        query = select(training_set.c.request, training_set.c.report).where(training_set.c.version == version)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.request, row.report)

    def versions(self) -> list[str]:
        """All versions, newest first."""
        query = select(training_set.c.version).order_by(training_set.c.created_at.desc(), training_set.c.version)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def add(self, version: str, *, request: Mapping[str, Any], report: Mapping[str, Any], by: str) -> None:
        """Remember a version that the lake holds; the second time changes nothing."""
        row = {
            "version": version,
            "outcome": request["outcome"],
            "purpose": request["purpose"],
            "created_by": by,
            "request": dict(request),
            "report": dict(report),
        }
        statement = insert(training_set).values(row).on_conflict_do_nothing()
        with self._engine.begin() as connection:
            if connection.execute(statement.returning(training_set.c.version)).one_or_none():
                body = {"rows": report["rows"], "sha256": report["sha256"]}
                write_change(
                    connection, principal=by, action="training_set.made", subject=f"training_set {version}", body=body
                )
