"""The newest fact that each observation may see, for any number of facts in any order.

The observations are indexed, not the facts: each fact finds the first observation of its key that may see it, the
newest fact of each such place is kept, and what was kept is carried forward to the key's later observations. Facts are
looked at once and dropped, so that memory grows with observations alone.

Times are microseconds since 1970 in UTC; keys are numbers from 0, and -1 is nobody's.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]  # whole numbers of any width

# A time that is not known. A fact without one is never seen; without a created time it loses every tie.
UNKNOWN = np.iinfo(np.int64).min


class Observations:
    """Observations by key and instant; equal ones share a slot.

    Args:
        keys: One an observation, in the order in which `Latest.rows` answers.
        instants: As of when each observation looks.
    """

    def __init__(self, keys: Ints, instants: Ints) -> None:
        asked = np.flatnonzero(keys >= 0)
        order = asked[np.lexsort((instants[asked], keys[asked]))]
        by_key, by_time = keys[order], instants[order]
        fresh = np.ones(len(order), bool)
        fresh[1:] = (by_key[1:] != by_key[:-1]) | (by_time[1:] != by_time[:-1])
        self.slots = np.full(len(keys), -1, np.int64)
        self.slots[order] = np.cumsum(fresh) - 1
        self.keys = by_key[fresh].astype(np.int64)
        self.instants = by_time[fresh].astype(np.int64)
        # Half the width is half the memory traffic, and traffic is what the search costs.
        small: Any = np.int32 if len(self.keys) < 2**31 else np.int64
        bounds = np.searchsorted(self.keys, np.arange(self.keys[-1] + 2 if len(self.keys) else 1)).astype(small)
        self._first, self._end = bounds[:-1], bounds[1:]

    def __len__(self) -> int:
        return len(self.keys)

    def first_to_see(self, keys: Ints, instants: Ints) -> npt.NDArray[np.int64]:
        """Slot of each key's first observation at or after an instant, -1 where there is none.

        >>> seen = Observations(np.array([0, 0, 1]), np.array([10, 20, 10]))
        >>> seen.first_to_see(np.array([0, 0, 0, 1, -1]), np.array([10, 11, 21, 3, 3])).tolist()
        [0, 1, -1, 2, -1]
        """
        found = np.full(len(keys), -1, np.int64)
        known = np.flatnonzero((keys >= 0) & (keys < len(self._first)))
        # Pieces that stay in the processor's cache, gathers included.
        for start in range(0, len(known), 1 << 15):
            rows = known[start : start + (1 << 15)]
            found[rows] = self._search(keys[rows], instants[rows])
        return found

    def _search(self, keys: Ints, instants: Ints) -> Ints:
        # A binary search of all facts at once, each within its own key's observations.
        low, end = self._first[keys], self._end[keys]
        step = 1 << int((end - low).max(initial=0)).bit_length() >> 1
        while step:
            ahead = low + low.dtype.type(step)
            before = (ahead <= end) & (self.instants.take(ahead - 1, mode="clip") < instants)
            low += before * low.dtype.type(step)
            step >>= 1
        return np.where(low < end, low, -1)


class Latest:
    """Takes facts batch by batch, from any thread; says in the end which row each observation sees.

    A fact is seen from its own instant on, that instant included; of several the one that happened last is seen, of
    equal ones the one created last, and of equal ones again the one with the highest row number.

    Args:
        observations: Who looks.
        max_age: How old a fact may be to be seen, that age included; None if any age will do.
        as_known: Whether a fact is seen only from when it was created on.

    >>> latest = Latest(Observations(np.array([0, 0, 1]), np.array([10, 20, 10])), max_age=5)
    >>> latest.offer(np.array([0, 0, 1]), np.array([10, 4, 11]), first_row=100)
    >>> latest.rows().tolist()  # the second observation looks ten later: the fact is too old for it
    [100, -1, -1]
    """

    def __init__(self, observations: Observations, *, max_age: int | None = None, as_known: bool = False) -> None:
        self._observations = observations
        self._max_age, self._as_known = max_age, as_known
        self._happened = np.full(len(observations), UNKNOWN)
        self._created = np.full(len(observations), UNKNOWN)
        self._row = np.full(len(observations), -1, np.int64)
        self._lock = threading.Lock()

    def offer(self, keys: Ints, happened: Ints, created: Ints | None = None, *, first_row: int) -> None:
        """Facts numbered from `first_row` on. Without created times all are equal in that, and known at once."""
        seen_from = happened
        if self._as_known and created is not None:
            seen_from = np.maximum(happened, created)
            keys = np.where(created == UNKNOWN, -1, keys)
        slots = self._observations.first_to_see(np.where(happened == UNKNOWN, -1, keys), seen_from)
        rows = np.flatnonzero(slots >= 0)
        slots, happened = slots[rows], happened[rows]
        created = np.full(len(rows), UNKNOWN) if created is None else created[rows]
        with self._lock:
            # Each column decides among those that the columns before left equal.
            best, better = _raise(self._happened, slots, happened)
            slots, rows, created = slots[best], rows[best], created[best]
            self._created[slots[better]] = UNKNOWN
            self._row[slots[better]] = -1
            best, better = _raise(self._created, slots, created)
            slots, rows = slots[best], rows[best]
            self._row[slots[better]] = -1
            np.maximum.at(self._row, slots, rows + first_row)

    def rows(self) -> npt.NDArray[np.int64]:
        """Row number of the fact that each observation sees, -1 where it sees none."""
        size = len(self._observations)
        held = np.flatnonzero(self._row >= 0)
        if self._as_known:
            # What became known later may have happened earlier.
            held = held[np.lexsort((self._row[held], self._created[held], self._happened[held]))]
        newness = np.zeros(size, np.int64)
        newness[held] = np.arange(1, len(held) + 1)
        # Carried forward by a running maximum that each key starts above all that keys before it can reach.
        floor = self._observations.keys * (size + 1)
        newest = np.maximum.accumulate(newness + floor) - floor
        source = np.append(held, -1)[newest - 1]
        if self._max_age is not None:
            too_old = self._happened[source] < self._observations.instants - self._max_age
            source = np.where(too_old, -1, source)
        row = np.where(source >= 0, self._row[source], -1)
        return np.append(row, -1)[self._observations.slots]


def _raise(best: npt.NDArray[np.int64], slots: Ints, values: Ints) -> tuple[npt.NDArray[np.bool_], Ints]:
    """Raise `best` to the values offered; which offers are now best, and which of those are better than before."""
    before = best[slots]
    np.maximum.at(best, slots, values)
    is_best = best[slots] == values
    return is_best, np.flatnonzero(before[is_best] < values[is_best])
