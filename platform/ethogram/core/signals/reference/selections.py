"""Definitions of `aggregates.selections`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from ethogram.core import time
from ethogram.core.signals.aggregates.selections import MOST, edges_of, parts_per_octave, share_of
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen, leaving, present, units


def _values(feature: FeaturePlan, seen: Seen) -> list[Any]:
    return present(feature, seen.inside(feature.window))


def first_k(feature: FeaturePlan, seen: Seen) -> list[Any]:
    return [leaving(value) for value in _values(feature, seen)[: feature.setting("k")]]


def last_k(feature: FeaturePlan, seen: Seen) -> list[Any]:
    return [leaving(value) for value in reversed(_values(feature, seen))][: feature.setting("k")]


def top_k(feature: FeaturePlan, seen: Seen) -> list[Any]:
    return [leaving(value) for value in sorted(_values(feature, seen), reverse=True)[: feature.setting("k")]]


def bottom_k(feature: FeaturePlan, seen: Seen) -> list[Any]:
    return [leaving(value) for value in sorted(_values(feature, seen))[: feature.setting("k")]]


def _by_count(values: list[Any]) -> list[tuple[Any, int]]:
    """Values with their counts, most frequent first, of equally frequent ones the smaller."""
    return sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))


def frequent(feature: FeaturePlan, seen: Seen) -> list[Any]:
    return [leaving(value) for value, _ in _by_count(_values(feature, seen))[: feature.setting("k")]]


def distinct(feature: FeaturePlan, seen: Seen) -> int:
    found = len(set(_values(feature, seen)))
    bound = feature.setting("at_most")
    return found if bound is None else min(found, bound)


def distinct_sketch(feature: FeaturePlan, seen: Seen) -> int:
    """HyperLogLog: each register keeps the longest run of zeros that the hashes sent to it began with, plus one."""
    bits = feature.setting("sketch")
    rest = 64 - bits
    registers = [0] * 2**bits
    for value in _values(feature, seen):
        hashed = int.from_bytes(blake2b(_text(feature, value).encode(), digest_size=8).digest(), "big")
        tail = hashed & (2**rest - 1)
        registers[hashed >> rest] = max(registers[hashed >> rest], rest - tail.bit_length() + 1)
    return _estimate(Counter(registers), 2**bits, rest)


def _text(feature: FeaturePlan, value: Any) -> str:
    """The canonical text of a value: numbers of fixed point in whole units, instants in microseconds, days in days."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case float():
            return repr(value + 0.0)
        case datetime():
            return str(time.micros(value))
        case date():
            return str(value.toordinal() - date(1970, 1, 1).toordinal())
    return str(units(feature, value))


def _estimate(counts: Mapping[int, int], registers: int, longest: int) -> int:
    """The improved raw estimate of Ertl, New cardinality estimation algorithms for HyperLogLog sketches (2017)."""
    if counts.get(0, 0) == registers:
        return 0
    z = registers * _tau(1 - counts.get(longest + 1, 0) / registers)
    for rank in range(longest, 0, -1):
        z = 0.5 * (z + counts.get(rank, 0))
    z = z + registers * _sigma(counts.get(0, 0) / registers)
    return math.floor(registers * registers / (2 * math.log(2)) / z + 0.5)


def _sigma(x: float) -> float:
    y, z, before = 1.0, x, -1.0
    while z != before:
        x, before = x * x, z
        z = z + x * y
        y = 2 * y
    return z


def _tau(x: float) -> float:
    if x in {0.0, 1.0}:
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x, y, before = math.sqrt(x), 0.5 * y, z
        z = z - (1 - x) * (1 - x) * y
    return z / 3


def histogram(feature: FeaturePlan, seen: Seen) -> dict[str, int]:
    return dict(sorted(_by_count(_values(feature, seen))[: feature.setting("k") or MOST]))


def histogram_edges(feature: FeaturePlan, seen: Seen) -> list[int]:
    edges = edges_of(dict(feature.settings))
    found = [0] * (len(edges) + 1)
    for value in _values(feature, seen):
        exact = value if not isinstance(value, float) else Decimal(value)
        found[sum(edge <= exact for edge in edges)] += 1
    return found


def quantile(feature: FeaturePlan, seen: Seen) -> Any:
    values = sorted(_values(feature, seen))
    return leaving(values[_rank(feature, len(values))]) if values else None


def _rank(feature: FeaturePlan, count: int) -> int:
    return max(0, math.ceil(share_of(feature.setting("q")) * count) - 1)


def quantile_sketch(feature: FeaturePlan, seen: Seen) -> float | None:
    """Counts by bucket, in order of the buckets; the value is the one in the middle of the bucket that has the rank."""
    parts = parts_per_octave(feature.setting("sketch"))
    buckets: Counter[tuple[int, int, int]] = Counter()
    for value in _values(feature, seen):
        double = value if isinstance(value, float) else units(feature, value) / 10**feature.scale
        fraction, power = math.frexp(abs(double))
        sign = (double > 0) - (double < 0)
        buckets[sign, sign * power, sign * int((2 * fraction - 1) * parts) if sign else 0] += 1
    if not buckets:
        return None
    rank = _rank(feature, buckets.total())
    for bucket in sorted(buckets):
        rank -= buckets[bucket]
        if rank < 0:
            sign, power, part = bucket
            low, high = 1 + abs(part) / parts, 1 + (abs(part) + 1) / parts
            # As far from both ends, relatively: the harmonic mean.
            return sign * math.ldexp(2 * low * high / (low + high), sign * power - 1) if sign else 0.0
    raise AssertionError("a rank beyond the count")


REFERENCE: Mapping[str, Definition] = {
    "first_k": first_k,
    "last_k": last_k,
    "top_k": top_k,
    "bottom_k": bottom_k,
    "frequent": frequent,
    "distinct": distinct,
    "distinct_sketch": distinct_sketch,
    "histogram": histogram,
    "histogram_edges": histogram_edges,
    "quantile": quantile,
    "quantile_sketch": quantile_sketch,
}
