"""Events of several channels, each happening once: see `core.signals.reconciled`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ethogram.core.signals.kernel.columns import Column, Ints, Mask, ranges
from ethogram.core.signals.kernel.events import FOREVER, Events
from ethogram.core.signals.reconciled import Reconciliation
from ethogram.core.time import MICROSECOND

# Pairs of an event and one that may hide it, looked at in one go.
PAIRS_AT_ONCE = 4_000_000


def reconcile(events: Events, rule: Reconciliation, delay: int) -> Events:
    """The events with the knowledge for which each counts; one that counts, is hidden and counts again comes twice.

    Each event of a channel but the first is held against the events beside it, so the cost grows with how many events
    of an entity agree in what is matched and lie within the tolerance: one or two, but for machines.

    Args:
        events: In order; `rule.reads` are among their columns.
        delay: known = at + delay, in microseconds.
    """
    rank = _ranks(events.columns[rule.by], rule.priority)
    for name, _, _ in rule.match:
        rank = np.where(events.columns[name].present, rank, -1)
    within = rule.within // MICROSECOND
    rows, group = _near(events, np.flatnonzero(rank >= 0), [name for name, _, _ in rule.match], within)
    occurred, rank = events.occurred[rows], rank[rows]
    if not (rank > 0).any():
        return events
    until = np.full(len(events), FOREVER) if events.until is None else events.until
    since = np.maximum(events.available, events.occurred + 1 + delay)
    hidden = np.zeros(len(events), np.bool_)
    pieces = []
    for mine, beside in _pairs(group, occurred, rank, within):
        one, other = rows[mine], rows[beside]
        standing = since[other] < until[other]
        one, other = one[standing], other[standing]
        hidden[one] = True
        pieces.append(_left(np.unique(one), one, since[other], until[other], events.available, until))
    kept = np.flatnonzero(~hidden)
    parts = [(kept, events.available[kept], until[kept]), *pieces]
    row, available, until = (np.concatenate([part[n] for part in parts]) for n in range(3))
    order = np.lexsort((available, row))
    found = replace(events.take(row[order]), available=available[order])
    return replace(found, until=until[order] if (until < FOREVER).any() else None)


def _ranks(names: Column, priority: Sequence[str]) -> Ints:
    """Place in the priorities, -1 for what is not listed."""
    words = names.words or ()
    place = np.array([priority.index(word) if word in priority else -1 for word in words] or [-1], np.int64)
    found: Ints = np.where(names.present, place[np.where(names.present, names.data, 0)], -1)
    return found


def _near(events: Events, rows: Ints, match: Sequence[str], within: int) -> tuple[Ints, Ints]:
    """Those of `rows` that stand near another one that agrees with them, and numbers for who stands together: each
    within the tolerance of the one before."""
    columns = [events.entity[rows], *(events.columns[name].data[rows] for name in match)]
    order = np.lexsort((events.occurred[rows], *columns))
    rows = rows[order]
    apart = np.diff(events.occurred[rows]) > within
    for column in columns:
        apart |= column[order[1:]] != column[order[:-1]]
    first = np.concatenate([[True], apart])[: len(rows)]
    together = np.cumsum(first) - 1
    many = np.bincount(together)[together] > 1
    return rows[many], together[many]


def _pairs(group: Ints, occurred: Ints, rank: Ints, within: int) -> Iterator[tuple[Ints, Ints]]:
    """Rows and the rows of a higher channel beside them, some at a time; rows stand by group and time."""
    instants = np.sort(occurred)
    width = len(instants) + 1  # equal instants share the first of their places
    keys = group * width + np.searchsorted(instants, occurred)
    mine = np.flatnonzero(rank > 0)
    low = np.searchsorted(keys, group[mine] * width + np.searchsorted(instants, occurred[mine] - within, "left"))
    high = np.searchsorted(keys, group[mine] * width + np.searchsorted(instants, occurred[mine] + within, "right"))
    sizes = np.cumsum(high - low)
    cuts = np.searchsorted(sizes, np.arange(PAIRS_AT_ONCE, int(sizes[-1]) + 1, PAIRS_AT_ONCE)) + 1
    for part in np.split(np.arange(len(mine)), np.unique(cuts)):
        beside, offsets = ranges(low[part], high[part])
        one = np.repeat(mine[part], np.diff(offsets))
        higher: Mask = rank[beside] < rank[one]
        if higher.any():
            yield one[higher], beside[higher]


def _left(rows: Ints, owner: Ints, since: Ints, until: Ints, available: Ints, ends: Ints) -> tuple[Ints, Ints, Ints]:
    """What is left of the knowledge [available, ends) of `rows` without the spans [since, until) of their owners.

    Spans are gone through in order of their start, with the end of all before carried along; each that starts after it
    leaves a gap. A first span that ends where the row begins and a last one from the row's end on bound them.
    """
    row = np.concatenate([rows, owner, rows])
    start = np.concatenate([np.full(len(rows), np.iinfo(np.int64).min), since, ends[rows]])
    end = np.concatenate([available[rows], until, np.full(len(rows), FOREVER)])
    order = np.lexsort((end, start, row))
    row, start, end = row[order], start[order], end[order]
    times = np.unique(np.concatenate([start, end]))
    number = np.unique(row, return_inverse=True)[1]
    reached = np.maximum.accumulate(number * len(times) + np.searchsorted(times, end))
    before = np.concatenate([[0], times[reached[:-1] % len(times)]])
    gap = (np.concatenate([[False], row[1:] == row[:-1]])) & (start > before)
    return row[gap], before[gap], start[gap]
