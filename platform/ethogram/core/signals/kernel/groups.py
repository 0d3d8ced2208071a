"""Events of one entity and one value of a property as a group: what each observation sees of each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Column, Ints, ranges

# Observations with the groups of their entities, or with the events that they see, looked at in one go.
AT_ONCE = 4_000_000


def codes(column: Column) -> Ints:
    """Numbers that are equal where the values are and rise as they do; no value is null."""
    data = column.data
    if data.dtype == np.float64:
        return np.unique(data + 0.0, return_inverse=True)[1].astype(np.int64)
    return data.astype(np.int64)


def origins(entity: Ints) -> Ints:
    """For each event the place of its entity's first; one more for a place behind the last."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(entity)) + 1, [len(entity)]])
    return np.append(np.repeat(starts[:-1], np.diff(starts)), len(entity)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Groups:
    """Events by entity, value and time.

    Attributes:
        order: Places of the events in their own order.
        number: The group of each, in the new order; groups are numbered in that order.
        starts: Where each group begins in the new order, and where the last one ends.
        place: Where each event stands in the new order.
    """

    order: Ints
    number: Ints
    starts: Ints
    place: Ints


def groups(here: Asked, name: str) -> Groups:
    """The groups of a property that all events of `here` have."""

    def make() -> Groups:
        entity, value = here.events.entity, codes(here.column(name))
        order = np.lexsort((value, entity))
        entity, value = entity[order], value[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (np.diff(entity) != 0) | (np.diff(value) != 0)
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        starts = np.append(np.flatnonzero(new), len(order)).astype(np.int64)
        return Groups(order, np.cumsum(new) - 1, starts, place)

    return here.keep(("groups", name), make)


@dataclass(frozen=True, slots=True)
class Seen:
    """What observations `first` up to `end` see: of group `group[i]`, observation `owner[i]` (counted from `first`)
    sees the events from `low[i]` up to `high[i]` in the groups' order, at least one. By owner, then by group."""

    first: int
    end: int
    owner: Ints
    group: Ints
    low: Ints
    high: Ints

    def only(self, rows: Ints) -> Seen:
        return Seen(self.first, self.end, self.owner[rows], self.group[rows], self.low[rows], self.high[rows])

    def most(self, k: int) -> Ints:
        """Rows of the `k` groups of each observation with the most events, of equal ones the first, in that order."""
        order = np.lexsort((self.group, self.low - self.high, self.owner))
        owner = self.owner[order]
        rank = np.arange(len(order)) - np.searchsorted(owner, owner, "left")
        return order[rank < k]

    def offsets(self) -> Ints:
        """Where the rows of each observation begin."""
        return np.searchsorted(self.owner, np.arange(self.end - self.first + 1), "left").astype(np.int64)


def seen(made: Groups, entity: Ints, low: Ints, high: Ints) -> Iterator[Seen]:
    """What each observation sees, some observations at a time.

    An observation is laid beside all groups of its entity, or beside all events that it sees, whichever is fewer.
    """
    high = np.maximum(low, high)
    firsts = origins(entity)
    begin = firsts[np.where(low < high, low, len(entity))]
    behind = np.append(np.searchsorted(entity, entity, "right"), len(entity))[begin]
    first_group = np.searchsorted(made.starts[:-1], begin, "left")
    last_group = np.searchsorted(made.starts[:-1], behind, "left")
    by_group = last_group - first_group
    cost = np.cumsum(np.minimum(by_group, high - low))
    total = int(cost[-1]) if len(cost) else 0
    cuts = np.searchsorted(cost, np.arange(AT_ONCE, total, AT_ONCE), "left")
    bounds = np.unique(np.concatenate([[0], cuts, [len(low)]]))
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        part = slice(start, end)
        if int(by_group[part].sum()) <= int((high[part] - low[part]).sum()):
            yield _by_group(made, start, end, first_group[part], last_group[part], low[part], high[part])
        else:
            yield _by_event(made, start, end, low[part], high[part])


def _by_group(made: Groups, start: int, end: int, first: Ints, last: Ints, low: Ints, high: Ints) -> Seen:
    group, offsets = ranges(first, last)
    owner = np.repeat(np.arange(end - start, dtype=np.int64), np.diff(offsets))
    width = len(made.order) + 1
    keys = made.number * width + made.order
    found_low = np.searchsorted(keys, group * width + low[owner], "left")
    found_high = np.searchsorted(keys, group * width + high[owner], "left")
    whole = Seen(start, end, owner, group, found_low, found_high)
    return whole.only(np.flatnonzero(found_low < found_high))


def _by_event(made: Groups, start: int, end: int, low: Ints, high: Ints) -> Seen:
    rows, offsets = ranges(low, high)
    owner = np.repeat(np.arange(end - start, dtype=np.int64), np.diff(offsets))
    width = len(made.order)
    keys = np.sort(owner * width + made.place[rows])
    owner, place = keys // width, keys % width
    group = made.number[place]
    new = np.ones(len(keys), np.bool_)
    new[1:] = (np.diff(owner) != 0) | (np.diff(group) != 0)
    heads = np.flatnonzero(new)
    sizes = np.diff(np.append(heads, len(keys)))
    return Seen(start, end, owner[heads], group[heads], place[heads], place[heads] + sizes)
