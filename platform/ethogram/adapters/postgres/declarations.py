"""What was applied: one current row per declared thing, each alteration in the ledger of changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ethogram.adapters.postgres.changes import write_change
from ethogram.adapters.postgres.tables import declaration
from ethogram.core.plan import Declared


class PostgresDeclarations:
    """Keeps `ports.Declarations`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def current(self) -> Mapping[tuple[str, str], str]:
        """Digest by (kind, name)."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(declaration.c.kind, declaration.c.name, declaration.c.digest))
            return {(row.kind, row.name): row.digest for row in rows}

    def digest(self) -> str:
        """One digest over all that is applied, whatever order it was applied in."""
        lines = sorted(f"{kind} {name} {digest}" for (kind, name), digest in self.current().items())
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def replace(self, rows: Sequence[Declared], removed: Sequence[tuple[str, str]], *, by: str) -> None:
        """Make `rows` current and drop `removed`, with one change each, in one transaction."""
        with self._engine.begin() as connection:
            before = {
                (row.kind, row.name): row.digest
                for row in connection.execute(select(declaration.c.kind, declaration.c.name, declaration.c.digest))
            }
            for row in rows:
                values = {
                    "owner": row.owner,
                    "body": dict(row.body),
                    "digest": row.digest,
                    "origin": row.origin,
                    "applied_at": func.clock_timestamp(),
                    "applied_by": by,
                }
                statement = insert(declaration).values(kind=row.kind, name=row.name, **values)
                connection.execute(statement.on_conflict_do_update(index_elements=["kind", "name"], set_=values))
            for kind, name in removed:
                connection.execute(delete(declaration).where(declaration.c.kind == kind, declaration.c.name == name))
            for row in rows:
                earlier = before.get((row.kind, row.name))
                write_change(
                    connection,
                    principal=by,
                    action="change" if earlier else "create",
                    subject=f"{row.kind} {row.name}",
                    body={"digest": row.digest, "before": earlier, "owner": row.owner, "origin": row.origin},
                )
            for kind, name in removed:
                body = {"before": before.get((kind, name))}
                write_change(connection, principal=by, action="remove", subject=f"{kind} {name}", body=body)
