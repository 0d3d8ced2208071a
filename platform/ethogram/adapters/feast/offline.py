"""Feast's offline store over our signals: point-in-time values computed from events, known times included.

Views that are not ours keep Feast's own file store and its inclusive rule; a request may mix both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from feast.feature_view import FeatureView
from feast.infra.offline_stores.dask import DaskOfflineStore, DaskOfflineStoreConfig
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalJob, RetrievalMetadata
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.repo_config import RepoConfig

from ethogram.adapters.feast.source import SignalSource, is_ours
from ethogram.adapters.feast.store import store_of
from ethogram.errors import AskedWrongly

INSTANT = pa.timestamp("us", "UTC")
_ROW = "__ethogram_row"


class EthogramOfflineStoreConfig(DaskOfflineStoreConfig):
    """Nothing to set: workspace, state, principal and purpose come from the environment.

    It is one of Feast's file store, which answers for views that are not ours.
    """

    type: Any = "ethogram.adapters.feast.offline.EthogramOfflineStore"


class Retrieval(RetrievalJob):
    """A retrieval that runs when its rows are asked for."""

    def __init__(
        self,
        run: Callable[[], pa.Table],
        *,
        full_feature_names: bool,
        metadata: RetrievalMetadata | None = None,
        on_demand: Sequence[OnDemandFeatureView] = (),
    ) -> None:
        self._run = run
        self._on_demand = list(on_demand)
        self._full = full_feature_names
        self._metadata = metadata
        self._rows: pa.Table | None = None

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        if self._rows is None:
            self._rows = self._run()
        return self._rows

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        frame: pd.DataFrame = self._to_arrow_internal(timeout).to_pandas()
        return frame

    @property
    def full_feature_names(self) -> bool:
        return self._full

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        return self._on_demand

    @property
    def metadata(self) -> RetrievalMetadata | None:
        return self._metadata


class EthogramOfflineStore(OfflineStore):
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
        """Features of `entity_df`'s rows as of each row's `event_timestamp`, in the frame's row order.

        Naive times are UTC, as everywhere in Feast. Values of ours were known at that instant, so that
        `filter_by_created_timestamp` has nothing to add to them.
        """
        if not isinstance(entity_df, pd.DataFrame):
            raise AskedWrongly("pass entity_df as a pandas frame with the join keys and event_timestamp")
        when = infer_event_timestamp_from_entity_df(dict(entity_df.dtypes))
        ours = [view for view in feature_views if is_ours(view)]
        others = [view for view in feature_views if not is_ours(view)]
        wanted = _features_by_view(feature_refs)

        def run() -> pa.Table:
            frame = entity_df.reset_index(drop=True)
            table = pa.Table.from_pandas(frame, preserve_index=False)
            if missing := int(frame[when].isna().sum()):
                raise AskedWrongly(f"{when} is missing in {missing} of {len(frame)} rows of entity_df")
            as_of = _instants(frame[when])
            table = table.set_column(table.schema.get_field_index(when), when, as_of)
            store = store_of(config)
            for view in ours:
                join_key = view.join_keys[0]
                source_key = view.projection.join_key_map.get(join_key, join_key)
                if source_key not in frame.columns:
                    raise AskedWrongly(f"entity_df has no column {source_key!r}, the join key of {view.name}")
                shown_as = _name(view)
                names = wanted[shown_as]
                values = store.values_as_of(view.name, _keys(frame[source_key]), as_of, names)
                for name in names:
                    shown = f"{shown_as}__{name}" if full_feature_names else name
                    table = table.append_column(shown, _feasts(values[name]))
            if others:
                table = _append_others(
                    config, others, feature_refs, frame, table, registry, project, full_feature_names
                )
            return table

        keys = sorted({key for view in feature_views for key in view.join_keys})
        times = pd.to_datetime(entity_df[when], utc=True)
        metadata = RetrievalMetadata(
            features=feature_refs, keys=keys, min_event_timestamp=times.min(), max_event_timestamp=times.max()
        )
        on_demand = OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry)
        return Retrieval(run, full_feature_names=full_feature_names, metadata=metadata, on_demand=on_demand)

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
            features = {name: _feasts(values[name]) for name in feature_name_columns}
            return pa.table({join_key_columns[0]: keys, timestamp_field: at, **features})

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
    names = {_name(view) for view in views}
    theirs = [ref for ref in refs if ref.split(":")[0] in names]
    numbered = frame.assign(**{_ROW: range(len(frame))})
    job = DaskOfflineStore.get_historical_features(
        config, views, theirs, numbered, registry, project, full_feature_names
    )
    answered = job.to_df().sort_values(_ROW)
    for column in answered.columns.difference([*frame.columns, _ROW], sort=False):
        table = table.append_column(column, pa.Array.from_pandas(answered[column]))
    return table


def _name(view: FeatureView) -> str:
    """Its name in references, whatever alias it goes by."""
    return str(view.projection.name_to_use())  # type: ignore[no-untyped-call]  # Feast's own


def _features_by_view(refs: list[str]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for ref in refs:
        view, _, feature = ref.partition(":")
        wanted.setdefault(view, []).append(feature)
    return wanted


def _feasts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as Feast can say it: its only time type counts whole seconds, online too."""
    if pa.types.is_date(column.type):
        return column.cast(pa.timestamp("us")).cast(INSTANT)
    if pa.types.is_timestamp(column.type):
        return pc.floor_temporal(column, unit="second").cast(INSTANT)
    return column


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _instants(column: pd.Series[Any]) -> pa.Array:
    # Feast takes naive times as UTC; pandas frames carry nanoseconds, ours are microseconds.
    return pa.array(pd.to_datetime(column, utc=True).dt.floor("us")).cast(INSTANT, safe=False)


def _keys(column: pd.Series[Any]) -> list[str | None]:
    return [
        None if pd.isna(key) else str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)
        for key in column
    ]
