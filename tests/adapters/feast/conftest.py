"""A plain Feast repository over files, with our offline store named in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from feast import FeatureStore

YAML = """
project: files
provider: local
registry: registry.db
offline_store:
  type: {store}
online_store:
  type: sqlite
  path: online.db
entity_key_serialization_version: 3
"""
OURS = "ethogram.adapters.feast.offline.EthogramOfflineStore"


@pytest.fixture
def open_feast(tmp_path: Path) -> Callable[..., FeatureStore]:
    """Opens a repository in the test's folder whose data are the files beside it; `objects` are applied."""

    def opened(*objects: Any) -> FeatureStore:
        (tmp_path / "feature_store.yaml").write_text(YAML.format(store=OURS))
        store = FeatureStore(repo_path=str(tmp_path))
        store.apply(list(objects))
        return store

    return opened
