"""Feast's offline store over our signals and over anybody's files.

A signal's values are computed from events as they could be known at each instant. Views over Parquet files and Delta
tables keep Feast's own rule: the newest row at or before the instant, that instant and the end of the ttl included. A
request may mix both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from feast.feature_view import DUMMY_ENTITY_ID, DUMMY_ENTITY_VAL, FeatureView
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalJob, RetrievalMetadata
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.repo_config import FeastConfigBaseModel, RepoConfig
from feast.utils import compute_non_entity_date_range

from ethogram.adapters.feast.columns import materializable, sayable
from ethogram.adapters.feast.entity_rows import EVENT_TIMESTAMP, INSTANT, EntityRows, from_frame, from_query, from_range
from ethogram.adapters.feast.facts import Facts
from ethogram.adapters.feast.keys import as_type, canonical
from ethogram.adapters.feast.latest_join import Asked, distinct_between, latest_join, rows_between
from ethogram.adapters.feast.retrieval import Answer, Column, Retrieval
from ethogram.adapters.feast.source import SignalSource, is_ours
from ethogram.adapters.feast.store import store_of
from ethogram.core.time import MICROSECOND, micros
from ethogram.errors import AskedWrongly


class EthogramOfflineStoreConfig(FeastConfigBaseModel):
    """Workspace, state, principal and purpose come from the environment.

    Attributes:
        query_folders: Folders beside feature_store.yaml's own whose files a query given as entity_df may read;
            relative ones are from there.
    """

    query_folders: tuple[str, ...] = ()
    type: Literal["ethogram.adapters.feast.offline.EthogramOfflineStore"] = (
        "ethogram.adapters.feast.offline.EthogramOfflineStore"
    )


class EthogramOfflineStore(OfflineStore):
    """Named in feature_store.yaml as `offline_store: {type: ethogram.adapters.feast.offline.EthogramOfflineStore}`."""

    supports_filter_by_created_timestamp = True

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: Any,
        project: str,
        full_feature_names: bool = False,
        *,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        filter_by_created_timestamp: bool = False,
        **_: Any,
    ) -> RetrievalJob:
        """Features of `entity_df`'s rows as of each row's `event_timestamp`, in its row order.

        Naive times are UTC, as everywhere in Feast. Values of ours were known at that instant, so that
        `filter_by_created_timestamp` has nothing to add to them.

        Args:
            entity_df: A frame; or one SELECT over files (see `entity_rows.from_query`); or None
                for every key and instant that the views' files have rows of from `start_date` to `end_date`. Signals
                have a value at any instant: alone they are asked about everyone at `end_date`.
        """
        wanted = _features_by_view(feature_refs)
        open_facts = cache(lambda position: Facts(_batch_source(feature_views[position]), config))
        span = compute_non_entity_date_range(feature_views, start_date=start_date, end_date=end_date)

        @cache
        def entity_rows() -> EntityRows:
            if isinstance(entity_df, pd.DataFrame):
                return from_frame(entity_df)
            if isinstance(entity_df, str):
                here = Path(config.repo_path or ".")
                return from_query(
                    entity_df, folders=[here, *(here / name for name in config.offline_store.query_folders)]
                )
            if entity_df is not None:
                raise AskedWrongly("pass entity_df as a pandas frame or as a query, or pass start_date and end_date")
            filed = [
                (open_facts(position), _batch_source(view).timestamp_field, _join_keys(view))
                for position, view in enumerate(feature_views)
                if not is_ours(view)
            ]
            if filed:
                return from_range(filed, start=span[0], end=span[1])
            return _everyone(config, feature_views, wanted, span[1])

        def run() -> Answer:
            rows = entity_rows()
            columns = [Column(name, rows.table[name]) for name in rows.table.column_names]
            asked_by: dict[Any, Asked] = {}
            for position, view in enumerate(feature_views):
                names = wanted.get(_name(view), [])
                shown = {name: f"{_name(view)}__{name}" if full_feature_names else name for name in names}
                if is_ours(view):
                    columns += _signal_columns(config, view, rows, shown)
                else:
                    facts, as_known = open_facts(position), filter_by_created_timestamp
                    columns += _file_columns(facts, view, rows, shown, asked_by, as_known=as_known)
            taken = [column.name for column in columns]
            if twice := sorted({name for name in taken if taken.count(name) > 1}):
                raise AskedWrongly(
                    f"entity_df has a column {twice[0]!r} already; rename it, or pass full_feature_names=True"
                )
            return Answer(len(rows.table), columns)

        def describe() -> RetrievalMetadata:
            rows = entity_rows()
            keys = [name for name in rows.table.column_names if name != rows.when]
            ends = pc.min_max(rows.as_of).as_py() if entity_df is not None else {"min": span[0], "max": span[1]}
            return RetrievalMetadata(feature_refs, keys, ends["min"], ends["max"])

        if isinstance(entity_df, pd.DataFrame):
            entity_rows()  # what is wrong with a frame is said at once
        return Retrieval(
            run,
            full_feature_names=full_feature_names,
            describe=describe,
            on_demand=OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry),
            repo_path=config.repo_path,
        )

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
        """What `feast materialize` writes online.

        Of a signal every entity's row as of `end_date`, of files every key's newest row between the dates, both
        included.
        """
        start, end = _utc(start_date), _utc(end_date)
        if isinstance(data_source, SignalSource):
            run = partial(
                _signal_rows, config, data_source, join_key_columns, feature_name_columns, timestamp_field, end
            )
        else:
            run = partial(
                _newest_rows,
                Facts(data_source, config, mapped=False),
                join_key_columns,
                feature_name_columns,
                timestamp_field,
                created_timestamp_column,
                (micros(start), micros(end)),
            )
        return Retrieval(run, repo_path=config.repo_path)

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
        """Every row between the dates, both included; of a signal, which has one at any instant, that of `end_date`."""
        since = None if start_date is None else micros(_utc(start_date))
        until = None if end_date is None else micros(_utc(end_date))
        if isinstance(data_source, SignalSource):
            end = _utc(end_date) if end_date else datetime.now(UTC)
            run = partial(
                _signal_rows, config, data_source, join_key_columns, feature_name_columns, timestamp_field, end
            )
        else:
            facts = Facts(data_source, config, mapped=False)
            columns = _columns(join_key_columns, feature_name_columns, timestamp_field, created_timestamp_column)
            # Feast asks so for all columns there are.
            columns = columns if feature_name_columns else facts.columns()
            run = partial(_all_rows, facts, columns, join_key_columns, timestamp_field, since, until)
        return Retrieval(run, repo_path=config.repo_path)


def _signal_columns(config: RepoConfig, view: FeatureView, rows: EntityRows, shown: dict[str, str]) -> list[Column]:
    (join_key,) = view.join_keys
    keys = rows.key(view.projection.join_key_map.get(join_key, join_key), view=view.name)
    values = store_of(config).values_as_of(view.name, canonical(keys), rows.as_of, list(shown))
    return [Column(name, sayable(values[feature])) for feature, name in shown.items()]


def _file_columns(
    facts: Facts,
    view: FeatureView,
    rows: EntityRows,
    shown: dict[str, str],
    asked_by: dict[Any, Asked],
    *,
    as_known: bool,
) -> list[Column]:
    source, join_keys = _batch_source(view), _join_keys(view)
    keys = [as_type(rows.key(name, view=view.name), facts.type_of(key), what=name) for key, name in join_keys.items()]
    # Views that join by the same columns share one index of the observations.
    same = (*join_keys.values(), *(key.type for key in keys))
    if same not in asked_by:
        asked_by[same] = Asked.about(keys, rows.micros)
    found = latest_join(
        facts,
        asked_by[same],
        list(shown),
        join_keys=list(join_keys),
        when=source.timestamp_field,
        created=source.created_timestamp_column or None,
        max_age=view.ttl // MICROSECOND if view.ttl else None,
        as_known=as_known,
    )
    return [Column(name, found, feature) for feature, name in shown.items()]


def _everyone(config: RepoConfig, views: list[FeatureView], wanted: dict[str, list[str]], end: datetime) -> EntityRows:
    store = store_of(config)
    found = {view.join_keys[0]: store.everyone_as_of(view.name, end, wanted[_name(view)][:1])[0] for view in views}
    instant = pa.scalar(end, INSTANT)
    tables = [pa.table({name: keys, EVENT_TIMESTAMP: pa.repeat(instant, len(keys))}) for name, keys in found.items()]
    table = pa.concat_tables(tables, promote_options="default").select([*found, EVENT_TIMESTAMP])
    return EntityRows(table, EVENT_TIMESTAMP)


def _signal_rows(
    config: RepoConfig, source: SignalSource, join_keys: list[str], names: list[str], when: str, end: datetime
) -> Answer:
    keys, at, values = store_of(config).everyone_as_of(source.view, end, names)
    features = {name: materializable(values[name]) for name in names}
    return Answer.whole(pa.table({join_keys[0]: keys, when: at, **features}))


def _newest_rows(
    facts: Facts, join_keys: list[str], names: list[str], when: str, created: str | None, span: tuple[int, int]
) -> Answer:
    start, end = span
    columns = _columns(join_keys, names, when, created)
    if join_keys:
        keys = distinct_between(facts, join_keys, when=when, since=start, until=end)
        asked = Asked.about([keys[key].combine_chunks() for key in join_keys], np.full(len(keys), end))
    else:
        asked = Asked.about([], np.array([end]))
    found = latest_join(facts, asked, columns, join_keys=join_keys, when=when, created=created, max_age=end - start)
    return Answer.whole(found.rows if join_keys else _with_dummy_key(found.rows))


def _all_rows(
    facts: Facts, columns: list[str], join_keys: list[str], when: str, since: int | None, until: int | None
) -> Answer:
    table = rows_between(facts, columns, when=when, since=since, until=until)
    return Answer.whole(table if join_keys else _with_dummy_key(table))


def _columns(join_keys: Sequence[str], names: Sequence[str], when: str, created: str | None) -> list[str]:
    return list(dict.fromkeys([*join_keys, *names, when, *([created] if created else [])]))


def _with_dummy_key(table: pa.Table) -> pa.Table:
    """What Feast looks up views without entities by."""
    return table.append_column(DUMMY_ENTITY_ID, pa.array([DUMMY_ENTITY_VAL] * len(table), pa.string()))


def _batch_source(view: FeatureView) -> Any:
    if view.batch_source is None:
        raise AskedWrongly(f"{view.name} has no batch source, so it has no history; give it one in feature_repo/")
    return view.batch_source


def _join_keys(view: FeatureView) -> dict[str, str]:
    """The view's own join keys, and the names that they go by in the request."""
    names = [column.name for column in view.entity_columns if column.name != DUMMY_ENTITY_ID]
    return {name: view.projection.join_key_map.get(name, name) for name in names}


def _name(view: FeatureView) -> str:
    """Its name in references, whatever alias it goes by."""
    return str(view.projection.name_to_use())  # type: ignore[no-untyped-call]  # Feast's own


def _features_by_view(refs: list[str]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for ref in refs:
        view, _, feature = ref.partition(":")
        wanted.setdefault(view, []).append(feature)
    return wanted


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
