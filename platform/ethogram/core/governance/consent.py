"""Consent as a mask on entities at read time: never inside tiles, features or files.

An entity may be used for a purpose as of an instant if it allowed it then, and has not withdrawn it when the read runs.
Where it never said anything, the purpose's basis speaks: opt_out allows, opt_in does not. Whoever belongs to somebody
who refuses, as an enrolment to its student, is refused with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ethogram.core.time import micros

_Ints = npt.NDArray[np.int64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Mask:
    """What entities said about one purpose up to the instant of the read.

    Attributes:
        ids: Entity of each change; with `changed_at` sorted. Where two changes of one entity fall on one instant, the
            refusal is the later.
        changed_at: Microseconds since the epoch.
        allowed: Whether the change allows.
        by_default: Whether who said nothing is allowed.
    """

    ids: _Ints
    changed_at: _Ints
    allowed: _Bools
    by_default: bool

    def allows(self, entities: _Ints, as_of: _Ints) -> _Bools:
        """For each (entity, as_of in microseconds), whether it may be used."""
        return self._said(entities, as_of) & ~self._withdrawn(entities)

    def refused(self) -> _Ints:
        """Entities that may not be used now, of those that said anything; sorted."""
        return self._last()[0][~self._last()[1]]

    def _last(self) -> tuple[_Ints, _Bools]:
        """Each entity that said anything, and its last word."""
        is_last = np.append(self.ids[1:] != self.ids[:-1], True) if len(self.ids) else np.zeros(0, np.bool_)
        return self.ids[is_last], self.allowed[is_last]

    def _withdrawn(self, entities: _Ints) -> _Bools:
        found: _Bools = np.isin(entities, self.refused())
        return found

    def _said(self, entities: _Ints, as_of: _Ints) -> _Bools:
        """What each entity's last change at or before `as_of` says."""
        answer = np.full(len(entities), self.by_default)
        if not len(self.ids):
            return answer
        speaks = np.flatnonzero(np.isin(entities, self.ids))
        # Rank the asked (entity, instant) pairs among the changes; equal instants come after the change.
        ids = np.concatenate([self.ids, entities[speaks]])
        times = np.concatenate([self.changed_at, as_of[speaks]])
        asked = np.concatenate([np.zeros(len(self.ids), np.int8), np.ones(len(speaks), np.int8)])
        order = np.lexsort((np.arange(len(ids)), asked, times, ids))
        latest = np.maximum.accumulate(np.where(asked[order] == 0, np.arange(len(order)), -1))
        rows = np.flatnonzero(asked[order] == 1)
        change = np.where(latest[rows] >= 0, order[np.maximum(latest[rows], 0)], -1)
        own = (change >= 0) & (self.ids[np.maximum(change, 0)] == ids[order[rows]])
        answer[speaks[order[rows] - len(self.ids)]] = np.where(own, self.allowed[change], self.by_default)
        return answer

    def below(self, above: Mask, children: _Ints, parents: _Ints) -> Mask:
        """This mask, with every child refused while one of its parents refuses in `above`.

        `children` and `parents` are pairs of who belongs to whom. A parent's silence neither allows nor refuses, so
        `above` allows by default.

        >>> never = Mask(np.array([], np.int64), np.array([], np.int64), np.array([], np.bool_), by_default=True)
        >>> student = Mask(np.array([1]), np.array([10]), np.array([False]), by_default=True)
        >>> both = never.below(student, children=np.array([7]), parents=np.array([1]))
        >>> both.allows(np.array([7, 8]), np.array([9, 9]))
        array([False,  True])
        """
        theirs = np.flatnonzero(np.isin(self.ids, children))
        mine = np.setdiff1d(np.arange(len(self.ids)), theirs)
        # Whatever a child or one of its parents says may change the answer for the child.
        pair, change = _matches(above.ids, parents)
        child = np.append(self.ids[theirs], children[pair])
        at = np.append(self.changed_at[theirs], above.changed_at[change])
        child, at = np.unique(np.stack([child, at]), axis=1)
        says = self._said(child, at)
        pair, row = _matches(child, children)
        np.logical_and.at(says, row, above._said(parents[pair], at[row]))
        ids, changed_at = np.append(self.ids[mine], child), np.append(self.changed_at[mine], at)
        allowed = np.append(self.allowed[mine], says)
        order = np.lexsort((~allowed, changed_at, ids))
        return Mask(ids[order], changed_at[order], allowed[order], self.by_default)


def _matches(there: _Ints, wanted: _Ints) -> tuple[_Ints, _Ints]:
    """Places (i, k) with `wanted[i] == there[k]`; `there` is sorted."""
    first, after = np.searchsorted(there, wanted, "left"), np.searchsorted(there, wanted, "right")
    many = after - first
    i = np.repeat(np.arange(len(wanted)), many)
    return i, np.arange(len(i)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(first, many)


def mask(ids: _Ints, changed_at: _Ints, allowed: _Bools, *, basis: str, now: datetime) -> Mask:
    """The mask that a read at `now` obeys; later changes are not yet true.

    >>> from datetime import UTC
    >>> january, may, june = (np.array([micros(datetime(2026, m, 1, tzinfo=UTC))]) for m in (1, 5, 6))
    >>> out = mask(np.array([7]), may, np.array([False]), basis="opt_out", now=datetime(2026, 6, 1, tzinfo=UTC))
    >>> bool(out.allows(np.array([7]), january)[0]), bool(out.allows(np.array([8]), june)[0])
    (False, True)
    """
    known = changed_at <= micros(now)
    ids, changed_at, allowed = ids[known], changed_at[known], allowed[known].astype(np.bool_)
    order = np.lexsort((~allowed, changed_at, ids))
    return Mask(ids[order], changed_at[order], allowed[order], basis == "opt_out")
