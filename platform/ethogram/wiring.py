"""The one place where everything meets: builds adapters from settings and hands them to the use cases."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import EthogramError
from ethogram.settings import Settings, read_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine as SqlEngine

    from ethogram.adapters.delta.lake import DeltaLake
    from ethogram.adapters.duckdb.engine import DuckdbEngine
    from ethogram.adapters.duckdb.ingest import DuckdbRows
    from ethogram.adapters.duckdb.session import Sessions
    from ethogram.adapters.feast.joined import FeastView
    from ethogram.adapters.mlflow.tracking import MlflowTracking
    from ethogram.adapters.postgres.catalog import PostgresCatalog
    from ethogram.adapters.postgres.consents import PostgresConsents
    from ethogram.adapters.postgres.declarations import PostgresDeclarations
    from ethogram.adapters.postgres.doctor import Finding
    from ethogram.adapters.postgres.keys import PostgresKeys
    from ethogram.adapters.postgres.models import PostgresModels
    from ethogram.adapters.postgres.online import OnlineRows
    from ethogram.adapters.postgres.profiles import PostgresProfiles
    from ethogram.adapters.postgres.quarantine import PostgresQuarantine
    from ethogram.adapters.postgres.readings import PostgresReadings
    from ethogram.adapters.postgres.source_runs import PostgresSourceRuns
    from ethogram.adapters.postgres.tiles import PostgresTiles
    from ethogram.adapters.postgres.training_sets import PostgresTrainingSets
    from ethogram.core.governance.consent import Mask
    from ethogram.core.signals.view import View
    from ethogram.core.taxonomy import Taxonomy
    from ethogram.core.workspace import Workspace
    from ethogram.local import Store
    from ethogram.usecases.sample import SampleReport


class SystemClock:
    """`ports.Clock`: this machine's."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Parts:
    """Adapters of one state, each made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()

    @cached_property
    def workspace(self) -> Workspace:
        from ethogram.adapters.workspace_files import read_content
        from ethogram.core.workspace import load_workspace

        return load_workspace(read_content(self.settings.root))

    @cached_property
    def sql(self) -> SqlEngine:
        from ethogram.adapters.postgres.engine import open_engine

        return open_engine(self.settings.root, self.settings.state)

    @cached_property
    def lake(self) -> DeltaLake:
        from ethogram.adapters.delta.lake import DeltaLake

        return DeltaLake(self.settings.lake)

    @contextmanager
    def scratch(self) -> Iterator[DeltaLake]:
        """A lake to be thrown away."""
        import shutil

        from ethogram.adapters.delta.lake import DeltaLake
        from ethogram.adapters.rooms import new_room

        room = new_room(self.settings.home / "scratch")
        try:
            yield DeltaLake(room)
        finally:
            shutil.rmtree(room, ignore_errors=True)

    @cached_property
    def sessions(self) -> Sessions:
        from ethogram.adapters.duckdb.session import Sessions

        return Sessions(self.settings.home / "spill")

    @cached_property
    def engine(self) -> DuckdbEngine:
        from ethogram.adapters.duckdb.engine import DuckdbEngine

        if self.settings.engine == "spark":
            from ethogram.adapters.spark.engine import SparkEngine
            from ethogram.adapters.spark.session import connect as connect_spark

            return SparkEngine(lambda: connect_spark(self.settings), self.sessions)
        return DuckdbEngine(self.sessions)

    @cached_property
    def tiles(self) -> PostgresTiles:
        from ethogram.adapters.postgres.tiles import PostgresTiles

        return PostgresTiles(self.sql)

    @cached_property
    def keys(self) -> PostgresKeys:
        from ethogram.adapters.postgres.keys import PostgresKeys

        return PostgresKeys(self.sql)

    @cached_property
    def consents(self) -> PostgresConsents:
        from ethogram.adapters.postgres.consents import PostgresConsents

        return PostgresConsents(self.sql)

    @cached_property
    def declarations(self) -> PostgresDeclarations:
        from ethogram.adapters.postgres.declarations import PostgresDeclarations

        return PostgresDeclarations(self.sql)

    @cached_property
    def readings(self) -> PostgresReadings:
        from ethogram.adapters.postgres.readings import PostgresReadings

        return PostgresReadings(self.sql)

    @cached_property
    def online(self) -> OnlineRows:
        from ethogram.adapters.postgres.online import OnlineRows

        return OnlineRows(self.sql)

    @cached_property
    def models(self) -> PostgresModels:
        from ethogram.adapters.postgres.models import PostgresModels

        return PostgresModels(self.sql, self.settings.artifacts)

    @cached_property
    def tracking(self) -> MlflowTracking:
        from ethogram.adapters.mlflow.environment import Place
        from ethogram.adapters.mlflow.tracking import MlflowTracking

        return MlflowTracking(Place.of(self.settings))

    @cached_property
    def training_sets(self) -> PostgresTrainingSets:
        from ethogram.adapters.postgres.training_sets import PostgresTrainingSets

        return PostgresTrainingSets(self.sql)

    @cached_property
    def profiles(self) -> PostgresProfiles:
        from ethogram.adapters.postgres.profiles import PostgresProfiles

        return PostgresProfiles(self.sql)

    @cached_property
    def rows(self) -> DuckdbRows:
        from ethogram.adapters.duckdb.ingest import DuckdbRows

        return DuckdbRows(self.sessions, self.workspace.taxonomy, os.environ)

    @cached_property
    def source_runs(self) -> PostgresSourceRuns:
        from ethogram.adapters.postgres.source_runs import PostgresSourceRuns

        return PostgresSourceRuns(self.sql)

    @cached_property
    def quarantine(self) -> PostgresQuarantine:
        from ethogram.adapters.postgres.quarantine import PostgresQuarantine

        return PostgresQuarantine(self.sql)

    @cached_property
    def catalog(self) -> PostgresCatalog:
        from ethogram.adapters.postgres.catalog import PostgresCatalog

        return PostgresCatalog(self.sql)

    def mask(self, entity: str, purpose: str, *, only: Sequence[int] | None = None) -> Mask:
        """What entities allow for `purpose`, as a read now obeys it; with `only`, of these entities alone."""
        from ethogram.usecases.consent import consent_mask

        declared = self.workspace.purposes[purpose]
        return consent_mask(
            entity,
            declared,
            taxonomy=self.workspace.taxonomy,
            consents=self.consents,
            lake=self.lake,
            now=self.clock.now(),
            only=only,
        )

    @property
    def feature_repo(self) -> Path:
        return self.settings.root / "feature_repo"

    def publish(self, views: list[View]) -> None:
        """Make Feast's registry hold `views`."""
        from ethogram.adapters.feast.objects import compile_views
        from ethogram.adapters.feast.publish import publish

        with self.as_environment():
            publish(self.feature_repo, compile_views(views, self.workspace.taxonomy))

    def feast_view(self, name: str, *, entity: str) -> FeastView:
        """A view that others registered in the workspace's Feast, for joins with rows of `entity`."""
        from ethogram.adapters.feast.joined import FeastView
        from ethogram.adapters.feast.publish import open_feast

        with self.as_environment():
            feast = open_feast(self.feature_repo)
            return FeastView(name, feast=feast, entity=self.workspace.taxonomy.entity(entity), keys=self.keys)

    @contextmanager
    def as_environment(self) -> Iterator[None]:
        """This state in the environment, for libraries that find the workspace by themselves."""
        said = {"ETHOGRAM_WORKSPACE": str(self.settings.root), "ETHOGRAM_STATE": self.settings.state}
        before = {name: os.environ.get(name) for name in said}
        os.environ.update(said)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


