"""Events as kernels see them: numpy columns, in order of entity and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ethogram.core.signals.kernel.columns import Column, Ints, concat, stable_order


@dataclass(frozen=True, slots=True)
class Events:
    """Rows sorted by entity, occurred, available, event id.

    Attributes:
        entity: Surrogate id.
        occurred: Microseconds since the epoch.
        available: The same; visible from `known >= available` on ...
        until: ... and while `known < until`; None where no row is ever superseded.
        columns: Properties that some feature reads, by name.
    """

    entity: Ints
    occurred: Ints
    available: Ints
    until: Ints | None
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.entity)

    def in_order(self) -> Events:
        """Sorted by entity, occurred, available; rows that tie in all of these stay as they stand."""
        if not len(self):
            return self
        entity, occurred = self.entity - self.entity.min(), self.occurred - self.occurred.min()
        span = int(occurred.max()) + 1
        if int(entity.max()) < 2**62 // span:
            keys = entity * span + occurred
            if (keys[1:] > keys[:-1]).all():
                return self
            order = stable_order(keys)
            keys = keys[order]
            tied = bool((keys[1:] == keys[:-1]).any())
        else:
            order, tied = np.arange(len(entity)), True
        if tied and not np.array_equal(self.available, self.occurred):
            order = np.lexsort((self.available, self.occurred, self.entity))
        return self.take(order)

    def tied(self) -> bool:
        """Whether any two neighbours are of one entity and instant: then their ids decide what comes first."""
        same = self.entity[1:] == self.entity[:-1]
        return bool((same & (self.occurred[1:] == self.occurred[:-1])).any())

    def parted(self, most: int) -> list[tuple[int, Ints]]:
        """Ranges of entities with about `most` events each, in order: the least id of each, and its rows in theirs."""
        if len(self) <= most:
            return [(LONG_AGO, np.arange(len(self), dtype=np.int64))]
        low = int(self.entity.min())
        shift = max(0, (int(self.entity.max()) - low).bit_length() - _BUCKET_BITS)
        bucket = ((self.entity - low) >> shift).astype(np.uint16)
        ends = np.cumsum(np.bincount(bucket))
        part = np.concatenate([[0], ends[:-1]]) // most
        part = np.cumsum(np.diff(part, prepend=0) > 0)
        first = np.searchsorted(part, np.arange(part[-1] + 1))
        small = np.uint8 if part[-1] < 2**8 else np.uint16  # which numpy sorts digit by digit
        rows = np.argsort(part.astype(small)[bucket], kind="stable")
        cuts = ends[first[1:] - 1]
        return [(low + (int(b) << shift), each) for b, each in zip(first, np.split(rows, cuts), strict=True)]

    def ties(self) -> Ints:
        """Entities of which two neighbours are of one instant: then their ids decide what comes first."""
        same = (self.entity[1:] == self.entity[:-1]) & (self.occurred[1:] == self.occurred[:-1])
        return np.unique(self.entity[1:][same])

    def instead(self, others: Events) -> Events:
        """The rows of `others`, which differ in the order of ties alone, in place of those of the same entities."""
        rows = np.flatnonzero(np.isin(self.entity, others.entity))

        def joined(ours: Column, theirs: Column) -> Column:
            alike = ours.words == theirs.words and ours.data.dtype == theirs.data.dtype
            if alike and ours.valid is None and theirs.valid is None:
                data = ours.data.copy()
                data[rows] = theirs.data
                return replace(ours, data=data)
            place = np.arange(len(ours), dtype=np.int64)
            place[rows] = len(ours) + np.arange(len(theirs))
            found = concat([ours, theirs]).take(place)
            assert isinstance(found, Column)
            return found

        available = joined(Column(self.available), Column(others.available)).data
        until = None
        if self.until is not None and others.until is not None:
            until = joined(Column(self.until), Column(others.until)).data
        columns = {name: joined(column, others.columns[name]) for name, column in self.columns.items()}
        return Events(self.entity, self.occurred, available, until, columns)

    def take(self, rows: Ints) -> Events:
        until = None if self.until is None else self.until[rows]
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return Events(self.entity[rows], self.occurred[rows], self.available[rows], until, columns)


_BUCKET_BITS = 14
FOREVER = int(np.iinfo(np.int64).max)
LONG_AGO = int(np.iinfo(np.int64).min) // 4
