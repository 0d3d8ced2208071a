"""MLflow's registry under our rules, for `ethogram:///mlflow`: the entry point only.

MLflow loads it while it is itself being imported, so nothing of MLflow may be imported before `build` is called. The
scheme
is our own: if this plugin fails to load, MLflow knows no such scheme and refuses, instead of falling back to its open
store.
"""

from __future__ import annotations

from typing import Any


def build(store_uri: str, tracking_uri: str | None = None) -> Any:
    """The gated store for a registry URI, `ethogram:///mlflow[?workspace=…&state=…]`."""
    from ethogram.adapters.mlflow.environment import Place
    from ethogram.adapters.mlflow.gated_store import GatedStore
    from ethogram.adapters.mlflow.schema import ensure_schema

    place = Place.parse(store_uri)
    ensure_schema(place)
    return GatedStore(place, tracking_uri=tracking_uri)
