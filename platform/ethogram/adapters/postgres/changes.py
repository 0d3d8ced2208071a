"""The hash-chained ledger of what we altered: each row's hash covers the row and the hash before it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, Engine, cast, func, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB

from ethogram.adapters.postgres.tables import change
from ethogram.core.models.digest import canonical

FIRST = "0" * 64
_LOCK = 7_306_085_230  # advisory lock of whoever appends: the chain has one end


@dataclass(frozen=True, slots=True)
class BrokenChain:
    """Where the ledger stops adding up, and why."""

    seq: int
    reason: str


def write_change(connection: Connection, *, principal: str, action: str, subject: str, body: Mapping[str, Any]) -> int:
    """Append one change in the caller's transaction; its sequence number.

    Other writers wait until that transaction ends, so write it last.
    """
    return write_changes(connection, principal=principal, altered=[(action, subject, body)])


def write_changes(
    connection: Connection, *, principal: str, altered: Sequence[tuple[str, str, Mapping[str, Any]]]
) -> int:
    """Append changes (action, subject, body) of one instant, in order; the last one's sequence number."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = connection.execute(select(change.c.seq, change.c.hash).order_by(change.c.seq.desc()).limit(1)).first()
    seq, previous = (int(last.seq), str(last.hash)) if last else (0, FIRST)
    # Bodies as the database spells them: jsonb reads 1e20 back as an integer, and the hash must hold for what is read.
    at, bodies = connection.execute(
        select(func.clock_timestamp(), cast([dict(body) for _, _, body in altered], JSONB))
    ).one()
    rows = []
    for (action, subject, _), body in zip(altered, bodies, strict=True):
        seq += 1
        row = {
            "seq": seq,
            "at": at.astimezone(UTC),
            "principal": principal,
            "action": action,
            "subject": subject,
            "body": body,
            "previous": previous,
        }
        previous = _hash(row)
        rows.append({**row, "hash": previous})
    if rows:
        connection.execute(insert(change), rows)
    return seq


def verify(connection: Connection) -> BrokenChain | None:
    """The first place where the ledger was altered, or None; a changed, dropped or slipped-in row breaks the chain."""
    previous, expected = FIRST, 1
    for row in connection.execution_options(yield_per=1000).execute(select(change).order_by(change.c.seq)).mappings():
        seq = int(row["seq"])
        if seq != expected:
            return BrokenChain(expected, f"change {expected} is gone")
        if row["previous"] != previous:
            return BrokenChain(seq, f"change {seq} does not follow change {seq - 1}")
        if row["hash"] != _hash(row):
            return BrokenChain(seq, f"change {seq} was altered")
        previous, expected = row["hash"], seq + 1
    return None


class PostgresChanges:
    """`ports.Changes`, each write in a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def write(self, *, principal: str, action: str, subject: str, body: Mapping[str, Any]) -> int:
        with self.engine.begin() as connection:
            return write_change(connection, principal=principal, action=action, subject=subject, body=body)

    def verify(self) -> BrokenChain | None:
        with self.engine.connect() as connection:
            return verify(connection)


def _hash(row: Mapping[Any, Any]) -> str:
    said = {name: row[name] for name in ("seq", "principal", "action", "subject", "body", "previous")}
    return hashlib.sha256(canonical({**said, "at": row["at"].astimezone(UTC).isoformat()})).hexdigest()
