"""Kernels of `aggregates.selections`.

None looks at every event of every window. Ranks and counts of different values come from a wavelet matrix, the largest
few from a sparse table, what occurs how often from groups of equal values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from ethogram.core.signals.aggregates.selections import MOST, edges_of, parts_per_octave, share_of
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.basic import leaving
from ethogram.core.signals.kernel.columns import Column, Ints, Lists, Maps, Mask, Values, concat, ranges
from ethogram.core.signals.kernel.groups import codes, groups, origins, seen
from ethogram.core.signals.kernel.ranges import Sums, extremes
from ethogram.core.signals.kernel.wavelet import below, smallest
from ethogram.core.signals.numbers import LARGEST, quotients
from ethogram.core.signals.plan import FeaturePlan

# Candidates for the largest values looked at in one go.
AT_ONCE = 4_000_000


def _here(feature: FeaturePlan, asked: Asked) -> tuple[Asked, str, Ints, Ints]:
    """The events that have the property, and each observation's range of them."""
    assert feature.property is not None
    here = asked.having(feature.property)
    low, high = here.range(feature.window)
    return here, feature.property, low, high


def _lists(feature: FeaturePlan, here: Asked, name: str, rows: Ints, offsets: Ints) -> Lists:
    """Values of the property at some rows, in lists."""
    column = here.column(name)
    inner = Column(column.data[rows], None, column.scale, column.words)
    as_item = leaving(item_of(feature), inner)
    assert isinstance(as_item, Column)
    return Lists(offsets, as_item)


def item_of(feature: FeaturePlan) -> FeaturePlan:
    """The feature as one whose value is an item of its list or map."""
    return replace(feature, type=feature.type.partition("<")[2][:-1])


def first_k(feature: FeaturePlan, asked: Asked) -> Lists:
    here, name, low, high = _here(feature, asked)
    rows, offsets = ranges(low, np.minimum(high, low + feature.setting("k")))
    return _lists(feature, here, name, rows, offsets)


def last_k(feature: FeaturePlan, asked: Asked) -> Lists:
    here, name, low, high = _here(feature, asked)
    low = np.maximum(low, high - feature.setting("k"))
    rows, offsets = ranges(low, high)
    mirrored = np.repeat(low + high - 1, np.diff(offsets)) - rows
    return _lists(feature, here, name, mirrored, offsets)