_parts: dict[tuple[Path, str, str, str], Parts] = {}


def parts_of(settings: Settings) -> Parts:
    """Adapters of a state, one set a process."""
    return _parts.setdefault((settings.root, settings.state, settings.database_url, settings.engine), Parts(settings))


def open_store(settings: Settings) -> Store:
    """A local store on `settings`."""
    from ethogram.local import Store

    return Store(parts_of(settings), principal=settings.principal, purpose=settings.purpose)


def connect(
    *, as_: str | None = None, state: str | None = None, workspace: str | Path | None = None, purpose: str | None = None
) -> Store:
    """Open the workspace here (or `workspace`) as principal `as_`; the rules of its teams hold from then on.

    Raises:
        NoWorkspace: If there is none here or above.
        UnknownPrincipal: At the first act that needs to know who asks.
    """
    settings = read_settings(start=Path(workspace) if workspace else None, state=state)
    settings = dataclasses.replace(settings, principal=as_ or settings.principal, purpose=purpose or settings.purpose)
    return open_store(settings)


def feast_objects(repo_file: str) -> dict[str, Any]:
    """Feast objects of the working tree around feature_repo/repo.py, refused unless it is what was applied."""
    from ethogram.adapters.feast.objects import compile_views
    from ethogram.usecases.apply import NotApplied, steps

    store = open_store(read_settings(start=Path(repo_file).resolve().parent))
    todo = steps(store.workspace, store.parts.declarations)
    if todo:
        raise NotApplied(todo)
    return compile_views(list(store.views().values()), store.workspace.taxonomy)


