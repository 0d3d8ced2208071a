"""What was applied: one current row per declared thing, each alteration in the ledger of changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ethogram.adapters.postgres.changes import write_changes
from ethogram.adapters.postgres.tables import declaration
from ethogram.core.plan import Declared

_APPLY = 7_306_085_231  # advisory lock of whoever applies
_PROJECTION = "projection"  # what others hold of what is applied: derived, declared by nobody


class PostgresDeclarations:
    """Keeps `ports.Declarations`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One apply at a time: who comes second waits and then sees what the first did."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(select(func.pg_advisory_lock(_APPLY)))
            try:
                yield
            finally:
                # Closed for good, not put back into the pool: what the server frees with it is the lock.
                connection.invalidate()

    def current(self) -> Mapping[tuple[str, str], str]:
        """Digest by (kind, name)."""
        with self._engine.connect() as connection:
            columns = (declaration.c.kind, declaration.c.name, declaration.c.digest)
            rows = connection.execute(select(*columns).where(declaration.c.kind != _PROJECTION))
            return {(row.kind, row.name): row.digest for row in rows}

    def published(self) -> str:
        """The digest of what Feast's registry was last made to hold; empty before the first time."""
        wanted = (declaration.c.kind == _PROJECTION) & (declaration.c.name == "feast")
        with self._engine.connect() as connection:
            return connection.execute(select(declaration.c.digest).where(wanted)).scalar() or ""

    def mark_published(self, digest: str) -> None:
        """Remember that Feast's registry holds what is applied under `digest`."""
        row = {"owner": "platform", "body": {}, "digest": digest, "origin": "", "applied_by": "platform"}
        new = insert(declaration).values(kind=_PROJECTION, name="feast", **row)
        with self._engine.begin() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=["kind", "name"], set_={"digest": digest}))

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
            values = [
                {
                    "kind": row.kind,
                    "name": row.name,
                    "owner": row.owner,
                    "body": dict(row.body),
                    "digest": row.digest,
                    "origin": row.origin,
                    "applied_by": by,
                }
                for row in rows
            ]
            if values:
                new = insert(declaration)
                altered = {column.name: new.excluded[column.name] for column in declaration.c if not column.primary_key}
                connection.execute(new.on_conflict_do_update(index_elements=["kind", "name"], set_=altered), values)
            for kind, name in removed:
                connection.execute(delete(declaration).where(declaration.c.kind == kind, declaration.c.name == name))
            changes = []
            for row in rows:
                earlier = before.get((row.kind, row.name))
                body = {"digest": row.digest, "before": earlier, "owner": row.owner, "origin": row.origin}
                changes.append(("change" if earlier else "create", f"{row.kind} {row.name}", body))
            for kind, name in removed:
                changes.append(("remove", f"{kind} {name}", {"before": before.get((kind, name))}))
            write_changes(connection, principal=by, altered=changes)
