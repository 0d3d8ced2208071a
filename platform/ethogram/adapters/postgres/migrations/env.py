"""Alembic's entry: runs on the connection that `upgrade` opened, in its transaction."""

from __future__ import annotations

from typing import Any

from alembic import context

from ethogram.adapters.postgres.migrations import SCHEMAS, VERSION_SCHEMA, VERSION_TABLE
from ethogram.adapters.postgres.tables import metadata


def _ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "schema" or name in SCHEMAS


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    version_table_schema=VERSION_SCHEMA,
    include_schemas=True,
    include_name=_ours,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