def load_taxonomy_here() -> Taxonomy:
    """The working tree's taxonomy; needs no server."""
    from ethogram.adapters.workspace_files import read_content
    from ethogram.core.taxonomy import load_taxonomy

    content = read_content(read_settings().root)
    return load_taxonomy({path: text for path, text in content.items() if path.startswith("feature_repo/taxonomy/")})


def lay_down(target: Path) -> list[str]:
    """Copy the reference workspace to `target`; the paths written."""
    from ethogram.adapters.template import lay_down as copy

    return copy(target)


def make_sample(
    out: Path, *, events: int, seed: int, start: datetime, days: int, progress: Callable[[int], None]
) -> SampleReport:
    """Write made data to `out`."""
    from ethogram.adapters.parquet.sample_folder import ParquetSampleFolder
    from ethogram.usecases.sample import make_sample as make

    return make(
        out, events=events, seed=seed, start=start, days=days, progress=progress, open_folder=ParquetSampleFolder
    )


def examine(settings: Settings) -> list[Finding]:
    """What `ethogram doctor` found."""
    from ethogram.adapters.postgres.doctor import examine as look

    return look(settings.root, settings.state)


def stop_servers(settings: Settings) -> bool:
    """Stop the workspace's database server; whether one was running."""
    from ethogram.adapters.postgres import server

    return server.stop(settings.root)


def remove_state(settings: Settings) -> None:
    """Stop the database server and delete every state of the workspace; what teams declared stays."""
    import shutil

    from ethogram.adapters.postgres import server

    server.remove(settings.root)
    shutil.rmtree(settings.home, ignore_errors=True)


@contextmanager
def serve(settings: Settings, *, port: int = 8400) -> Iterator[str]:
    """The front, with MLflow behind it, while the block runs; the front's address. Port 0 takes a free one."""
    import secrets
    import sys
    import threading

    import uvicorn

    from ethogram.adapters.processes import Child, free_port, require_port
    from ethogram.http.app import create_app

    port = port or free_port()
    require_port(port)
    parts = parts_of(settings)
    inner = free_port()
    mlflow_url, word = f"http://127.0.0.1:{inner}", secrets.token_hex(16)
    child = Child(
        "MLflow",
        [sys.executable, "-m", "ethogram.adapters.mlflow.server", "--port", str(inner)],
        env={
            "ETHOGRAM_WORKSPACE": str(settings.root),
            "ETHOGRAM_STATE": settings.state,
            "ETHOGRAM_MLFLOW_SECRET": word,
        },
        log=settings.home / "logs" / "mlflow.log",
    )
    try:
        app = create_app(
            parts.catalog,
            mlflow_url=mlflow_url,
            mlflow_secret=word,
            now=parts.clock.now,
            # On loopback every request is of whoever runs this server; tokens come with part C.
            principal=lambda _request: settings.principal,
        )
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            if not thread.is_alive():
                raise EthogramError(f"the front did not start on port {port}; see the lines above")
            time.sleep(0.02)
        child.wait_until(f"{mlflow_url}/health")
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(timeout=10)
    finally:
        child.stop()
