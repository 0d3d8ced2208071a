"""The primitives computed fast: many observations over sorted columns at once, equal to `reference` to the bit.

Everything rests on one thing: what an observation sees is nearly always a contiguous range of its entity's events in
order of time. Sums are then differences of running totals, extremes come from a sparse table, the latest event is the
last of the range. Where it is not so, as events came late or were superseded, the events that the observation does see
are copied for it alone, and then it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from ethogram.core.signals.kernel import (
    basic,
    buckets,
    decay,
    gaps,
    moments,
    ratios,
    rfm,
    seasonal,
    selections,
    sequences,
    sessions,
    streaks,
    touch,
    trend,
)
from ethogram.core.signals.kernel.asked import Asked, window_start
from ethogram.core.signals.kernel.columns import (
    Column,
    Ints,
    Lists,
    Maps,
    Mask,
    Values,
    by_entity_and_time,
    concat,
    put_back,
    ranges,
)
from ethogram.core.signals.kernel.events import LONG_AGO, Events
from ethogram.core.signals.plan import FeaturePlan

Kernel = Callable[[FeaturePlan, Asked], Values]
_FAMILIES = (
    basic,
    decay,
    gaps,
    rfm,
    seasonal,
    sequences,
    streaks,
    touch,
    trend,
    buckets,
    moments,
    ratios,
    selections,
)
KERNELS: Mapping[str, Kernel] = {name: each for family in _FAMILIES for name, each in family.KERNELS.items()}
# Events copied for observations of their own at once.
COPIED_AT_ONCE = 4_000_000
_MOST = 2**62

__all__ = ["KERNELS", "Column", "Events", "Lists", "Maps", "Values", "concat", "evaluate"]


def evaluate(
    features: Sequence[FeaturePlan],
    events: Events,
    entity: Ints,
    at: Ints,
    delay: int = 0,
    *,
    kernels: Mapping[str, Kernel] = KERNELS,
) -> dict[str, Values]:
    """Values of `features`, which share a stream, for each observation (entity, at), by feature name.

    Args:
        events: The stream's, in their order; those of other entities do no harm.
        entity, at: Observations in any order; microseconds.
        delay: known = at + delay, in microseconds.
        kernels: By aggregate.
    """
    if features[0].stream.sessions:
        events = sessions.in_time(features[0].stream.sessions, events)
    order = None
    if not _sorted(entity, at):
        order = by_entity_and_time(entity, at)
        entity, at = entity[order], at[order]
    starts, sizes = _runs(entity)
    ids, rank = entity[starts], np.repeat(np.arange(len(starts)), sizes)
    events, place = _numbered(events, ids)
    parts = [_spans(features, *each, delay, kernels) for each in _divided(events, place, at, rank)]
    found = {f.name: concat([part[f.name] for part in parts]) for f in features}
    return found if order is None else {name: put_back(values, order) for name, values in found.items()}


def _sorted(entity: Ints, at: Ints) -> bool:
    """Whether observations stand by entity and time already."""
    return bool(((entity[1:] > entity[:-1]) | ((entity[1:] == entity[:-1]) & (at[1:] >= at[:-1]))).all())


def _runs(entity: Ints) -> tuple[Ints, Ints]:
    """Where each entity's rows start, and how many it has."""
    if not len(entity):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = np.concatenate([[0], np.flatnonzero(entity[1:] != entity[:-1]) + 1])
    return starts, np.diff(starts, append=len(entity))


def _numbered(events: Events, ids: Ints) -> tuple[Events, Ints]:
    """The events of the entities `ids`, which are sorted, and each event's place among these."""
    starts, sizes = _runs(events.entity)
    whose = events.entity[starts]
    place = np.searchsorted(ids, whose)
    mine = np.isin(whose, ids, assume_unique=True)
    if not mine.all():
        events = events.take(np.flatnonzero(np.repeat(mine, sizes)))
    return events, np.repeat(place[mine], sizes[mine])