def extreme_k(*, largest: bool) -> Callable[[FeaturePlan, Asked], Lists]:
    """The kernel of the k largest or smallest: the extreme of the range, which cuts it in two, and so on."""

    def kernel(feature: FeaturePlan, asked: Asked) -> Lists:
        here, name, low, high = _here(feature, asked)
        data, k = here.column(name).data, int(feature.setting("k"))

        def ranked() -> tuple[Ints, Ints]:
            order = np.argsort(data, kind="stable")
            rank = np.empty(len(order), np.int64)
            rank[order] = np.arange(len(order))
            return order, rank

        order, rank = here.keep(("ranked", name), ranked)
        sizes = np.clip(high - low, 0, k)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        rows = np.zeros(offsets[-1], np.int64)
        deepest = int(sizes.max(initial=0))
        step = max(1, AT_ONCE // (deepest + 1))
        for start in range(0, len(low), step):
            part = slice(start, start + step)
            _pick(order, rank, low[part], high[part], sizes[part], offsets[:-1][part], rows, largest=largest)
        return _lists(feature, here, name, rows, offsets)

    return kernel


def _pick(
    order: Ints, rank: Ints, low: Ints, high: Ints, sizes: Ints, places: Ints, rows: Ints, *, largest: bool
) -> None:
    """Write the rows of the `sizes[i]` most extreme events of each range to `rows` from `places[i]` on."""
    deepest = int(sizes.max(initial=0))
    worst = -1 if largest else len(rank)
    lows, highs = np.zeros((2, len(low), deepest + 1), np.int64)
    best = np.full((len(low), deepest + 1), worst, np.int64)

    def ask(who: Ints, slot: Ints | int, start: Ints, end: Ints) -> None:
        lows[who, slot], highs[who, slot] = start, end
        found = extremes(rank, start, end, largest=largest)
        best[who, slot] = np.where(start < end, found, worst)

    everyone = np.arange(len(low), dtype=np.int64)
    if deepest:
        ask(everyone, 0, low, high)
    for turn in range(deepest):
        who = np.flatnonzero(sizes > turn)
        slot = (best[who].argmax(axis=1) if largest else best[who].argmin(axis=1)).astype(np.int64)
        chosen = order[best[who, slot]]
        rows[places[who] + turn] = chosen
        start, end = lows[who, slot].copy(), highs[who, slot].copy()
        if turn + 1 < deepest:
            ask(who, slot, start, chosen)
            ask(who, turn + 1, chosen + 1, end)


def frequent(feature: FeaturePlan, asked: Asked) -> Values:
    here, name, low, high = _here(feature, asked)
    made = groups(here, name)
    parts: list[Values] = []
    for part in seen(made, here.events.entity, low, high):
        best = part.only(part.most(feature.setting("k")))
        parts.append(_lists(feature, here, name, made.order[best.low], best.offsets()))
    return concat(parts) if parts else _lists(feature, here, name, low[:0], np.zeros(1, np.int64))


def histogram(feature: FeaturePlan, asked: Asked) -> Values:
    here, name, low, high = _here(feature, asked)
    made = groups(here, name)
    parts: list[Values] = []
    for part in seen(made, here.events.entity, low, high):
        kept = part.only(np.sort(part.most(feature.setting("k") or MOST)))
        column = here.column(name)
        keys = Column(column.data[made.order[kept.low]], None, 0, column.words)
        parts.append(Maps(Lists(kept.offsets(), keys), Column(kept.high - kept.low)))
    nothing = Column(np.zeros(0, np.int64), None, 0, here.column(name).words)
    return concat(parts) if parts else Maps(Lists(np.zeros(1, np.int64), nothing), Column(np.zeros(0, np.int64)))


def histogram_edges(feature: FeaturePlan, asked: Asked) -> Lists:
    here, name, low, high = _here(feature, asked)
    column = here.column(name)
    edges = edges_of(dict(feature.settings))
    if column.data.dtype == np.float64:
        limits: npt.NDArray[Any] = np.array([_double_from(edge) for edge in edges])
        inside = np.searchsorted(limits, column.data, "right")
    else:
        whole = [int(edge.scaleb(column.scale).to_integral_value(ROUND_CEILING)) for edge in edges]
        # An edge beyond 64 bits is above or below whatever there is.
        beneath = sum(edge < -LARGEST for edge in whole)
        limits = np.array([edge for edge in whole if -LARGEST <= edge <= LARGEST], np.int64)
        inside = beneath + np.searchsorted(limits, column.data, "right")
    counts = [Sums((inside == number).astype(np.int64)).between(low, high) for number in range(len(edges) + 1)]
    items = np.stack(counts, axis=1).reshape(-1)
    return Lists(np.arange(len(low) + 1, dtype=np.int64) * len(counts), Column(items))


def _double_from(edge: Decimal) -> float:
    """The least double that is not below the edge."""
    nearest = float(edge)
    return nearest if Decimal(nearest) >= edge else math.nextafter(nearest, math.inf)


def distinct(feature: FeaturePlan, asked: Asked) -> Column:
    here, name, low, high = _here(feature, asked)
    repeated = here.keep(("repeated", name), lambda: since_same(here.events.entity, codes(here.column(name))))
    found = different(repeated, here.events.entity, low, high)
    bound = feature.setting("at_most")
    return Column(found if bound is None else np.minimum(found, bound))


def since_same(entity: Ints, value: Ints) -> Ints:
    """For each event the place of the one before it with the same entity and value, counted within the entity from 1;
    0 if there is none."""
    order = np.lexsort((value, entity))
    same = (np.diff(entity[order]) == 0) & (np.diff(value[order]) == 0)
    found = np.zeros(len(order), np.int64)
    found[order[1:][same]] = order[:-1][same] - origins(entity)[order[:-1][same]] + 1
    return found


def different(repeated: Ints, entity: Ints, low: Ints, high: Ints) -> Ints:
    """How many values occur in each range: its events whose value did not occur in it before."""
    high = np.maximum(low, high)
    return below(repeated, low, high, low - origins(entity)[low] + 1)


def distinct_sketch(feature: FeaturePlan, asked: Asked) -> Column:
    """HyperLogLog without its registers: those at `rank` or more are the different ones among the events of that rank
    or more."""
    here, name, low, high = _here(feature, asked)
    bits = int(feature.setting("sketch"))
    rest, many = 64 - bits, 2**bits
    hashed = here.keep(("hashed", name), lambda: hashes(here.column(name)))
    register = (hashed >> np.uint64(rest)).astype(np.int64)
    tail = hashed & np.uint64(2**rest - 1)
    rank = rest + 1 - _bit_lengths(tail)
    entity, at_least = here.events.entity, []
    for least in range(1, int(rank.max(initial=0)) + 1):
        some = rank >= least
        register, rank, entity = register[some], rank[some], entity[some]
        before = np.concatenate([[0], np.cumsum(some)])
        low, high = before[low], before[high]
        at_least.append(different(since_same(entity, register), entity, low, high))
    reached = np.stack([np.full(len(low), many), *at_least, np.zeros(len(low), np.int64)])
    return Column(_estimate(reached[:-1] - reached[1:], many, rest))


def hashes(column: Column) -> npt.NDArray[np.uint64]:
    """64 bits of BLAKE2b of each value's canonical text."""
    if column.words is not None:
        texts, places = list(column.words), column.data
    else:
        data = column.data + 0.0 if column.data.dtype == np.float64 else column.data
        values, places = np.unique(data, return_inverse=True)
        texts = [_text(value) for value in values.tolist()]
    found = [int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") for text in texts]
    return np.array(found, np.uint64)[places] if len(places) else np.zeros(0, np.uint64)


def _text(value: bool | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _bit_lengths(values: npt.NDArray[np.uint64]) -> Ints:
    """How many binary digits each has; exact, as both halves fit a double."""
    upper, lower = values >> np.uint64(32), values & np.uint64(0xFFFF_FFFF)
    found: Ints = np.where(
        upper > 0, np.frexp(upper.astype(np.float64))[1] + 32, np.frexp(lower.astype(np.float64))[1]
    ).astype(np.int64)
    return found


def _estimate(counts: Ints, registers: int, longest: int) -> Ints:
    """Ertl's improved raw estimate from how many registers have each rank: counts[rank, observation]."""
    ranks = np.zeros((longest + 2, counts.shape[1]), np.float64)
    ranks[: len(counts)] = counts
    z = registers * _tau(1 - ranks[longest + 1] / registers)
    for rank in range(longest, 0, -1):
        z = 0.5 * (z + ranks[rank])
    some = ranks[0] < registers
    z = z + registers * _sigma(np.where(some, ranks[0], 0) / registers)
    answer = np.zeros(counts.shape[1], np.int64)
    answer[some] = np.floor(registers * registers / (2 * math.log(2)) / z[some] + 0.5).astype(np.int64)
    return answer


def _sigma(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    y, z = 1.0, x
    while True:
        x = x * x
        grown = z + x * y
        if np.array_equal(grown, z):
            return z
        y, z = 2 * y, grown


def _tau(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    some = (x > 0) & (x < 1)
    y, z = 1.0, 1 - x
    while True:
        x, y = np.sqrt(x), 0.5 * y
        less = z - (1 - x) * (1 - x) * y
        if np.array_equal(less[some], z[some]):
            return np.where(some, z / 3, 0.0)
        z = less


def _chosen(feature: FeaturePlan, asked: Asked) -> tuple[Column, Mask]:
    """The value at the nearest rank."""
    here, name, low, high = _here(feature, asked)
    column, entity = here.column(name), here.events.entity

    def ranked() -> tuple[Ints, Ints]:
        order = np.lexsort((column.data, entity))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return order, rank - origins(entity)[:-1]

    order, rank = here.keep(("ranked by entity", name), ranked)
    q = share_of(feature.setting("q"))
    some = low < high
    wanted = np.maximum(-((high - low) * -q.numerator // q.denominator) - 1, 0)
    found = smallest(rank, low, high, wanted)
    if not len(order):
        return Column(np.zeros(len(low), column.data.dtype), None, column.scale), some
    rows = order[np.where(some, origins(entity)[np.where(some, low, 0)] + found, 0)]
    return Column(column.data[rows], None, column.scale), some


def quantile(feature: FeaturePlan, asked: Asked) -> Column:
    chosen, some = _chosen(feature, asked)
    return leaving(feature, chosen.where(some))


def quantile_sketch(feature: FeaturePlan, asked: Asked) -> Column:
    """Buckets are in the order of the values, so that the rank's bucket is that of the value at the rank."""
    chosen, some = _chosen(feature, asked)
    data = chosen.data
    double = data if data.dtype == np.float64 else quotients(data, np.full(len(data), 10**chosen.scale, np.int64))
    parts = parts_per_octave(float(feature.setting("sketch")))
    fraction, power = np.frexp(abs(double))
    part = np.floor((2 * fraction - 1) * parts)
    low, high = 1 + part / parts, 1 + (part + 1) / parts
    middle = np.ldexp(2 * low * high / (low + high), power - 1)
    return Column(np.where(double == 0, 0.0, np.sign(double) * middle), some)


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {
    "first_k": first_k,
    "last_k": last_k,
    "top_k": extreme_k(largest=True),
    "bottom_k": extreme_k(largest=False),
    "frequent": frequent,
    "distinct": distinct,
    "distinct_sketch": distinct_sketch,
    "histogram": histogram,
    "histogram_edges": histogram_edges,
    "quantile": quantile,
    "quantile_sketch": quantile_sketch,
}
