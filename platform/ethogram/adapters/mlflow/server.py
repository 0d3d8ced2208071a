"""MLflow's server for one workspace's state: a process of its own, behind our front and our guard.

MLflow keeps its stores in process-wide variables, so there is one state a process, and it is never mounted in ours.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ethogram.adapters.mlflow.environment import QUIET, Place, silence
from ethogram.errors import EthogramError

if TYPE_CHECKING:
    from ethogram.settings import Settings

SECRET = "ETHOGRAM_MLFLOW_SECRET"


class NoSecret(EthogramError):
    """MLflow's server was started by hand, without the word that only the front knows."""

    code = "no-secret"

    def __init__(self) -> None:
        super().__init__(f"{SECRET} is not set, so nobody could be told from anybody; start it with `ethogram up`")


def command(settings: Settings, *, port: int, secret: str, host: str = "127.0.0.1") -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of the server's process; `secret` is what the front sends in `guard.PROXY_HEADER`."""
    arguments = [sys.executable, "-m", "ethogram.adapters.mlflow.server", "--host", host, "--port", str(port)]
    environment = {
        **os.environ,
        **QUIET,
        "ETHOGRAM_WORKSPACE": str(settings.root),
        "ETHOGRAM_STATE": settings.state,
        "ETHOGRAM_PRINCIPAL": "",
        SECRET: secret,
    }
    return arguments, environment


def build() -> Any:
    """The guarded ASGI app; everything it needs is in the environment that `command` gives."""
    secret = os.environ.get(SECRET, "")
    if not secret:
        raise NoSecret
    silence()
    place = Place.parse(None)
    os.environ.update(
        {
            "_MLFLOW_SERVER_FILE_STORE": place.database_uri,
            "_MLFLOW_SERVER_REGISTRY_STORE": place.registry_uri,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": f"ethogram-artifacts:///?{place.query}",
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "MLFLOW_TRACKING_URI": place.database_uri,
            "MLFLOW_REGISTRY_URI": place.registry_uri,
            # The front checks hosts; here only it gets in.
            "MLFLOW_SERVER_ALLOWED_HOSTS": "*",
            "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX": r"^(models:/m-|runs:/|mlflow-artifacts:/).*",
        }
    )
    from ethogram.adapters.mlflow.guard import Guard
    from ethogram.adapters.mlflow.schema import ensure_schema

    ensure_schema(place)
    from mlflow.server.fastapi_app import create_fastapi_app

    return Guard(create_fastapi_app(), secret=secret)


def main() -> None:
    """`python -m ethogram.adapters.mlflow.server --port N`: one process, one worker, until it is stopped."""
    from argparse import ArgumentParser

    parser = ArgumentParser(description="MLflow's server for one workspace's state, behind our front.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    said = parser.parse_args()
    silence()

    import uvicorn

    try:
        app = build()
    except EthogramError as error:
        sys.exit(str(error))
    uvicorn.run(app, host=said.host, port=said.port, log_level="warning", access_log=False, server_header=False)


if __name__ == "__main__":
    main()
