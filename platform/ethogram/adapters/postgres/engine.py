"""SQLAlchemy engines on the shared state, with our errors for a server in trouble."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

from ethogram.adapters.postgres.errors import translate


def open_engine(
    root: Path, state: str = "main", schema: str = "ethogram", *, migrate: bool = True, **options: Any
) -> Engine:
    """An engine whose search path is `schema`, its tables brought up to date.

    Connections are made when they are needed and the server is started then, so an engine outlives the server.
    A server that goes away in the middle of a session raises `ServerGone`.

    Args:
        root: The workspace's folder.
        state: Which of its states.
        schema: ethogram, mlflow, feast or online.
        migrate: Whether to run what migrations are missing; costs a few milliseconds if none is.
        options: Further parameters of `create_engine`.
    """
    url = URL.create("postgresql+ethogram", database=schema, query={"workspace": str(root.resolve()), "state": state})
    engine = create_engine(url, pool_pre_ping=True, **options)
    event.listen(engine, "handle_error", _translate)
    if migrate:
        from ethogram.adapters.postgres.migrations import upgrade

        upgrade(engine)
    return engine


def _translate(context: ExceptionContext) -> Exception | None:
    # A ping that fails means an old connection in the pool, which is replaced silently.
    if context.is_pre_ping or not isinstance(context.original_exception, psycopg.Error):
        return None
    return translate(context.original_exception)
