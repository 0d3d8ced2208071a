"""A feature's values in figures: how many, how many are missing, quantiles, a histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 26
WHOLE = 2.0**50  # beyond it a float has no halves to cut whole numbers at
QUANTILES = {"p01": 0.01, "p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}


def profile(values: npt.NDArray[np.float64] | None, *, count: int, nulls: int) -> dict[str, Any]:
    """Figures of one feature, ready for JSON.

    Args:
        values: Those that are numbers and not null; None for texts, instants and days.
        count: Rows.
        nulls: Rows without a value.

    >>> profile(np.array([1.0, 1.0, 4.0]), count=4, nulls=1)["histogram"]
    {'edges': [0.5, 1.5, 2.5, 3.5, 4.5], 'counts': [2, 0, 0, 1]}
    """
    found: dict[str, Any] = {"count": count, "null_share": nulls / count if count else 0.0}
    if values is None or not len(values):
        return found
    edges = _edges(values)
    return found | {
        "mean": float(values.mean()),
        "least": float(values.min()),
        "most": float(values.max()),
        "quantiles": {
            name: float(q) for name, q in zip(QUANTILES, np.quantile(values, list(QUANTILES.values())), strict=True)
        },
        "histogram": {"edges": edges.tolist(), "counts": np.histogram(values, edges)[0].tolist()},
    }


def _edges(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Strictly rising edges of at most 26 bins; a long tail is one bin, so that it does not flatten the rest."""
    least, most = float(values.min()), float(values.max())
    if max(-least, most) < WHOLE and np.array_equal(values, np.round(values)):
        return _whole_edges(values, least, most)
    low, high = (float(q) for q in np.quantile(values, [0.01, 0.99]))
    inner = np.linspace(low, high, BINS - 1)
    edges = np.unique(np.concatenate([[least], inner, [np.nextafter(most, np.inf)]]))
    return edges if len(edges) > 1 else np.array([least - 0.5, least + 0.5])


def _whole_edges(values: npt.NDArray[np.float64], least: float, most: float) -> npt.NDArray[np.float64]:
    """Edges between whole numbers, each inner bin a power of two of them: bins of two such profiles nest."""
    if most - least < BINS:
        return np.arange(least - 0.5, most + 1.0)
    low, high = np.floor(np.quantile(values, 0.01)), np.ceil(np.quantile(values, 0.99))
    step = 2.0 ** max(0, np.ceil(np.log2((high - low + 1) / (BINS - 3))))
    inner = np.arange(np.floor(low / step) * step, high + step + 1, step) - 0.5
    return np.concatenate([[least - 0.5], inner[(inner > least) & (inner < most)], [most + 0.5]])
