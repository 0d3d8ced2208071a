"""A block of customers being recorded: what every table of it needs to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ethogram.core.sample.ids import hexed, keys, numbered
from ethogram.core.sample.life import KINDS, Bools, Ints, Lives, campaign_weeks
from ethogram.core.sample.period import Period
from ethogram.core.sample.tables import NULL, Coded, Column, Rows

_SPACES = (
    "web",
    "app",
    "order",
    "refund",
    "send",
    "response",
    "ticket",
    "update",
    "call",
    "consent",
    "known",
    "stranger",
)


@dataclass(frozen=True)
class Block:
    """`number` tells the block's random numbers and identifiers from those of all others of the sample."""

    number: int
    first_customer: int
    seed: int
    period: Period
    lives: Lives
    rng: np.random.Generator

    @property
    def size(self) -> int:
        return len(self.lives.people.registered)

    @cached_property
    def _names(self) -> NDArray[np.bytes_]:
        names = numbered("u", self.first_customer + np.arange(self.size))
        return np.append(names, np.zeros(1, dtype=names.dtype))  # the last is null

    def users(self, who: Ints, known: Bools | None = None) -> NDArray[np.bytes_]:
        """The user ids of `who`, null where not `known`."""
        return self._names[who if known is None else np.where(known, who, self.size)]

    def ids(self, prefix: str, space: str, numbers: Ints) -> NDArray[np.bytes_]:
        """Identifiers that no other block, space or number of the sample has."""
        return hexed(prefix, keys(_SPACES.index(space), self.number, numbers, seed=self.seed))

    def instants(self, at: Ints) -> Ints:
        return self.period.starts + at

    def rows(self, owner: Ints, at: Ints, columns: Callable[[Ints], dict[str, Column]]) -> Rows:
        """The rows whose instant `at` lies in the period, in its order; `columns` are built for these alone.

        What happens or arrives after the period's end is not in the export.
        """
        index = np.flatnonzero((at < self.period.length) & (at >= 0))
        index = index[np.argsort(at[index], kind="stable")]
        return Rows(columns(index), owner[index])


def campaign_names(period: Period) -> tuple[str, ...]:
    """Identifiers of the period's campaigns, by their number.

    >>> from datetime import UTC, datetime
    >>> campaign_names(Period(datetime(2025, 1, 1, tzinfo=UTC), 91))
    ('c01_newsletter', 'c02_voucher')
    """
    return tuple(f"c{n + 1:02d}_{KINDS[n % len(KINDS)]}" for n in range(len(campaign_weeks(period))))


def coded(codes: NDArray[np.generic], words: tuple[str, ...]) -> Coded:
    return Coded(codes.astype(np.int16), words)


def nulls(count: int) -> Ints:
    return np.full(count, NULL)


def euros(count: int) -> Coded:
    return Coded(np.zeros(count, dtype=np.int16), ("EUR",))
