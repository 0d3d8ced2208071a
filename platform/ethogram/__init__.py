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
    "Reconciled": "ethogram.core.signals.reconciled",
    "Sessions": "ethogram.core.signals.sessions",
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
    "frequency": "ethogram.core.signals.aggregates.rfm",
    "active_span": "ethogram.core.signals.aggregates.rfm",
    "tenure": "ethogram.core.signals.aggregates.rfm",
    "monetary": "ethogram.core.signals.aggregates.rfm",
    "gaps": "ethogram.core.signals.aggregates.gaps",
    "streak": "ethogram.core.signals.aggregates.streaks",
    "slope": "ethogram.core.signals.aggregates.trend",
    "change": "ethogram.core.signals.aggregates.trend",
    "decay": "ethogram.core.signals.aggregates.decay",
    "seasonal": "ethogram.core.signals.aggregates.seasonal",
    "concentration": "ethogram.core.signals.aggregates.seasonal",
    "first_touch": "ethogram.core.signals.aggregates.touch",
    "last_touch": "ethogram.core.signals.aggregates.touch",
    "since_first": "ethogram.core.signals.aggregates.touch",
    "sequence": "ethogram.core.signals.aggregates.sequences",
    "sequence_gaps": "ethogram.core.signals.aggregates.sequences",
    "transitions": "ethogram.core.signals.aggregates.sequences",
    "ngrams": "ethogram.core.signals.aggregates.sequences",
    "time_since_each": "ethogram.core.signals.aggregates.sequences",
    "funnel": "ethogram.core.signals.aggregates.sequences",
    "variance": "ethogram.core.signals.aggregates.moments",
    "std": "ethogram.core.signals.aggregates.moments",
    "skew": "ethogram.core.signals.aggregates.moments",
    "first_k": "ethogram.core.signals.aggregates.selections",
    "last_k": "ethogram.core.signals.aggregates.selections",
    "top_k": "ethogram.core.signals.aggregates.selections",
    "bottom_k": "ethogram.core.signals.aggregates.selections",
    "frequent": "ethogram.core.signals.aggregates.selections",
    "distinct": "ethogram.core.signals.aggregates.selections",
    "histogram": "ethogram.core.signals.aggregates.selections",
    "quantile": "ethogram.core.signals.aggregates.selections",
    "ratio": "ethogram.core.signals.aggregates.ratios",
    "rate": "ethogram.core.signals.aggregates.ratios",
    "share": "ethogram.core.signals.aggregates.ratios",
    "Outcome": "ethogram.core.outcomes.declaration",
    "occurrence": "ethogram.core.outcomes.declaration",
    "absence": "ethogram.core.outcomes.declaration",
    "connect": "ethogram.wiring",
    "EthogramError": "ethogram.errors",
}
__all__ = [
    "EthogramError",
    "Outcome",
    "Reconciled",
    "Sessions",
    "Signal",
    "Source",
    "absence",
    "active_span",
    "bottom_k",
    "change",
    "concentration",
    "connect",
    "count",
    "decay",
    "derived",
    "distinct",
    "during",
    "event",
    "everyone",
    "first",
    "first_k",
    "first_touch",
    "frequency",
    "frequent",
    "funnel",
    "gaps",
    "histogram",
    "last",
    "last_k",
    "last_touch",
    "maximum",
    "mean",
    "minimum",
    "monetary",
    "ngrams",
    "occurrence",
    "quantile",
    "rate",
    "ratio",
    "recency",
    "reference",
    "rolled_up",
    "seasonal",
    "sequence",
    "sequence_gaps",
    "share",
    "shrunk",
    "since_first",
    "skew",
    "slope",
    "sql_table",
    "std",
    "streak",
    "tenure",
    "time_since_each",
    "top_k",
    "total",
    "transitions",
    "variance",
]

if TYPE_CHECKING:
    from ethogram.core.outcomes.declaration import Outcome, absence, occurrence
    from ethogram.core.signals.aggregates.basic import count, first, last, maximum, mean, minimum, recency, total
    from ethogram.core.signals.aggregates.decay import decay
    from ethogram.core.signals.aggregates.derivation import derived, during, everyone, rolled_up, shrunk
    from ethogram.core.signals.aggregates.gaps import gaps
    from ethogram.core.signals.aggregates.moments import skew, std, variance
    from ethogram.core.signals.aggregates.ratios import rate, ratio, share
    from ethogram.core.signals.aggregates.rfm import active_span, frequency, monetary, tenure
    from ethogram.core.signals.aggregates.seasonal import concentration, seasonal
    from ethogram.core.signals.aggregates.selections import (
        bottom_k,
        distinct,
        first_k,
        frequent,
        histogram,
        last_k,
        quantile,
        top_k,
    )
    from ethogram.core.signals.aggregates.sequences import (
        funnel,
        ngrams,
        sequence,
        sequence_gaps,
        time_since_each,
        transitions,
    )
    from ethogram.core.signals.aggregates.streaks import streak
    from ethogram.core.signals.aggregates.touch import first_touch, last_touch, since_first
    from ethogram.core.signals.aggregates.trend import change, slope
    from ethogram.core.signals.declaration import Signal
    from ethogram.core.signals.reconciled import Reconciled
    from ethogram.core.signals.sessions import Sessions
    from ethogram.core.sources.declaration import Source, event, reference, sql_table
    from ethogram.errors import EthogramError
    from ethogram.wiring import connect


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ethogram' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
