"""Feast's offline store over our signals: point-in-time values computed from events, known times included.

Views that are not ours keep Feast's own file store and its inclusive rule; a request may mix both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
from feast.feature_view import FeatureView
from feast.infra.offline_stores.dask import DaskOfflineStore
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalJob, RetrievalMetadata
from feast.repo_config import FeastConfigBaseModel, RepoConfig

from ethogram.adapters.feast.source import AT, SignalSource, is_ours
from ethogram.adapters.feast.store import store_of
from ethogram.errors import AskedWrongly

_ROW = "__ethogram_row"


class EthogramOfflineStoreConfig(FeastConfigBaseModel):
    """Nothing to set: workspace, state, principal and purpose come from the environment."""

    type: Literal["ethogram.adapters.feast.offline.EthogramOfflineStore"] = (
        "ethogram.adapters.feast.offline.EthogramOfflineStore"
    )


class Retrieval(RetrievalJob):  # type: ignore[misc]  # Feast ships no types
    """A retrieval that runs when its rows are asked for."""

    def __init__(
        self, run: Callable[[], pa.Table], *, full_feature_names: bool, metadata: RetrievalMetadata | None = None
    ) -> None:
        self._run = run
        self._full = full_feature_names
        self._metadata = metadata
        self._rows: pa.Table | None = None

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        if self._rows is None:
            self._rows = self._run()
        return self._rows

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        return self._to_arrow_internal(timeout).to_pandas()

    @property
    def full_feature_names(self) -> bool:
        return self._full

    @property
    def on_demand_feature_views(self) -> list[Any]:
        return []

    @property
    def metadata(self) -> RetrievalMetadata | None:
        return self._metadata


class EthogramOfflineStore(OfflineStore):  # type: ignore[misc]  # Feast ships no types
    """Named in feature_store.yaml as `offline_store: {type: ethogram.adapters.feast.offline.EthogramOfflineStore}`."""

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: Any,
        project: str,
        full_feature_names: bool = False,
        **_: Any,
    ) -> RetrievalJob:
        """Features of `entity_df`'s rows as of each row's `event_timestamp`, in the frame's row order."""
        if not isinstance(entity_df, pd.DataFrame):
            raise AskedWrongly("pass entity_df as a pandas frame with the join keys and event_timestamp")
        if AT not in entity_df.columns:
            raise AskedWrongly(f"entity_df has no column {AT!r}; it says as of when each row is asked")
        ours = [view for view in feature_views if is_ours(view)]
        others = [view for view in feature_views if not is_ours(view)]
        wanted = _features_by_view(feature_refs)

        def run() -> pa.Table:
            frame = entity_df.reset_index(drop=True)
            table = pa.Table.from_pandas(frame, preserve_index=False)
            as_of = _instants(frame[AT])
            table = table.set_column(table.schema.get_field_index(AT), AT, as_of)
            store = store_of(config)
            for view in ours:
                join_key = view.join_keys[0]
                source_key = view.projection.join_key_map.get(join_key, join_key)
                if source_key not in frame.columns:
                    raise AskedWrongly(f"entity_df has no column {source_key!r}, the join key of {view.name}")
                names = wanted[view.projection.name_to_use()]
                values = store.values_as_of(view.name, _keys(frame[source_key]), as_of, names)
                for name in names:
                    shown = f"{view.projection.name_to_use()}__{name}" if full_feature_names else name
                    table = table.append_column(shown, values[name])
            if others:
                table = _append_others(
                    config, others, feature_refs, frame, table, registry, project, full_feature_names
                )
            return table

        keys = sorted({key for view in feature_views for key in view.join_keys})
        times = pd.to_datetime(entity_df[AT], utc=True)
        metadata = RetrievalMetadata(features=feature_refs, keys=keys, min_event_timestamp=times.min(), max_event_timestamp=times.max())
        return Retrieval(run, full_feature_names=full_feature_names, metadata=metadata)

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: Any,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> RetrievalJob:
        """Every entity's row as of `end_date`: what `feast materialize` writes online."""
        if not isinstance(data_source, SignalSource):
            return DaskOfflineStore.pull_latest_from_table_or_query(
                config,
                data_source,
                join_key_columns,
                feature_name_columns,
                timestamp_field,
                created_timestamp_column,
                start_date,
                end_date,
            )

        def run() -> pa.Table:
            store = store_of(config)
            keys, at, values = store.everyone_as_of(data_source.view, _utc(end_date), feature_name_columns)
            columns = {join_key_columns[0]: keys, timestamp_field: at, **{n: values[n] for n in feature_name_columns}}
            return pa.table(columns)

        return Retrieval(run, full_feature_names=False)

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: Any,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """For our views the row as of `end_date`, since a signal has a value at every instant; else Feast's answer."""
        if isinstance(data_source, SignalSource):
            return EthogramOfflineStore.pull_latest_from_table_or_query(
                config,
                data_source,
                join_key_columns,
                feature_name_columns,
                timestamp_field,
                created_timestamp_column,
                start_date or datetime(1970, 1, 1, tzinfo=UTC),
                end_date or datetime.now(UTC),
            )
        return DaskOfflineStore.pull_all_from_table_or_query(
            config,
            data_source,
            join_key_columns,
            feature_name_columns,
            timestamp_field,
            created_timestamp_column,
            start_date,
            end_date,
        )


def _append_others(
    config: RepoConfig,
    views: list[FeatureView],
    refs: list[str],
    frame: pd.DataFrame,
    table: pa.Table,
    registry: Any,
    project: str,
    full_feature_names: bool,
) -> pa.Table:
    names = {view.projection.name_to_use() for view in views}
    theirs = [ref for ref in refs if ref.split(":")[0] in names]
    numbered = frame.assign(**{_ROW: range(len(frame))})
    job = DaskOfflineStore.get_historical_features(config, views, theirs, numbered, registry, project, full_feature_names)
    answered = job.to_df().sort_values(_ROW)
    for column in answered.columns.difference([*frame.columns, _ROW], sort=False):
        table = table.append_column(column, pa.Array.from_pandas(answered[column]))
    return table


def _features_by_view(refs: list[str]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for ref in refs:
        view, feature = ref.split(":", 1)
        wanted.setdefault(view, []).append(feature)
    return wanted


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _instants(column: pd.Series[Any]) -> pa.Array:
    # Feast takes naive times as UTC; pandas frames carry nanoseconds, ours are microseconds.
    return pa.array(pd.to_datetime(column, utc=True).dt.floor("us")).cast(pa.timestamp("us", "UTC"), safe=False)


def _keys(column: pd.Series[Any]) -> list[str | None]:
    return [None if pd.isna(key) else str(int(key)) if isinstance(key, float) and key.is_integer() else str(key) for key in column]
