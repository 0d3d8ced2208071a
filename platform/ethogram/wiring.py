"""The one place where everything meets: builds adapters from settings and hands them to the use cases."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.settings import Settings, read_settings

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Engine as SqlEngine

    from ethogram.adapters.delta.lake import DeltaLake
    from ethogram.adapters.duckdb.engine import DuckdbEngine
    from ethogram.adapters.mlflow.tracking import MlflowTracking
    from ethogram.adapters.postgres.catalog import PostgresCatalog
    from ethogram.adapters.postgres.consents import PostgresConsents
    from ethogram.adapters.postgres.declarations import PostgresDeclarations
    from ethogram.adapters.postgres.doctor import Finding
    from ethogram.adapters.postgres.keys import PostgresKeys
    from ethogram.adapters.postgres.models import PostgresModels
    from ethogram.adapters.postgres.online import OnlineRows
    from ethogram.adapters.postgres.readings import PostgresReadings
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

    def duckdb(self) -> duckdb.DuckDBPyConnection:
        from ethogram.adapters.duckdb.session import connect as open_session

        return open_session(self.settings.home / "spill")

    @cached_property
    def engine(self) -> DuckdbEngine:
        from ethogram.adapters.duckdb.engine import DuckdbEngine

        return DuckdbEngine(self.duckdb)

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
    def catalog(self) -> PostgresCatalog:
        from ethogram.adapters.postgres.catalog import PostgresCatalog

        return PostgresCatalog(self.sql)
