"""The shared state's server, by workspace and state: the embedded one, or the one ETHOGRAM_DATABASE_URL names.

A state is one database with four schemas. With ETHOGRAM_DATABASE_URL it is the database that the URL names.

    ensure(root, "main")                    # there is a server and a database
    with connect_psycopg(root, "main") as connection: …
    stop(root)                              # `ethogram down`
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ethogram.adapters.postgres.cluster import Cluster
from ethogram.adapters.postgres.errors import DatabaseRefused, NoSuchState, ServerTrouble, translate
from ethogram.errors import AskedWrongly

SCHEMAS = ("ethogram", "mlflow", "feast", "online")

_LOCK = 7_306_085_221  # advisory lock of whoever creates databases and schemas
_STATE = re.compile(r"[a-z][a-z0-9_]{0,40}")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_prepared: set[str] = set()  # servers of the user's whose schemas this process has seen


def database_of(state: str) -> str:
    """The database that holds a state.

    >>> database_of("oulad")
    'ethogram_oulad'
    """
    if not _STATE.fullmatch(state):
        raise AskedWrongly(f"state {state!r} is not a name; use lower-case letters, digits and _, at most 41")
    return f"ethogram_{state}"


def ensure(root: Path, state: str = "main") -> None:
    """Make sure that a server runs and that the state's database and schemas exist; any number may call at once."""
    connect_psycopg(root, state).close()


def conninfo(root: Path, state: str = "main", schema: str = "ethogram") -> dict[str, Any]:
    """Parameters for `psycopg.connect(**…)`, the server running; no password among the embedded server's.

    The address holds until the server is next stopped; whoever connects again and again calls `connect_psycopg`.
    """
    ensure(root, state)
    url = os.environ.get("ETHOGRAM_DATABASE_URL")
    address = _external(url) if url else {**Cluster(root).address(), "dbname": database_of(state)}
    return {**address, "options": _options(schema, address)}


def connect_psycopg(
    root: Path, state: str = "main", schema: str = "ethogram", **options: Any
) -> psycopg.Connection[Any]:
    """A psycopg connection with `schema` as its search path; server and database are made when they are missing.

    Args:
        root: The workspace's folder.
        state: Which of its states.
        schema: ethogram, mlflow, feast or online.
        options: Further parameters of `psycopg.connect`, e.g. `autocommit=True`.

    Raises:
        ServerTrouble: If there is no way to get one; says what to do.
    """
    try:
        url = os.environ.get("ETHOGRAM_DATABASE_URL")
        if url:
            return _connect_external(url, schema, options)
        return _connect_embedded(Cluster(root), database_of(state), schema, options)
    except psycopg.OperationalError as error:
        raise _refused(error) from error


def stop(root: Path) -> bool:
    """Stop the workspace's embedded server; False if none ran. A server of the user's is left alone."""
    return Cluster(root).stop()


def remove(root: Path) -> None:
    """Stop the embedded server and delete its data, wherever that is. There is no way back."""
    cluster = Cluster(root)
    cluster.stop(for_good=True)
    if cluster.place != cluster.home:
        shutil.rmtree(cluster.place, ignore_errors=True)
    shutil.rmtree(cluster.home, ignore_errors=True)


def create_state(root: Path, state: str, *, template: str | None = None) -> None:
    """Create a state as a copy of another one (migrated, filled), which nobody may be connected to meanwhile.

    Nothing happens if it exists. Without `template` it is empty but for its schemas.
    """
    cluster = Cluster(root)
    source = database_of(template) if template else None
    try:
        _create_database(cluster, database_of(state), template=source)
    except psycopg.errors.InvalidCatalogName as error:
        raise NoSuchState(f"{root}: there is no state {template!r} to copy; create it by opening it") from error
    except psycopg.errors.ObjectInUse as error:
        raise ServerTrouble(
            f"{root}: somebody is connected to the state {template!r}, so it cannot be copied now; "
            "close its engines and connections first"
        ) from error
    except psycopg.OperationalError as error:
        raise _refused(error) from error


def drop_state(root: Path, state: str) -> None:
    """Drop a state's database, whoever is connected to it. There is no way back."""
    with Cluster(root).connect("postgres", autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database_of(state)))
        )


def states(root: Path) -> list[str]:
    """The states that have a database in the embedded server, in order."""
    with Cluster(root).connect("postgres") as connection:
        rows = connection.execute(
            r"SELECT substr(datname, 10) FROM pg_database WHERE datname LIKE 'ethogram\_%' ORDER BY 1"
        )
        return [name for (name,) in rows]


def _connect_embedded(cluster: Cluster, database: str, schema: str, options: dict[str, Any]) -> psycopg.Connection[Any]:
    options = {**options, "options": _options(schema, options)}
    try:
        return cluster.connect(database, **options)
    except psycopg.OperationalError as error:
        if f'database "{database}" does not exist' not in str(error):
            raise
    _create_database(cluster, database)
    return cluster.connect(database, **options)


def _create_database(cluster: Cluster, database: str, *, template: str | None = None) -> None:
    """Under another name first: a database that has its name has its schemas."""
    scratch = f"new_{database}"
    with cluster.connect("postgres", autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            return
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(scratch)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(scratch), sql.Identifier(template or "template0")
            )
        )
        if template is None:
            with cluster.connect(scratch) as inside:
                _create_schemas(inside)
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(scratch), sql.Identifier(database))
        )


def _create_schemas(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    for schema in SCHEMAS:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))


def _connect_external(url: str, schema: str, options: dict[str, Any]) -> psycopg.Connection[Any]:
    address = _external(url)
    if url not in _prepared:
        with psycopg.connect(**address) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_namespace WHERE nspname = ANY(%s)", (list(SCHEMAS),)
            ).fetchone()
            if found != (len(SCHEMAS),):
                try:
                    _create_schemas(connection)
                except psycopg.errors.InsufficientPrivilege as error:
                    info = connection.info
                    raise DatabaseRefused(
                        f"database {info.dbname!r} at {info.host}: role {info.user!r} may not create the schemas "
                        f"{', '.join(SCHEMAS)}; GRANT CREATE ON DATABASE {info.dbname} TO {info.user}"
                    ) from error
        _prepared.add(url)
    return psycopg.connect(**{**address, **options, "options": _options(schema, {**address, **options})})


def _external(url: str) -> dict[str, Any]:
    """The user's URL as parameters; a SQLAlchemy driver in its scheme is dropped."""
    try:
        return {
            "connect_timeout": 30,
            "application_name": "ethogram",
            **conninfo_to_dict(re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", url)),
        }
    except psycopg.ProgrammingError:
        # Not chained: libpq's message repeats the URL, password and all.
        raise ServerTrouble(
            "ETHOGRAM_DATABASE_URL is no PostgreSQL URL; write postgresql://user:password@host:5432/database"
        ) from None


def _options(schema: str, given: dict[str, Any]) -> str:
    if not _SCHEMA.fullmatch(schema):
        raise AskedWrongly(f"schema {schema!r} is not a name; use one of {', '.join(SCHEMAS)}")
    return f"{given.get('options') or ''} -c search_path={schema}".strip()


def _refused(error: psycopg.OperationalError) -> Exception:
    said = " ".join(str(error).split())
    trouble = translate(error) if "No space left" in said or "FATAL:" not in said else None
    if trouble is not None and trouble.code == "no-space":
        return trouble
    external = "ETHOGRAM_DATABASE_URL" if os.environ.get("ETHOGRAM_DATABASE_URL") else "the embedded server"
    return DatabaseRefused(f"{external}: no connection ({said}); check it with `ethogram doctor`")
