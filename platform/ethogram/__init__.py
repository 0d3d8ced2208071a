"""Ethogram: a behavioral feature store and model registry.

Importing this is cheap: nothing of Feast, MLflow, DuckDB or PostgreSQL is loaded until a store is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Source": "ethogram.core.sources.declaration",
    "event": "ethogram.core.sources.declaration",
    "reference": "ethogram.core.sources.declaration",
    "sql_table": "ethogram.core.sources.declaration",
    "Signal": "ethogram.core.signals.declaration",
    "count": "ethogram.core.signals.aggregates.basic",
    "total": "ethogram.core.signals.aggregates.basic",
    "mean": "ethogram.core.signals.aggregates.basic",
    "minimum": "ethogram.core.signals.aggregates.basic",
    "maximum": "ethogram.core.signals.aggregates.basic",
    "first": "ethogram.core.signals.aggregates.basic",
    "last": "ethogram.core.signals.aggregates.basic",
    "recency": "ethogram.core.signals.aggregates.basic",
    "derived": "ethogram.core.signals.aggregates.derivation",
    "during": "ethogram.core.signals.aggregates.derivation",
    "everyone": "ethogram.core.signals.aggregates.derivation",
    "rolled_up": "ethogram.core.signals.aggregates.derivation",
    "shrunk": "ethogram.core.signals.aggregates.derivation",
    "Outcome": "ethogram.core.outcomes.declaration",
    "occurrence": "ethogram.core.outcomes.declaration",
    "absence": "ethogram.core.outcomes.declaration",
    "connect": "ethogram.wiring",
    "EthogramError": "ethogram.errors",
}
__all__ = [
    "EthogramError",
    "Outcome",
    "Signal",
    "Source",
    "absence",
    "connect",
    "count",
    "derived",
    "during",
    "event",
    "everyone",
    "first",
    "last",
    "maximum",
    "mean",
    "minimum",
    "occurrence",
    "recency",
    "reference",
    "rolled_up",
    "shrunk",
    "sql_table",
    "total",
]

if TYPE_CHECKING:
    from ethogram.core.outcomes.declaration import Outcome, absence, occurrence
    from ethogram.core.signals.aggregates.basic import count, first, last, maximum, mean, minimum, recency, total
    from ethogram.core.signals.aggregates.derivation import derived, during, everyone, rolled_up, shrunk
    from ethogram.core.signals.declaration import Signal
    from ethogram.core.sources.declaration import Source, event, reference, sql_table
    from ethogram.errors import EthogramError
    from ethogram.wiring import connect


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ethogram' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
