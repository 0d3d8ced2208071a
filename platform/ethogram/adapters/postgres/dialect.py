"""`postgresql+ethogram:///<schema>`: a SQLAlchemy URL that finds the workspace's server by itself.

`feature_store.yaml` and MLflow use it, so that no socket path and no password is ever written down. Workspace and
state come from the URL (`?workspace=…&state=…`), else from the environment and the current folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL

from ethogram.errors import AskedWrongly


class EthogramDialect(PGDialect_psycopg):
    """psycopg's dialect with another way to connect; its name stays "postgresql", as MLflow and Feast expect."""

    driver = "ethogram"
    supports_statement_cache = True

    def create_connect_args(self, url: URL) -> tuple[list[Any], dict[str, Any]]:
        """Where to connect, fixed when the engine is made: changing folder later changes nothing."""
        from ethogram.settings import read_settings

        if url.host or url.username or url.password or not url.database:
            raise AskedWrongly(
                f"{url.render_as_string(hide_password=True)}: write postgresql+ethogram:///SCHEMA, e.g. …:///feast; "
                "a server of your own goes into ETHOGRAM_DATABASE_URL"
            )
        query = dict(url.query)
        workspace, state = query.pop("workspace", None), query.pop("state", None)
        if isinstance(workspace, tuple) or isinstance(state, tuple):
            raise AskedWrongly(f"{url.render_as_string()}: workspace and state may be given once")
        if workspace is None or state is None:
            named = {"ETHOGRAM_WORKSPACE": workspace} if workspace else {}
            settings = read_settings(state=state, environment={**os.environ, **named})
            workspace, state = workspace or str(settings.root), settings.state
        _, options = super().create_connect_args(URL.create("postgresql+psycopg", query=query))  # type: ignore[no-untyped-call]  # SQLAlchemy's own
        return [], {**options, "root": Path(workspace), "state": state, "schema": url.database}

    def connect(self, *args: Any, **params: Any) -> Any:
        """A connection, the server started if it does not run."""
        from ethogram.adapters.postgres.server import connect_psycopg

        return connect_psycopg(*args, **params)

    @classmethod
    def get_async_dialect_cls(cls, url: URL) -> Any:
        """There is no asynchronous form."""
        raise AskedWrongly(f"{url.render_as_string()}: has no asynchronous form; use psycopg with server.conninfo()")
