"""Migrations bring a database to what `tables.py` says, once, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.errors import SchemaNewer
from ethogram.adapters.postgres.migrations import SCHEMAS, VERSION_SCHEMA, config, current, head, upgrade
from ethogram.adapters.postgres.tables import metadata


@pytest.fixture
def engine(workspace: Path, state: str) -> Iterator[Engine]:
    # From another schema: Alembic takes the schema of the search path for nameless.
    engine = open_engine(workspace, state, "mlflow")
    yield engine
    engine.dispose()


def test_a_migrated_database_is_what_the_tables_say(engine: Engine) -> None:
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name in SCHEMAS,
            "version_table_schema": VERSION_SCHEMA,
            "compare_server_default": True,
            "target_metadata": metadata,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_comparison_sees_every_table(engine: Engine) -> None:
    found = {f"{schema}.{name}" for schema in SCHEMAS for name in inspect(engine).get_table_names(schema=schema)}
    assert found == set(metadata.tables) | {"ethogram.alembic_version"}


def test_the_head_by_file_name_is_alembics_head(engine: Engine) -> None:
    with engine.connect() as connection:
        assert ScriptDirectory.from_config(config(connection)).get_heads() == [head()]
        assert current(connection) == head()


def test_eight_upgrades_at_once_run_each_migration_once(workspace: Path, state: str) -> None:
    engine = open_engine(workspace, f"{state}_eight", migrate=False, pool_size=8)
    with ThreadPoolExecutor(8) as pool:
        ran = list(pool.map(lambda _: upgrade(engine), range(8)))
    assert sorted(ran) == [False] * 7 + [True]
    engine.dispose()


def test_a_database_of_a_later_release_is_left_alone(workspace: Path, state: str) -> None:
    engine = open_engine(workspace, f"{state}_newer")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ethogram.alembic_version SET version_num = '9999'")
    with pytest.raises(
        SchemaNewer, match=f"at migration 9999, this ethogram knows them up to {head()}; upgrade ethogram"
    ):
        upgrade(engine)
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing(workspace: Path, state: str) -> None:
    engine = open_engine(workspace, f"{state}_fails", migrate=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE online.row (taken int)")
    with pytest.raises(Exception, match='relation "row" already exists'):
        upgrade(engine)
    assert inspect(engine).get_table_names(schema="ethogram") == []
    engine.dispose()
