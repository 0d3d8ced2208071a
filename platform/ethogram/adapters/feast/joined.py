"""A Feast view of others as a training set joins it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from feast.errors import FeatureViewNotFoundException

from ethogram.adapters.feast.facts import Facts, micros
from ethogram.adapters.feast.keys import as_type
from ethogram.adapters.feast.latest_join import Asked, latest_join
from ethogram.adapters.feast.source import is_ours
from ethogram.core.taxonomy import Entity
from ethogram.core.time import MICROSECOND
from ethogram.core.training_sets import Beside
from ethogram.core.workspace import UnknownName
from ethogram.errors import AskedWrongly
from ethogram.ports import Keys

PREFIX = "feast:"


class FeastView:
    """A view over files that somebody registered in the workspace's Feast: keeps `ports.Joined`.

    Feast's own rule: the newest row at or before the instant, that instant and the end of the ttl included.

    Args:
        name: Its name in Feast.
        feast: Feast, opened on the workspace's feature_repo/.
        entity: Whose rows the training set has; the view must join by its key.
    """

    def __init__(self, name: str, *, feast: Any, entity: Entity, keys: Keys) -> None:
        self._view, self._keys = _view(name, feast), keys
        self.entity = entity.name
        source = self._view.batch_source
        if source is None:
            raise AskedWrongly(f"{PREFIX}{name} has no batch source, so it has no history; give it one")
        names = [column.name for column in self._view.entity_columns]
        if names != [entity.join_key]:
            joins = ", ".join(names) or "nothing"
            raise AskedWrongly(
                f"{PREFIX}{name} joins by {joins}, and {entity.plural} by {entity.join_key}; "
                f"take a view that joins by {entity.join_key} alone"
            )
        self._facts = Facts(source, feast.config)

    @cached_property
    def about(self) -> Beside:
        """Its columns, and a digest of how it is read and of its files."""
        view, source = self._view, self._view.batch_source
        read = {
            "ttl": view.ttl // MICROSECOND if view.ttl else None,
            "at": [source.timestamp_field, source.created_timestamp_column],
            "mapping": dict(source.field_mapping),
            "files": self._facts.identity(),
        }
        state = hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:16]
        return Beside(f"{PREFIX}{view.name}", view.name, tuple(field.name for field in view.features), state)

    def values(self, observations: pa.Table) -> pa.Table:
        """Its features for each observation; null where no row is seen, and for who was forgotten."""
        view, source = self._view, self._view.batch_source
        (join_key,) = (column.name for column in view.entity_columns)
        ids = pc.unique(observations["entity"])
        raw = _typed(self._keys.reveal(self.entity, ids.to_pylist()), self._facts.type_of(join_key), what=join_key)
        keys = raw.take(pc.index_in(observations["entity"], value_set=ids).combine_chunks())
        found = latest_join(
            self._facts,
            Asked.about([keys], micros(observations["as_of"], what="as_of")),
            list(self.about.features),
            join_keys=[join_key],
            when=source.timestamp_field,
            created=source.created_timestamp_column or None,
            max_age=view.ttl // MICROSECOND if view.ttl else None,
        )
        rows = len(observations)
        return pa.table({name: _plain(found.column(name, 0, rows)) for name in self.about.features})


def _view(name: str, feast: Any) -> Any:
    try:
        view = feast.get_feature_view(name)
    except FeatureViewNotFoundException as error:
        known = [f"{PREFIX}{each.name}" for each in feast.list_feature_views() if not is_ours(each)]
        raise UnknownName("Feast view", f"{PREFIX}{name}", known=known) from error
    if is_ours(view):  # Agreements are kept for it: it is read under its own name or not at all.
        raise AskedWrongly(f"{PREFIX}{name} is a signal or score of the workspace; name it as such: {view.tags['ref']}")
    return view


def _typed(raw: Sequence[str | None], kind: pa.DataType, *, what: str) -> pa.Array:
    """Raw keys as the source types them; what is no whole number is nobody's key where keys are whole numbers."""
    if pa.types.is_integer(kind):
        numbers = [int(key) if key is not None and _whole(key) else None for key in raw]
        return pa.array(numbers, pa.int64()).cast(kind)
    return as_type(pa.array(raw, pa.string()), kind, what=what)


def _whole(key: str) -> bool:
    return key.removeprefix("-").isdecimal() and key.isascii() and str(int(key)) == key and abs(int(key)) < 2**63


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As the lake keeps it: no dictionaries, instants in microseconds UTC."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.timestamp("us", "UTC"))
    return column
