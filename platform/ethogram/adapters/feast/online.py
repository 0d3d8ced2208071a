"""Feast's online store over packed rows: plain `get_online_features`, `materialize` and `push` work on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from feast.entity import Entity
from feast.feature_view import FeatureView
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import FeastConfigBaseModel, RepoConfig

from ethogram.adapters.feast.source import is_ours
from ethogram.adapters.feast.store import store_of
from ethogram.adapters.feast.types import from_proto, to_proto
from ethogram.core.online.packed import Layout
from ethogram.ports import OnlineRow


class EthogramOnlineStoreConfig(FeastConfigBaseModel):
    """Nothing to set: workspace, state, principal and purpose come from the environment."""

    type: Literal["ethogram.adapters.feast.online.EthogramOnlineStore"] = (
        "ethogram.adapters.feast.online.EthogramOnlineStore"
    )


class EthogramOnlineStore(OnlineStore):
    """Named in feature_store.yaml as `online_store: {type: ethogram.adapters.feast.online.EthogramOnlineStore}`."""

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[tuple[EntityKey, dict[str, Value], datetime, datetime | None]],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write rows of `table`; an older row never overwrites a newer one."""
        store = store_of(config)
        if is_ours(table):
            kinds = dict(store.view(table.name).features)
            keys = [_key(entity_key) for entity_key, _, _, _ in data]
            rows = [
                (key, _utc(at), [from_proto(kind, values.get(name, Value())) for name, kind in kinds.items()])
                for key, (_, values, at, _) in zip(keys, data, strict=True)
            ]
            store.write_online(table.name, rows)
        else:
            names = [field.name for field in table.features]
            layout = Layout(tuple((name, "bytes") for name in names))
            packed = [
                OnlineRow(
                    serialize_entity_key(entity_key, config.entity_key_serialization_version),
                    None,
                    _utc(at),
                    _utc(created) if created else None,
                    layout.pack([_bytes(values.get(name)) for name in names]),
                )
                for entity_key, values, at, created in data
            ]
            store.online.write(f"{config.project}.{table.name}", layout, packed)
        if progress:
            progress(len(data))

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[tuple[datetime | None, dict[str, Value] | None]]:
        """Time and values for each key; (None, None) where there is no row or the entity has opted out."""
        store = store_of(config)
        names = requested_features or [field.name for field in table.features]
        if is_ours(table):
            kinds = dict(store.view(table.name).features)
            found = store.read_online(table.name, [_key(entity_key) for entity_key in entity_keys], names)
            return [
                (None, None) if row is None else (row[0], {name: to_proto(kinds[name], row[1][name]) for name in names})
                for row in found
            ]
        view = f"{config.project}.{table.name}"
        keys = [serialize_entity_key(key, config.entity_key_serialization_version) for key in entity_keys]
        rows = store.online.read([view], keys)
        answers: list[tuple[datetime | None, dict[str, Value] | None]] = []
        for key in keys:
            row = rows.get((view, key))
            if row is None:
                answers.append((None, None))
            else:
                answers.append((row[0], {name: _value(row[1].get(name)) for name in names}))
        return answers

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Drop the rows of views that are gone; new ones need no table of their own."""
        for table in tables_to_delete:
            store_of(config).online.drop(table.name if is_ours(table) else f"{config.project}.{table.name}")

    def teardown(self, config: RepoConfig, tables: Sequence[FeatureView], entities: Sequence[Entity]) -> None:
        """Drop the rows of `tables`."""
        self.update(config, tables, [], entities, [], partial=False)


def _key(entity_key: EntityKey) -> str:
    value = entity_key.entity_values[0]
    return str(getattr(value, str(value.WhichOneof("val"))))


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _bytes(value: Value | None) -> bytes | None:
    return None if value is None or value.WhichOneof("val") is None else value.SerializeToString()


def _value(packed: bytes | None) -> Value:
    return Value() if packed is None else Value.FromString(packed)
