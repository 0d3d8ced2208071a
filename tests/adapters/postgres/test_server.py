"""States, and a server of the user's in place of the embedded one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import inspect

from ethogram.adapters.postgres import cluster, server
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.errors import DatabaseRefused, NoSuchState, ServerGone, ServerTrouble
from ethogram.errors import AskedWrongly

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Theirs:
    """A bare database of the user's on a server of the user's."""

    name: str
    url: str


@pytest.fixture
def theirs(kept: Path) -> Theirs:
    name = f"theirs_{next(_numbers)}"
    with server.connect_psycopg(kept, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'open-sesame'")
        connection.execute(f"CREATE ROLE {name}_guest LOGIN PASSWORD 'open-sesame'")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
    host = quote(cluster.Cluster(kept).address()["host"], safe="")
    return Theirs(name, f"postgresql+psycopg://{name}:open-sesame@/{name}?host={host}")


def test_a_state_is_one_database_with_four_schemas_in_utf_8_ordered_by_code_point(workspace: Path, state: str) -> None:
    with server.connect_psycopg(workspace, state) as connection:
        schemas = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s)", (list(server.SCHEMAS),)
        )
        assert {name for (name,) in schemas} == set(server.SCHEMAS)
        facts = connection.execute(
            "SELECT current_database(), pg_encoding_to_char(encoding), datlocprovider, datlocale FROM pg_database "
            "WHERE datname = current_database()"
        ).fetchone()
        assert facts == (f"ethogram_{state}", "UTF8", "b", "C.UTF-8")
        assert connection.execute("SELECT 'Z' < 'a', 'é' > 'z', upper('é')").fetchone() == (True, True, "É")
    assert state in server.states(workspace)


def test_a_state_copied_from_another_has_its_rows_and_goes_its_own_way(workspace: Path, state: str) -> None:
    with server.connect_psycopg(workspace, state) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'first' AS text")
        with pytest.raises(ServerTrouble, match="somebody is connected to the state"):
            server.create_state(workspace, f"{state}_copy", template=state)
    server.create_state(workspace, f"{state}_copy", template=state)
    server.create_state(workspace, f"{state}_copy", template=state)
    with server.connect_psycopg(workspace, f"{state}_copy") as connection:
        assert connection.execute("SELECT text FROM note").fetchone() == ("first",)
    server.drop_state(workspace, f"{state}_copy")
    assert f"{state}_copy" not in server.states(workspace)
    with pytest.raises(NoSuchState, match="there is no state 'nowhere' to copy"):
        server.create_state(workspace, f"{state}_copy", template="nowhere")


@pytest.mark.parametrize("state", ["", "Main", "a-b", "x" * 42, 'a"; DROP DATABASE postgres; --'])
def test_a_states_name_is_checked_before_it_is_used(workspace: Path, state: str) -> None:
    with pytest.raises(AskedWrongly, match="is not a name"):
        server.connect_psycopg(workspace, state)


def test_a_schemas_name_is_checked_before_it_is_used(workspace: Path) -> None:
    with pytest.raises(AskedWrongly, match="use one of ethogram, mlflow, feast, online"):
        server.connect_psycopg(workspace, "main", "a -c x=y")


def test_a_server_of_the_users_is_used_as_its_url_says_and_gets_the_schemas(
    theirs: Theirs, new_workspace: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = new_workspace("elsewhere")
    monkeypatch.setenv("ETHOGRAM_DATABASE_URL", theirs.url)
    engine = open_engine(root, "oulad", "feast")
    with engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT current_database(), current_user, current_schema()").one()
    assert tuple(row) == (theirs.name, theirs.name, "feast")
    assert set(server.SCHEMAS) <= set(inspect(engine).get_schema_names())
    assert "row" in inspect(engine).get_table_names(schema="online")
    engine.dispose()
    assert psycopg.connect(**server.conninfo(root)).execute("SELECT current_database()").fetchone() == (theirs.name,)
    assert not (root / ".ethogram").exists()
    assert not server.stop(root)


def test_no_message_and_no_url_shows_the_password_of_a_server_of_the_users(
    theirs: Theirs, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = theirs.url
    monkeypatch.setenv("ETHOGRAM_DATABASE_URL", url)
    engine = open_engine(shop, migrate=False)
    assert "open-sesame" not in f"{engine!r} {engine.url} {engine.url.render_as_string(hide_password=False)}"
    engine.dispose()
    monkeypatch.setenv("ETHOGRAM_DATABASE_URL", url.replace("open-sesame", "close-sesame"))
    with pytest.raises(DatabaseRefused, match=f'password authentication failed for user "{theirs.name}"') as told:
        server.ensure(shop)
    assert "sesame" not in str(told.value)
    monkeypatch.setenv("ETHOGRAM_DATABASE_URL", "postgresql://u:open-sesame@h/d?nonsense=1")
    with pytest.raises(ServerTrouble, match="is no PostgreSQL URL") as told:
        server.ensure(shop)
    assert "sesame" not in str(told.value) + str(told.value.__cause__)


def test_a_role_that_may_not_create_schemas_is_told_what_to_grant(
    theirs: Theirs, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETHOGRAM_DATABASE_URL", theirs.url.replace(":open", "_guest:open"))
    with pytest.raises(DatabaseRefused, match=f"GRANT CREATE ON DATABASE {theirs.name} TO {theirs.name}_guest"):
        server.ensure(shop)


def test_a_server_of_the_users_that_is_down_is_told(
    theirs: Theirs, kept: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop(kept)
    monkeypatch.setenv("ETHOGRAM_DATABASE_URL", theirs.url)
    with pytest.raises(DatabaseRefused, match="ETHOGRAM_DATABASE_URL: no connection"):
        server.ensure(shop)


def test_a_full_server_is_told_and_not_taken_for_a_dead_one(breakable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.stop(breakable)
    monkeypatch.setitem(cluster._SETTINGS, "max_connections", "6")
    with ExitStack() as stack:
        held: list[psycopg.Connection[Any]] = []

        def hold_another() -> None:
            held.append(stack.enter_context(server.connect_psycopg(breakable, autocommit=True)))

        hold_another()
        with pytest.raises(DatabaseRefused, match="sorry, too many clients already"):
            [hold_another() for _ in range(6)]
        assert [one.execute("SELECT 1").fetchone() for one in held] == [(1,)] * len(held)


def test_a_session_that_an_administrator_ends_is_told_clearly(workspace: Path, state: str) -> None:
    engine = open_engine(workspace, state)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        with server.connect_psycopg(workspace, state, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(ServerGone, match="terminating connection due to administrator command"):
            connection.exec_driver_sql("SELECT 1")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    engine.dispose()
