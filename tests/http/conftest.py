"""A seeded store and the front over it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from ethogram.adapters.postgres.catalog import PostgresCatalog
from ethogram.adapters.postgres.engine import open_engine
from ethogram.http.app import create_app


@pytest.fixture(scope="session")
def seed() -> ModuleType:
    """The module seed.py beside this file."""
    spec = importlib.util.spec_from_file_location("catalog_seed", Path(__file__).with_name("seed.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def engine(workspace: Path, state: str) -> Iterator[Engine]:
    """An empty state of this module."""
    engine = open_engine(workspace, state)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def seeded(engine: Engine, seed: ModuleType) -> PostgresCatalog:
    """The reader over a store with something of everything."""
    seed.fill(engine)
    return PostgresCatalog(engine)


@pytest.fixture(scope="module")
def client(seeded: PostgresCatalog, seed: ModuleType) -> Iterator[TestClient]:
    """The front over the seeded store, asked as localhost."""
    app = create_app(seeded, mlflow_url=None, now=lambda: seed.NOW)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client
