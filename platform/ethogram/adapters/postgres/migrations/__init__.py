"""Migrations of our own tables: schemas `ethogram` and `online`. MLflow and Feast look after theirs.

A migration is `versions/NNNN_words.py`, its revision NNNN; the greatest is the head. A new one:
`python -m ethogram.adapters.postgres.migrations "what it does"` compares the tables with a migrated database, writes
the difference, and is then read and corrected by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from ethogram.adapters.postgres.errors import SchemaNewer

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent
VERSION_TABLE, VERSION_SCHEMA = "alembic_version", "ethogram"
SCHEMAS = ("ethogram", "online")

_LOCK = 7_306_085_222  # advisory lock of whoever migrates


def head() -> str:
    """The newest migration this code knows.

    >>> head() >= "0001"
    True
    """
    return max(path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


def current(connection: Connection) -> str | None:
    """The migration the database is at; None before the first."""
    # Not to_regclass: it may answer from a cache that has not heard of a commit we just waited for.
    there = connection.execute(
        text("SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'ethogram' AND tablename = 'alembic_version'")
    ).first()
    if there is None:
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM ethogram.alembic_version")).scalar()
    return found


def upgrade(engine: Engine) -> bool:
    """Bring the database to the head in one transaction; False if it was there. Any number may call at once.

    Raises:
        SchemaNewer: If a later version of this code has already brought it further.
    """
    with engine.begin() as connection:
        if _is_current(connection):
            return False
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if _is_current(connection):
            return False
        from alembic import command

        command.upgrade(config(connection), "head")
        return True


def config(connection: Connection) -> Config:
    """Alembic's configuration on an open connection."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def _is_current(connection: Connection) -> bool:
    found, known = current(connection), head()
    if found is not None and found > known:
        raise SchemaNewer(found, known)
    return found == known
