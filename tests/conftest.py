"""What every test may ask for: the shared data, a workspace of its own, a state in the session's one server."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test may fail because a machine is slow.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

PROJECT = Path(__file__).resolve().parent.parent
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real public data; skips where it is absent, except on CI, where it must be there."""
    place = Path(os.environ.get("ETHOGRAM_SHARED_DATA", PROJECT.parent / "shared" / "data"))
    if not place.is_dir():
        message = f"no real data at {place}; set ETHOGRAM_SHARED_DATA"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return place


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the reference workspace with one database server for the whole session."""
    root = tmp_path_factory.mktemp("workspace")
    for folder in ("feature_repo", "contracts", "registry"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    yield root
    from ethogram.adapters.postgres import server

    server.remove(root)  # as root its data may be outside of the workspace


@pytest.fixture(scope="module")
def state(workspace: Path) -> str:
    """Name of a state that no other test module uses; its database and lake are made on first use."""
    return f"t{os.getpid()}_{next(_numbers)}"
