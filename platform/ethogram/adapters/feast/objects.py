"""Our views as Feast objects: what plain `feast apply` in feature_repo/ publishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from feast import Entity, FeatureView, Field, ValueType
from feast.types import String

from ethogram.adapters.feast.source import SignalSource
from ethogram.adapters.feast.types import feast_type
from ethogram.core.signals.view import View
from ethogram.core.taxonomy import Taxonomy


def compile_views(views: Iterable[View], taxonomy: Taxonomy) -> dict[str, Any]:
    """Feast's entities and feature views by name; the same views always give equal objects."""
    entities: dict[str, Entity] = {}
    compiled: dict[str, Any] = {}
    for view in views:
        if view.entity not in entities:
            declared = taxonomy.entities[view.entity]
            entities[view.entity] = Entity(
                name=view.entity,
                join_keys=[view.join_key],
                value_type=ValueType.STRING,
                description=declared.brief,
            )
        compiled[view.name] = feature_view(view, entities[view.entity])
    return {**{f"entity_{name}": entity for name, entity in entities.items()}, **compiled}


def feature_view(view: View, entity: Entity) -> FeatureView:
    """One view; its fields are ours in order, and its values never expire by age of the row alone."""
    fields = [Field(name=name, dtype=feast_type(kind)) for name, kind in view.features]
    columns: Mapping[str, str] = {
        view.join_key: "STRING",
        **{field.name: field.dtype.to_value_type().name for field in fields},
    }
    return FeatureView(
        name=view.name,
        entities=[entity],
        ttl=timedelta(0),
        schema=[Field(name=view.join_key, dtype=String), *fields],
        source=SignalSource(view=view.name, columns=dict(columns), description=view.brief, owner=view.owner),
        online=True,
        description=view.brief,
        owner=view.owner,
        tags={"ethogram": view.kind, "ref": view.ref, "owner": view.owner},
    )
