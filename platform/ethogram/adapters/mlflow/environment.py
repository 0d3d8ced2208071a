"""MLflow inside a workspace: where its parts are, and silence towards everybody else."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ethogram.settings import Settings

QUIET = {
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_AI_GATEWAY": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_ENABLE_REMOTE_ASSISTANT": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_LOGGED_MODEL_CREATION_WARNING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Where MLflow puts the artifacts of experiments that name no place, the default one among them.
    "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
    "GIT_PYTHON_REFRESH": "quiet",
}


def silence() -> None:
    """Turn off telemetry, jobs, gateway, assistant and unpickling; call it before `import mlflow`."""
    os.environ.update(QUIET)
    warnings.filterwarnings("ignore", message=r".*An input example was not provided", category=UserWarning)
    # SQLAlchemy 2.1 on mappings and migrations of MLflow's that are not ours to change.
    warnings.filterwarnings("ignore", message="The ``noload`` loader strategy is deprecated")


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace's state, as MLflow's addresses name it."""

    root: Path
    state: str

    @classmethod
    def of(cls, settings: Settings) -> Place:
        return cls(settings.root, settings.state)

    @classmethod
    def parse(cls, uri: str | None) -> Place:
        """From `…?workspace=…&state=…`; what it leaves out comes from the environment and the current folder."""
        from ethogram.settings import read_settings

        said = dict(parse_qsl(urlsplit(uri or "").query))
        named = {"ETHOGRAM_WORKSPACE": said["workspace"]} if "workspace" in said else {}
        settings = read_settings(state=said.get("state"), environment={**os.environ, **named})
        return cls(settings.root, settings.state)

    @property
    def query(self) -> str:
        return f"workspace={quote(str(self.root), safe='/')}&state={self.state}"

    @property
    def database_uri(self) -> str:
        """MLflow's tables, ungated: for the tracking store and for what the gated store is built on."""
        return f"postgresql+ethogram:///mlflow?{self.query}"

    @property
    def registry_uri(self) -> str:
        return f"ethogram:///mlflow?{self.query}"

    @property
    def artifacts(self) -> Path:
        return self.root / ".ethogram" / "artifacts" / self.state


@lru_cache(maxsize=8)
def engine_of(place: Place) -> Engine:
    """An engine on our own tables, one a process and place."""
    from ethogram.adapters.postgres.engine import open_engine

    return open_engine(place.root, place.state, pool_size=2)
