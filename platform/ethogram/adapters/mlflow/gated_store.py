"""MLflow's SQL registry with our rule in front of every mutation, and one change in the ledger behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST, UNAUTHENTICATED
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.validation import (
    _validate_model_alias_name,
    _validate_model_alias_name_reserved,
    _validate_model_name,
    _validate_model_version,
)

from ethogram.adapters.mlflow.caller import principal
from ethogram.adapters.mlflow.environment import Place, engine_of
from ethogram.adapters.postgres import models
from ethogram.adapters.postgres.changes import write_change
from ethogram.core.governance.team import UnknownPrincipal
from ethogram.errors import AskedWrongly, EthogramError

RESERVED_TAGS = "ethogram."
# Training writes reserved tags; nothing that comes in through a client can set this.
_training: ContextVar[bool] = ContextVar("_training", default=False)
_change: ContextVar[tuple[str, str, Mapping[str, Any]] | None] = ContextVar("_change", default=None)


@contextmanager
def as_training() -> Iterator[None]:
    """Inside, reserved tags may be written: for this package's own training."""
    token = _training.set(True)
    try:
        yield
    finally:
        _training.reset(token)


@contextmanager
def _translated() -> Iterator[None]:
    """Ours as MLflow's; inside a session, which turns what it does not know into an internal error."""
    try:
        yield
    except UnknownPrincipal as error:
        raise MlflowException(str(error), error_code=PERMISSION_DENIED if error.name else UNAUTHENTICATED) from error
    except EthogramError as error:
        code = RESOURCE_DOES_NOT_EXIST if isinstance(error, AskedWrongly) else PERMISSION_DENIED
        raise MlflowException(str(error), error_code=code) from error


def _refused(message: str) -> MlflowException:
    return MlflowException(f"refused: {message}", error_code=PERMISSION_DENIED)


class GatedStore(SqlAlchemyStore):
    """The registry of one workspace's state; who asks comes from `caller.principal`."""

    def __init__(self, place: Place, *, tracking_uri: str | None = None) -> None:
        super().__init__(place.database_uri)
        self._place, self._tracking_uri = place, tracking_uri
        plain = self.ManagedSessionMaker

        @contextmanager
        def audited(read_only: bool = True) -> Iterator[Any]:
            with plain(read_only=read_only) as session:
                yield session
                said = _change.get()
                if said and not read_only:
                    session.flush()
                    action, subject, body = said
                    write_change(session.connection(), principal=principal(), action=action, subject=subject, body=body)

        self.ManagedSessionMaker = audited

    # Aliases: the one rule, whichever client asks.

    def set_registered_model_alias(self, name: str, alias: str, version: Any) -> None:
        _validate_model_name(name)
        _validate_model_alias_name(alias)
        _validate_model_alias_name_reserved(alias)
        number = int(_validate_model_version(version))
        with self.ManagedSessionMaker(read_only=False) as session, _translated():
            self._get_sql_model_version(session, name, number)
            models.move_alias(
                session.connection(),
                model=name,
                version=number,
                alias=alias,
                principal=principal(),
                artifacts=self._place.artifacts,
            )

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        _validate_model_name(name)
        _validate_model_alias_name(alias)
        with self.ManagedSessionMaker(read_only=False) as session, _translated():
            self._get_registered_model(session, name)
            models.drop_alias(session.connection(), model=name, alias=alias, principal=principal())

    def transition_model_version_stage(
        self,
        name: str,
        version: Any,
        stage: str,  # noqa: ARG002 - MLflow's signature
        archive_existing_versions: bool,  # noqa: ARG002 - MLflow's signature
    ) -> None:
        todo = f"ethogram promote {name} {version} champion"
        raise _refused(f"stages are not used; {name} {version} is promoted by alias\nnext: {todo}")

    # What an alias or an approval is bound to stays.

    def delete_registered_model(self, name: str) -> None:
        self._refuse_bound(name)
        with self._changing("mlflow.model.delete", name):
            super().delete_registered_model(name)

    def rename_registered_model(self, name: str, new_name: str) -> Any:
        self._refuse_bound(name)
        with self._changing("mlflow.model.rename", name, to=new_name):
            return super().rename_registered_model(name, new_name)

    def delete_model_version(self, name: str, version: Any) -> None:
        self._refuse_bound(name, int(_validate_model_version(version)))
        with self._changing("mlflow.version.delete", name, version=int(version)):
            super().delete_model_version(name, version)

    # The rest is allowed to every principal, and recorded.

    def create_registered_model(
        self, name: str, tags: Any = None, description: str | None = None, deployment_job_id: str | None = None
    ) -> Any:
        self._refuse_reserved(tags)
        with self._changing("mlflow.model.create", name):
            return super().create_registered_model(name, tags, description, deployment_job_id)

    def update_registered_model(self, name: str, description: str, deployment_job_id: str | None = None) -> Any:
        with self._changing("mlflow.model.describe", name):
            return super().update_registered_model(name, description, deployment_job_id)

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Any = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> Any:
        self._refuse_reserved(tags)
        with self._changing("mlflow.version.create", name, source=source):
            return super().create_model_version(
                name, source, run_id, tags, run_link, description, local_model_path, model_id
            )

    def update_model_version(self, name: str, version: Any, description: str | None = None) -> Any:
        with self._changing("mlflow.version.describe", name, version=str(version)):
            return super().update_model_version(name, version, description)

    def set_registered_model_tag(self, name: str, tag: Any) -> None:
        self._refuse_reserved([tag])
        with self._changing("mlflow.model.tag", name, key=tag.key):
            super().set_registered_model_tag(name, tag)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        self._refuse_reserved([key])
        with self._changing("mlflow.model.untag", name, key=key):
            super().delete_registered_model_tag(name, key)

    def set_model_version_tag(self, name: str, version: Any, tag: Any) -> None:
        self._refuse_reserved([tag])
        with self._changing("mlflow.version.tag", name, version=str(version), key=tag.key):
            super().set_model_version_tag(name, version, tag)

    def delete_model_version_tag(self, name: str, version: Any, key: str) -> None:
        self._refuse_reserved([key])
        with self._changing("mlflow.version.untag", name, version=str(version), key=key):
            super().delete_model_version_tag(name, version, key)

    def create_webhook(self, *_: Any, **__: Any) -> Any:
        raise _refused("events leave through the outbox, not through MLflow's webhooks")

    update_webhook = delete_webhook = create_webhook

    @contextmanager
    def _changing(self, action: str, model: str, **body: Any) -> Iterator[None]:
        with _translated(), engine_of(self._place).connect() as connection:
            models.check_principal(principal(), models.applied_rules(connection).teams)
        token = _change.set((action, f"model {model}", {"model": model, **body}))
        try:
            yield
        finally:
            _change.reset(token)

    def _refuse_bound(self, model: str, version: int | None = None) -> None:
        with engine_of(self._place).connect() as connection:
            why = models.bound(connection, model, version)
        if why:
            raise _refused(f"{why}, so it can be neither deleted nor renamed")

    def _refuse_reserved(self, tags: Sequence[Any] | None) -> None:
        if _training.get():
            return
        for tag in tags or []:
            key = tag if isinstance(tag, str) else tag.key
            if key.startswith(RESERVED_TAGS):
                raise _refused(
                    f"tags that start with {RESERVED_TAGS!r} are written by training only; {key!r} needs another name"
                )
