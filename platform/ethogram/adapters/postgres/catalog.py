"""The catalog's reader on PostgreSQL: one query an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Engine, Select, Table, case, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ethogram.adapters.postgres import tables
from ethogram.core import catalog
from ethogram.core.models.promotion import AliasMove, Approval, ModelVersion
from ethogram.errors import EthogramError

_Row = TypeVar("_Row")


class CatalogUnavailable(EthogramError):
    """The shared state cannot be read now."""

    code = "catalog-unavailable"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the catalog cannot be read: {reason}\nnext: ethogram doctor")


class PostgresCatalog:
    """Reads every table that pages show; holds no state beside the engine's pool."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def declarations(self, kind: str | None = None) -> list[catalog.Declaration]:
        table = tables.declaration
        return self._all(catalog.Declaration, table, {"kind": kind}, table.c.kind, table.c.name)

    def changes(self, *, limit: int, before: int | None = None) -> list[catalog.Change]:
        table = tables.change
        model = table.c.subject.like("model %")
        version = case((model, func.coalesce(table.c.body["version"].astext, "")), else_="").label("version")
        kept = [table.c[name] for name in ("seq", "at", "principal", "action", "subject", "hash")]
        query = select(*kept, version).order_by(table.c.seq.desc()).limit(limit)
        return self._rows(catalog.Change, query.where(table.c.seq < before) if before is not None else query)

    def entities(self) -> Mapping[str, int]:
        entity = tables.entity_key.c.entity
        return self._pairs(select(entity, func.count()).group_by(entity).order_by(entity))

    def opted_out(self) -> Mapping[str, int]:
        table = tables.consent
        latest = (
            select(table.c.purpose, table.c.allowed)
            .ext(distinct_on(table.c.entity, table.c.id, table.c.purpose))
            .order_by(
                table.c.entity,
                table.c.id,
                table.c.purpose,
                table.c.changed_at.desc(),
                table.c.recorded_at.desc(),
                table.c.seq.desc(),
            )
            .subquery()
        )
        query = select(latest.c.purpose, func.count()).where(~latest.c.allowed)
        return self._pairs(query.group_by(latest.c.purpose).order_by(latest.c.purpose))

    def weeks(self, behavior: str | None = None) -> list[catalog.Week]:
        table = tables.behavior_profile
        return self._all(catalog.Week, table, {"behavior": behavior}, table.c.behavior, table.c.week)

    def source_runs(self, source: str | None = None) -> list[catalog.SourceRun]:
        table = tables.source_run
        return self._all(catalog.SourceRun, table, {"source": source}, table.c.started_at.desc(), table.c.run)

    def source_units(self, source: str | None = None) -> list[catalog.SourceUnit]:
        table = tables.source_unit
        return self._all(catalog.SourceUnit, table, {"source": source}, table.c.source, table.c.path, table.c.unit)

    def made(self) -> float:
        told = tables.source_unit.c.report["made"].as_boolean()
        share = func.coalesce(func.avg(case((told, 1.0), else_=0.0)), 0.0)
        return float(self._run(select(share))[0][0])

    def quarantine(self, source: str) -> list[catalog.QuarantineReason]:
        table = tables.quarantine
        reason = func.jsonb_array_elements(table.c.reasons).table_valued("value", name="reason").render_derived()
        rule, column, message = (
            func.coalesce(reason.c.value.op("->>")(literal_column(f"'{key}'")), "")
            for key in ("rule", "column", "message")
        )
        rows = func.count()

        def first(column: ColumnElement[Any]) -> ColumnElement[Any]:
            ordered = aggregate_order_by(column, table.c.path, table.c.row)
            return func.array_agg(ordered, type_=ARRAY(column.type))[1]

        query = (
            select(
                table.c.source,
                rule.label("rule"),
                column.label("column"),
                func.min(message).label("message"),
                rows.label("rows"),
                first(table.c.path).label("path"),
                first(table.c.row).label("row"),
            )
            .select_from(table)
            .join(reason, literal_column("true"))
            .where(table.c.source == source)
            .group_by(table.c.source, rule, column)
            .order_by(rows.desc(), rule, column)
        )
        return self._rows(catalog.QuarantineReason, query)

    def profiled(self) -> Mapping[str, datetime]:
        table = tables.feature_profile
        return self._pairs(select(table.c.signal, func.max(table.c.as_of)).group_by(table.c.signal))

    def profiles(self, signal: str) -> list[catalog.FeatureProfile]:
        table = tables.feature_profile
        order = (table.c.signal, table.c.feature, table.c.as_of)
        return self._all(catalog.FeatureProfile, table, {"signal": signal}, *order)

    def training_sets(self, outcome: str | None = None) -> list[catalog.TrainingSetRow]:
        table = tables.training_set
        return self._all(
            catalog.TrainingSetRow, table, {"outcome": outcome}, table.c.created_at.desc(), table.c.version
        )

    def model_versions(self, model: str | None = None) -> list[ModelVersion]:
        table = tables.model_version
        return self._all(ModelVersion, table, {"model": model}, table.c.model, table.c.version.desc())

    def gate_results(self, model: str | None = None) -> list[catalog.GateResult]:
        table = tables.gate_result
        return self._all(catalog.GateResult, table, {"model": model}, table.c.model, table.c.version, table.c.gate)

    def approvals(self, model: str | None = None) -> list[Approval]:
        table = tables.approval
        return self._all(Approval, table, {"model": model}, table.c.id.desc())

    def alias_moves(self, model: str | None = None) -> list[AliasMove]:
        table = tables.alias_move
        return self._all(AliasMove, table, {"model": model}, table.c.id.desc())

    def score_runs(self, model: str | None = None) -> list[catalog.ScoreRun]:
        table = tables.score_run
        return self._all(catalog.ScoreRun, table, {"model": model}, table.c.created_at.desc(), table.c.run)

    def materializations(self) -> list[catalog.Materialization]:
        table = tables.materialization
        newest = _columns(catalog.Materialization, table).ext(distinct_on(table.c.view))
        return self._rows(catalog.Materialization, newest.order_by(table.c.view, table.c.at.desc()))

    def reads(self, *, since: datetime) -> list[catalog.Reads]:
        table = tables.reading
        keys = (table.c.asset, table.c.team, table.c.purpose, table.c.verdict, table.c.how)
        query = select(
            *keys,
            func.count().label("reads"),
            cast(func.sum(table.c.rows), BigInteger).label("rows"),
            func.max(table.c.at).label("last_at"),
            func.percentile_cont(0.5).within_group(table.c.duration_s).label("median_s"),
        ).where(table.c.at >= since)
        return self._rows(catalog.Reads, query.group_by(*keys).order_by(*keys))

    def _all(
        self, kind: type[_Row], table: Table, equal: Mapping[str, str | None], *order: ColumnElement[Any]
    ) -> list[_Row]:
        query = _columns(kind, table).order_by(*order)
        for name, value in equal.items():
            if value is not None:
                query = query.where(table.c[name] == value)
        return self._rows(kind, query)

    def _rows(self, kind: type[_Row], query: Select[Any]) -> list[_Row]:
        return [kind(**row._mapping) for row in self._run(query)]

    def _pairs(self, query: Select[Any]) -> dict[str, Any]:
        return {row[0]: row[1] for row in self._run(query)}

    def _run(self, query: Select[Any]) -> list[Any]:
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(query))
        except DBAPIError as error:
            raise CatalogUnavailable(str(error.orig).strip().splitlines()[0]) from error
        except SQLAlchemyError as error:
            raise CatalogUnavailable(type(error).__name__) from error


def _columns(kind: type[Any], table: Table) -> Select[Any]:
    return select(*(table.c[field.name] for field in fields(kind)))
