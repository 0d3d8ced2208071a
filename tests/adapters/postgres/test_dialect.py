"""`postgresql+ethogram:///<schema>` for those who know nothing of workspaces: SQLAlchemy, MLflow, Feast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import make_url

from ethogram.adapters.postgres import server
from ethogram.adapters.postgres.dialect import EthogramDialect
from ethogram.errors import AskedWrongly


@pytest.fixture
def here(workspace: Path, state: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder inside the workspace, the state named by the environment."""
    monkeypatch.delenv("ETHOGRAM_WORKSPACE", raising=False)
    monkeypatch.setenv("ETHOGRAM_STATE", state)
    monkeypatch.chdir(workspace / "feature_repo")
    return workspace


def asked(url: str) -> tuple[str, str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        database, schema = connection.exec_driver_sql("SELECT current_database(), current_schema()").one()
    engine.dispose()
    return database, schema


@pytest.mark.usefixtures("here")
def test_the_url_finds_the_workspace_above_and_the_state_in_the_environment(state: str) -> None:
    assert asked("postgresql+ethogram:///feast") == (f"ethogram_{state}", "feast")


@pytest.mark.usefixtures("here")
def test_the_url_may_name_the_state(state: str) -> None:
    assert asked(f"postgresql+ethogram:///online?state={state}_url") == (f"ethogram_{state}_url", "online")


def test_the_environment_may_name_the_workspace(
    workspace: Path, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETHOGRAM_WORKSPACE", str(workspace))
    monkeypatch.setenv("ETHOGRAM_STATE", state)
    assert asked("postgresql+ethogram:///mlflow") == (f"ethogram_{state}", "mlflow")


def test_the_workspace_may_remember_the_state(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETHOGRAM_STATE", raising=False)
    (shop / ".ethogram").mkdir()
    (shop / ".ethogram" / "state").write_text("remembered\n")
    url = make_url("postgresql+ethogram:///feast").update_query_dict({"workspace": str(shop)})
    assert asked(url.render_as_string()) == ("ethogram_remembered", "feast")


@pytest.mark.usefixtures("here")
def test_an_engine_stays_with_its_workspace_when_the_process_goes_elsewhere(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine("postgresql+ethogram:///feast")
    monkeypatch.chdir(tmp_path)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT current_database()").scalar() == f"ethogram_{state}"
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["postgresql+ethogram://", "postgresql+ethogram://me:secret@host/feast", "postgresql+ethogram://host/feast"]
)
def test_a_url_that_says_too_much_or_too_little_is_told(url: str) -> None:
    with pytest.raises(AskedWrongly, match="write postgresql\\+ethogram:///SCHEMA") as told:
        create_engine(url)
    assert "secret" not in str(told.value)


def test_there_is_no_asynchronous_form() -> None:
    with pytest.raises(AskedWrongly, match="has no asynchronous form"):
        EthogramDialect.get_async_dialect_cls(make_url("postgresql+ethogram:///feast"))


@pytest.mark.usefixtures("here")
def test_mlflow_keeps_its_tables_and_its_migrations_in_its_own_schema(
    workspace: Path, state: str, tmp_path: Path
) -> None:
    from mlflow.entities import Param
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    url = "postgresql+ethogram:///mlflow"
    store = SqlAlchemyStore(url, str(tmp_path))
    experiment = store.create_experiment("lapse")
    run = store.create_run(experiment, "risk", 0, [], "first")
    store.log_param(run.info.run_id, Param("depth", "3"))
    assert SqlAlchemyStore(url, str(tmp_path)).get_run(run.info.run_id).data.params == {"depth": "3"}
    store.engine.dispose()
    with server.connect_psycopg(workspace, state) as connection:
        where = connection.execute(
            "SELECT DISTINCT table_schema FROM information_schema.tables "
            "WHERE table_name IN ('runs', 'alembic_version')"
        ).fetchall()
    assert where == [("mlflow",)]


@pytest.mark.usefixtures("here")
def test_feast_keeps_its_registry_in_its_own_schema() -> None:
    from feast import Entity, ValueType
    from feast.infra.registry.sql import SqlRegistry, SqlRegistryConfig

    config = SqlRegistryConfig(registry_type="sql", path="postgresql+ethogram:///feast", cache_ttl_seconds=0)
    registry = SqlRegistry(config, "shop", None)
    registry.apply_entity(Entity(name="customer", join_keys=["customer"], value_type=ValueType.STRING), "shop")
    assert [entity.name for entity in SqlRegistry(config, "shop", None).list_entities("shop")] == ["customer"]
    assert "entities" in inspect(registry.write_engine).get_table_names(schema="feast")
    registry.teardown()
    registry.write_engine.dispose()


def test_importing_the_package_loads_no_driver() -> None:
    code = (
        "import ethogram, sys; print([n for n in ('sqlalchemy', 'psycopg', 'alembic', 'psutil') if n in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
