"""Artifacts of a workspace, sealed once a version is registered from them: the entry points only.

`ethogram-artifacts:///` is what MLflow's server writes to. `mlflow-artifacts:/…`, the address that the server hands
out, is read and written in place by whoever uses the workspace's database directly, and over HTTP by everybody else.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit


def build(artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> Any:
    """The sealed repository behind MLflow's server."""
    from ethogram.adapters.mlflow.environment import Place

    return _sealed(artifact_uri, Place.parse(artifact_uri), tracking_uri, registry_uri)


def build_proxied(artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> Any:
    """For `mlflow-artifacts:/…`: over HTTP as ever, or in place when tracking goes to a workspace's database."""
    from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository
    from mlflow.tracking import get_tracking_uri

    from ethogram.adapters.mlflow.environment import Place

    tracked = tracking_uri or get_tracking_uri()
    if urlsplit(tracked).scheme not in ("ethogram", "postgresql+ethogram"):
        return MlflowArtifactsRepository(artifact_uri, tracking_uri=tracking_uri, registry_uri=registry_uri)
    return _sealed(artifact_uri, Place.parse(tracked), tracking_uri, registry_uri)


def _sealed(artifact_uri: str, place: Any, tracking_uri: str | None, registry_uri: str | None) -> Any:
    from ethogram.adapters.mlflow.sealed_repository import SealedRepository

    below = unquote(urlsplit(artifact_uri).path).strip("/")
    return SealedRepository(place, below, tracking_uri=tracking_uri, registry_uri=registry_uri)