def _divided(events: Events, place: Ints, at: Ints, rank: Ints) -> Iterator[tuple[Events, Ints, Ints, Ints]]:
    """Parts whose entities and times fit one number together; nearly always one."""
    if not len(at):
        yield events, place, at, rank
        return
    low, high = int(at.min()), int(at.max())
    if len(events):
        low, high = min(low, int(events.occurred.min())), max(high, int(events.occurred.max()))
    most = max(1, _MOST // (high - low + 4))
    least = int(rank[0])
    if int(rank[-1]) - least < most:
        yield events, place, at, rank
        return
    for start in range(least, int(rank[-1]) + 1, most):
        rows = slice(*np.searchsorted(rank, [start, start + most]))
        mine = np.arange(*np.searchsorted(place, [start, start + most]))
        yield events.take(mine), place[mine] - start, at[rows], rank[rows] - start


def _spans(
    features: Sequence[FeaturePlan],
    events: Events,
    place: Ints,
    at: Ints,
    rank: Ints,
    delay: int,
    kernels: Mapping[str, Kernel],
) -> dict[str, Values]:
    """Values for observations that are sorted by entity and time; `place` and `rank` number entities alike."""
    everything = [at] if not len(events) else [at, events.occurred]
    earliest = min((int(each.min()) for each in everything if len(each)), default=0) - 1
    latest = max((int(each.max()) for each in everything if len(each)), default=0) + 1
    width = latest - earliest + 1
    keys = place * width
    keys += events.occurred
    keys -= earliest
    base = rank * width - earliest
    first = np.searchsorted(place, np.arange(int(rank.max(initial=-1)) + 1), "left")[rank]
    now = base + at
    end, clean = np.searchsorted(keys, now, "left"), np.ones(len(at), np.bool_)
    if (events.available - events.occurred > delay + 1).any():
        seen_from = np.maximum(events.occurred + 1, events.available - delay)
        end, clean = _prefixes(place * width - earliest + np.clip(seen_from, earliest, latest), now)
    if events.until is not None:
        superseded = np.unique(place[events.until < np.iinfo(np.int64).max])
        clean &= ~np.isin(rank, superseded)
    asked = Asked(events, at, first, end, keys, base, earliest, latest)
    if clean.all():
        return _values(features, asked, kernels)
    rows = np.flatnonzero(clean)
    some = Asked(events, at[rows], first[rows], end[rows], keys, base[rows], earliest, latest)
    parts = [_values(features, some, kernels)]
    order = [rows]
    late = np.flatnonzero(~clean)
    since = _reach(features, asked)[late]
    before = np.searchsorted(keys, now[late], "left")
    for chosen, copied in _copies(events, since, before, at[late], delay):
        owners = np.arange(len(chosen), dtype=np.int64)
        parts.append(evaluate(features, copied, owners, at[late][chosen], kernels=kernels))
        order.append(late[chosen])
    return {f.name: put_back(concat([part[f.name] for part in parts]), np.concatenate(order)) for f in features}


def _values(features: Sequence[FeaturePlan], asked: Asked, kernels: Mapping[str, Kernel]) -> dict[str, Values]:
    """Values for what each observation sees; of sessions where the features look at those."""
    if features[0].stream.sessions is None:
        return {feature.name: kernels[feature.aggregate](feature, asked) for feature in features}
    rows, parts = [], []
    for chosen, over_sessions in sessions.ask(features, asked):
        rows.append(chosen)
        parts.append({feature.name: kernels[feature.aggregate](feature, over_sessions) for feature in features})
    return {f.name: put_back(concat([part[f.name] for part in parts]), np.concatenate(rows)) for f in features}


def _prefixes(starts: Ints, now: Ints) -> tuple[Ints, Mask]:
    """Some point for each observation, and whether it sees exactly the events that come before that point.

    An event is seen from its start on. Before the first one that is not seen yet, all are; if no more are seen than
    those, they are all.
    """
    highest = np.maximum.accumulate(starts)
    end = np.searchsorted(highest, now, "right")
    if np.array_equal(highest, starts):
        return end, np.ones(len(now), np.bool_)
    return end, np.searchsorted(np.sort(starts), now, "right") == end


def _reach(features: Sequence[FeaturePlan], asked: Asked) -> Ints:
    """The first event that any feature can look at, for each observation."""
    since = asked.end
    for feature in features:
        reach = feature.reach
        if reach is None:
            return asked.first
        found = np.searchsorted(
            asked.keys, asked.base + np.clip(window_start(reach, asked.at), asked.earliest, asked.latest), "left"
        )
        since = np.minimum(since, np.maximum(found, asked.first))
    return since


def _copies(events: Events, since: Ints, before: Ints, at: Ints, delay: int) -> Iterator[tuple[Ints, Events]]:
    """Observations, some at a time, each with the events that it sees as those of an entity of its own."""
    sizes = np.cumsum(np.maximum(before - since, 0))
    cuts = np.searchsorted(sizes, np.arange(COPIED_AT_ONCE, int(sizes[-1]) + 1, COPIED_AT_ONCE), "left") + 1
    for chosen in np.split(np.arange(len(at), dtype=np.int64), np.unique(cuts)):
        if not len(chosen):
            continue
        rows, offsets = ranges(since[chosen], before[chosen])
        owner = np.repeat(np.arange(len(chosen), dtype=np.int64), np.diff(offsets))
        known = at[chosen][owner] + delay
        seen = events.available[rows] <= known
        if events.until is not None:
            seen &= known < events.until[rows]
        rows, owner = rows[seen], owner[seen]
        copied = events.take(rows)
        always = np.full(len(rows), LONG_AGO, np.int64)
        yield chosen, Events(owner, copied.occurred, always, None, copied.columns)
