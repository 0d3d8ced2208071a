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

    store = open_feast(feature_repo)
    wanted = {name for name, thing in objects.items() if isinstance(thing, FeatureView)}
    stale = [view for view in store.list_feature_views() if view.tags.get("ethogram") and view.name not in wanted]
    store.apply(list(objects.values()), objects_to_delete=stale, partial=not stale)
