"""Kernels of `aggregates.sequences`.

Maps count by entity and kind: every entity's events stand sorted by kind, so that how often a kind occurs in a range,
and when last, are two searches. An observation costs as many as its entity has kinds, however many events it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ethogram.core.signals.aggregates.aggregate import SECONDS
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.basic import leaving
from ethogram.core.signals.kernel.columns import Column, Ints, Lists, Maps, Values, concat, ranges, texts
from ethogram.core.signals.kernel.sessions import steps_reached
from ethogram.core.signals.plan import FeaturePlan

# Pairs of an observation and a kind that are looked at at once.
PAIRS_AT_ONCE = 4_000_000


def _last(feature: FeaturePlan, asked: Asked) -> tuple[Asked, Ints, Ints]:
    """The events that have the property, and the last `k` of each observation."""
    asked = asked.having(feature.property)
    low, high = asked.range(feature.window)
    return asked, np.maximum(low, high - feature.setting("k")), high


def sequence(feature: FeaturePlan, asked: Asked) -> Lists:
    asked, low, high = _last(feature, asked)
    rows, offsets = ranges(low, high)
    values = leaving(feature, asked.column(feature.property).take(rows))
    return Lists(offsets, Column(values.data, None, values.scale, values.words))


def sequence_gaps(feature: FeaturePlan, asked: Asked) -> Lists:
    asked, low, high = _last(feature, asked)
    rows, offsets = ranges(low, high)
    instants = asked.events.occurred[rows]
    following = np.empty(len(rows), np.int64)
    following[:-1] = instants[1:]
    some = low < high
    following[offsets[1:][some] - 1] = asked.at[some]
    return Lists(offsets, Column((following - instants).astype(np.float64) / 1_000_000.0))


@dataclass(frozen=True, slots=True)
class _Occurrences:
    """What is counted: a kind and an entity each, and the range of them that each observation sees.

    Attributes:
        spell: The text of a kind.
        before: For each kind the kind of what leads to it, for shares.
    """

    kind: Ints
    entity: Ints
    low: Ints
    high: Ints
    spell: Callable[[int], str]
    before: Ints


def _grams(feature: FeaturePlan, asked: Asked, n: int) -> _Occurrences:
    """Runs of `n` values: of all events, or within sessions where these are what is looked at."""
    inside = asked.inside if feature.inside else None
    events = asked.events if inside is None else inside.events
    assert feature.property is not None
    column = events.columns[feature.property]
    low, high = asked.range(feature.window)
    rows = np.flatnonzero(column.present)
    earlier = np.concatenate([[0], np.cumsum(column.present)]).astype(np.int64)
    values, words = column.data[rows].astype(np.int64), column.words or ()
    kind, parent, tails = _kinds(values, n, len(words))

    def spell(one: int) -> str:
        return " > ".join(words[value] for value in values[tails[one] - n + 1 : tails[one] + 1].tolist())

    if inside is None:
        entity = events.entity[rows]
        low, high = earlier[low], earlier[high]
        return _Occurrences(kind, entity, np.minimum(low + n - 1, high), high, spell, parent)
    places, offsets = ranges(earlier[inside.start] + n - 1, earlier[inside.end])
    entity = np.repeat(asked.events.entity, np.diff(offsets))
    return _Occurrences(kind[places], entity, offsets[low], offsets[high], spell, parent)


def _kinds(values: Ints, n: int, words: int) -> tuple[Ints, Ints, Ints]:
    """For each value the kind of run that ends there; for each kind what leads to it, and a place where it ends.

    Runs across the start of an entity are numbered too; nobody looks at them.
    """
    kind = np.zeros(len(values), np.int64)
    leading = kind
    for back in range(n - 1, -1, -1):
        leading = kind
        shifted = np.concatenate([np.zeros(min(back, len(values)), np.int64), values[: max(len(values) - back, 0)]])
        kind = np.unique(kind * max(words, 1) + shifted, return_inverse=True)[1].astype(np.int64)
    _, ends = np.unique(kind, return_index=True)
    # A place before the n-th value has no run of its own; a later one of the same kind does, if there is any.
    last = np.zeros(len(ends), np.int64)
    last[kind] = np.arange(len(kind))
    return kind, leading[ends], last


@dataclass(frozen=True, slots=True)
class _Counts:
    """What each observation saw: rows by observation and kind; `latest` is the last occurrence of the kind."""

    observation: Ints
    kind: Ints
    many: Ints
    latest: Ints


def _counted(seen: _Occurrences) -> list[_Counts]:
    kinds = int(seen.kind.max()) + 1 if len(seen.kind) else 1
    groups = np.unique(seen.entity, return_inverse=True)[1].astype(np.int64)
    both = groups * kinds + seen.kind
    order = np.argsort(both, kind="stable").astype(np.int64)
    segment, begin = np.unique(both[order], return_index=True)
    number = np.zeros(len(order), np.int64)
    number[begin] = 1
    size = len(order) + 1
    keys = (np.cumsum(number) - 1) * size + order
    some = np.flatnonzero(seen.low < seen.high)
    mine = groups[seen.low[some]] if len(some) else some
    first, end = np.searchsorted(segment, mine * kinds), np.searchsorted(segment, (mine + 1) * kinds)
    found = []
    ahead = np.cumsum(end - first)
    start = 0
    while start < len(some):
        done = int(ahead[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ahead, done + PAIRS_AT_ONCE, "right")), start + 1)
        pairs, offsets = ranges(first[start:stop], end[start:stop])
        owner = np.repeat(some[start:stop], np.diff(offsets))
        low = np.searchsorted(keys, pairs * size + seen.low[owner])
        high = np.searchsorted(keys, pairs * size + seen.high[owner])
        seen_once = np.flatnonzero(high > low)
        low, high = low[seen_once], high[seen_once]
        kind = segment[pairs[seen_once]] % kinds
        found.append(_Counts(owner[seen_once], kind, high - low, order[high - 1]))
        start = stop
    return found


def _maps(
    feature: FeaturePlan,
    seen: _Occurrences,
    observations: int,
    value: Callable[[_Counts], npt.NDArray[Any]],
    top: int | None,
) -> Maps:
    """One map an observation, from the text of a kind to its `value`; of the `top` most frequent kinds."""
    parts = []
    for counts in _counted(seen):
        present, kind = np.unique(counts.kind, return_inverse=True)
        spelled = texts([seen.spell(each) for each in present.tolist()])
        rank, values = spelled.data[kind], value(counts)
        observation = counts.observation
        if top is not None:
            order = np.lexsort((rank, -counts.many, observation))
            begin = np.searchsorted(observation[order], observation[order], "left")
            chosen = np.sort(order[np.arange(len(order)) - begin < top])
            observation, rank, values = observation[chosen], rank[chosen], values[chosen]
        order = np.lexsort((rank, observation))
        parts.append((observation[order], Column(rank[order], words=spelled.words), Column(values[order])))
    if not parts:
        nothing = np.zeros(0, np.float64 if feature.type == "map<double>" else np.int64)
        keys = Lists(np.zeros(observations + 1, np.int64), texts([]))
        return Maps(keys, Column(nothing))
    sizes = np.bincount(np.concatenate([each for each, _, _ in parts]), minlength=observations)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    keyed, items = concat([each for _, each, _ in parts]), concat([each for _, _, each in parts])
    assert isinstance(keyed, Column)
    assert isinstance(items, Column)
    return Maps(Lists(offsets, keyed), items)


def _shares(seen: _Occurrences) -> Callable[[_Counts], npt.NDArray[Any]]:
    """How often each kind was, of all with the same values before the last."""

    def share(counts: _Counts) -> npt.NDArray[Any]:
        leads = int(seen.before.max()) + 1 if len(seen.before) else 1
        together = np.unique(counts.observation * leads + seen.before[counts.kind], return_inverse=True)[1]
        all_of_them = np.zeros(len(counts.many), np.int64)
        np.add.at(all_of_them, together, counts.many)
        return counts.many / all_of_them[together]

    return share


def transitions(feature: FeaturePlan, asked: Asked) -> Maps:
    seen = _grams(feature, asked, feature.setting("k"))
    value = (lambda counts: counts.many) if feature.setting("as") == "count" else _shares(seen)
    return _maps(feature, seen, len(asked), value, feature.setting("top"))


def ngrams(feature: FeaturePlan, asked: Asked) -> Maps:
    seen = _grams(feature, asked, feature.setting("n"))
    return _maps(feature, seen, len(asked), lambda counts: counts.many, feature.setting("top"))


def time_since_each(feature: FeaturePlan, asked: Asked) -> Maps:
    seen = _grams(feature, asked, 1)
    occurred = asked.events.occurred[np.flatnonzero(asked.column(feature.property).present)]
    unit = float(SECONDS[feature.setting("unit")] * 1_000_000)

    def since(counts: _Counts) -> npt.NDArray[Any]:
        return (asked.at[counts.observation] - occurred[counts.latest]).astype(np.float64) / unit

    return _maps(feature, seen, len(asked), since, None)


def funnel(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    return Column(steps_reached(asked.column(feature.property), feature.setting("steps"), low, high))


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {
    "sequence": sequence,
    "sequence_gaps": sequence_gaps,
    "transitions": transitions,
    "ngrams": ngrams,
    "time_since_each": time_since_each,
    "funnel": funnel,
}
