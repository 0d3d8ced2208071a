"""Publish compiled views to Feast's registry: last, whole and idempotent."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def open_feast(feature_repo: Path) -> Any:
    """Plain Feast on the workspace's feature_repo/."""
    from feast import FeatureStore

    return FeatureStore(repo_path=str(feature_repo))


def publish(feature_repo: Path, objects: dict[str, Any]) -> None:
    """Make Feast's registry hold `objects` and no older object of ours.

    Feast commits object by object; a crash leaves some of them, and the next publish completes it.
    """
    from feast import FeatureView

    from ethogram.adapters.feast.source import is_ours

    store = open_feast(feature_repo)
    wanted = {thing.name for thing in objects.values() if isinstance(thing, FeatureView)}
    stale = [view for view in store.list_feature_views() if is_ours(view) and view.name not in wanted]
    sources = [view.batch_source for view in stale]
    store.apply(list(objects.values()), objects_to_delete=[*stale, *sources], partial=False)
