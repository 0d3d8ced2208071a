"""Figures out of stored JSON reports, which may lack any of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from ethogram.core.monitoring.psi import Histogram


def number(report: Any, *path: str) -> float | None:
    """The finite number at `path`, else None.

    >>> number({"quantiles": {"p50": 3}}, "quantiles", "p50"), number({}, "auc")
    (3.0, None)
    """
    for key in path:
        report = report.get(key) if isinstance(report, Mapping) else None
    if isinstance(report, bool) or not isinstance(report, int | float):
        return None
    return float(report) if isfinite(report) else None


def whole(report: Any, *path: str) -> int:
    """The number at `path` as a count; a mapping counts as the sum of its values; 0 when absent.

    >>> whole({"events": {"commerce.purchase": 7, "commerce.refund": 2}}, "events")
    9
    """
    for key in path:
        report = report.get(key) if isinstance(report, Mapping) else None
    if isinstance(report, Mapping):
        return sum(whole({"value": value}, "value") for value in report.values())
    return int(number({"value": report}, "value") or 0)


def text(body: Any, key: str, default: str = "") -> str:
    """The text at `key`, else `default`; never "None"."""
    value = body.get(key) if isinstance(body, Mapping) else None
    return default if value is None else str(value)


def texts(body: Any, key: str) -> tuple[str, ...]:
    """The list at `key` as texts; a lone text is a list of one."""
    value = body.get(key) if isinstance(body, Mapping) else None
    if isinstance(value, str):
        return (value,)
    return tuple(str(item) for item in value) if isinstance(value, Sequence) else ()


def mapping(body: Any, key: str) -> Mapping[str, Any]:
    """The mapping at `key`; empty when there is none."""
    value = body.get(key) if isinstance(body, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def mappings(body: Any, key: str) -> tuple[Mapping[str, Any], ...]:
    """The mappings in the list at `key`."""
    value = body.get(key) if isinstance(body, Mapping) else None
    return tuple(item for item in value if isinstance(item, Mapping)) if isinstance(value, list | tuple) else ()


def histogram(profile: Any) -> Histogram | None:
    """The profile's histogram, or None where the values are no numbers or there are none."""
    stored = mapping(profile, "histogram")
    edges, counts = _numbers(stored.get("edges")), _numbers(stored.get("counts"))
    if not counts or len(edges) != len(counts) + 1 or any(b <= a for a, b in itertools.pairwise(edges)):
        return None
    return Histogram(edges, counts)


def _numbers(values: Any) -> tuple[float, ...]:
    found = [number({"value": value}, "value") for value in values] if isinstance(values, list | tuple) else []
    return tuple(value for value in found if value is not None)
