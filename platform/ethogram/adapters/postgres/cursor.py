"""A psycopg cursor in a transaction of its own, for what SQLAlchemy has no words for: COPY."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine

from ethogram.adapters.postgres.errors import translated


@contextmanager
def cursor(engine: Engine) -> Iterator[Any]:
    """Committed at the end of the block, rolled back if it raises; a server that goes away is `ServerGone`."""
    with translated():
        connection = engine.raw_connection()
        driver: Any = connection.driver_connection  # psycopg's own, whose cursors are contexts
        try:
            with driver.cursor() as opened:
                yield opened
            connection.commit()
        except BaseException:
            connection.invalidate() if driver.broken else connection.rollback()
            raise
        finally:
            connection.close()
