"""A local artifact repository whose registered models cannot be overwritten, added to or deleted."""

from __future__ import annotations

import posixpath
import re
from collections.abc import AsyncIterable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from sqlalchemy import text

from ethogram.adapters.mlflow.environment import Place, engine_of
from ethogram.adapters.mlflow.schema import ensure_schema

_ADDRESS = re.compile(r"^[a-z-]+:/+")


def sealed_locations(place: Place) -> list[str]:
    """Folders below the artifact root from which a version is registered."""
    ensure_schema(place)
    with engine_of(place).connect() as connection:
        rows = connection.execute(
            text(
                "SELECT coalesce(storage_location, source) FROM mlflow.model_versions"
                " WHERE current_stage <> 'Deleted_Internal'"
            )
        ).scalars()
        folders = (posixpath.normpath(_ADDRESS.sub("", address)) for address in rows if address)
        # A folder at the top would seal everything: nobody's model is a whole experiment.
        return [folder for folder in folders if folder.count("/")]


class SealedRepository(LocalArtifactRepository):
    """`below` the artifact root of `place`."""

    def __init__(self, place: Place, below: str, **uris: Any) -> None:
        super().__init__((place.artifacts / below).as_uri(), **uris)
        self._place, self._below = place, below

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        self._refuse_sealed([posixpath.join(artifact_path or "", Path(local_file).name)])
        super().log_artifact(local_file, artifact_path)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        folder = Path(local_dir)
        inside = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
        self._refuse_sealed(posixpath.join(artifact_path or "", path) for path in inside)
        super().log_artifacts(local_dir, artifact_path)

    def log_artifact_from_stream(
        self, stream: BinaryIO, artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        self._refuse_sealed([posixpath.join(artifact_path or "", artifact_file_name)])
        super().log_artifact_from_stream(stream, artifact_file_name, artifact_path)

    async def log_artifact_from_async_stream(
        self, chunks: AsyncIterable[bytes], artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        self._refuse_sealed([posixpath.join(artifact_path or "", artifact_file_name)])
        await super().log_artifact_from_async_stream(chunks, artifact_file_name, artifact_path)

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> str:
        # Always a copy: MLflow writes a note beside a model that it has loaded, and in place that would be a change.
        return str(ArtifactRepository.download_artifacts(self, artifact_path, dst_path))

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        self._refuse_sealed([artifact_path or ""], parents_too=True)
        super().delete_artifacts(artifact_path)

    def _refuse_sealed(self, paths: Iterable[str], *, parents_too: bool = False) -> None:
        sealed = sealed_locations(self._place)
        for path in paths:
            whole = posixpath.normpath(posixpath.join(self._below, path)).lstrip("/")
            for folder in sealed:
                within = whole == folder or whole.startswith(f"{folder}/")
                if within or (parents_too and (whole == "." or folder.startswith(f"{whole}/"))):
                    raise MlflowException(
                        f"refused: {folder} is sealed, a registered version was made from it\n"
                        "next: log a new model and register that",
                        error_code=PERMISSION_DENIED,
                    )
