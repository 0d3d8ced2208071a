"""The made shop, block by block: a pure function of size, seed and period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ethogram.core.sample.block import Block
from ethogram.core.sample.browsing import browse, strangers
from ethogram.core.sample.life import live
from ethogram.core.sample.marketing import market
from ethogram.core.sample.ordering import order
from ethogram.core.sample.period import Period
from ethogram.core.sample.registers import consents, customers
from ethogram.core.sample.support import support
from ethogram.core.sample.tables import TABLES, Ints, Rows
from ethogram.core.time import utc
from ethogram.errors import AskedWrongly

GENERATOR = 1
"""Version of the generator: the same version, size, seed and period give the same rows."""

_COUNTED = frozenset(table.name for table in TABLES if table.counted)


class BadSample(AskedWrongly):
    """A sample that cannot be made as asked."""

    code = "bad-sample"

    def __init__(self, what: str, value: object, *, wanted: str) -> None:
        self.what, self.value = what, value
        super().__init__(f"{what}={value}: {wanted}")


@dataclass(frozen=True, slots=True)
class Request:
    """How large a sample, of what period. `events` counts the rows of all tables but customers.

    >>> Request(events=0, seed=7, start=datetime(2025, 1, 1), days=365)
    Traceback (most recent call last):
    ethogram.core.sample.shop.BadSample: events=0: ask for at least 1
    """

    events: int
    seed: int
    start: datetime
    days: int

    def __post_init__(self) -> None:
        if self.events < 1:
            raise BadSample("events", self.events, wanted="ask for at least 1")
        if self.seed < 0:
            raise BadSample("seed", self.seed, wanted="use 0 or more")
        if not 28 <= self.days <= 1830:
            raise BadSample("days", self.days, wanted="use 28 to 1830")
        if utc(self.start, what="start") != self.period.start or not 1970 <= self.start.year <= 2200:
            wanted = "start at midnight UTC of a day from 1970 to 2200, e.g. 2025-01-01T00:00:00+00:00"
            raise BadSample("start", self.start.isoformat(), wanted=wanted)

    @property
    def period(self) -> Period:
        """The days from `start`, in UTC."""
        return Period(utc(self.start).replace(hour=0, minute=0, second=0, microsecond=0), self.days)

    @property
    def customers_per_block(self) -> int:
        """Fewer when the period is long, so that a block stays of one size in memory."""
        return min(4096, max(256, 4096 * 365 // self.days))


def shop(request: Request) -> Iterator[Mapping[str, Rows]]:
    """Rows by table, a block of customers at a time, until exactly `request.events` rows have come.

    A block depends on the seed and its own ordinal alone: a larger sample starts with the customers of a smaller one.
    The last block is cut after a whole customer, and visits of strangers make up the odd rows that remain.
    """
    left, number = request.events, 0
    while left > 0:
        tables = _block(request, number)
        number += 1
        ends = np.cumsum(_rows_by_customer(tables, request.customers_per_block))
        if ends[-1] <= left:
            left -= int(ends[-1])
            yield tables
            continue
        whole = int(np.searchsorted(ends, left, side="right"))
        if whole:
            left -= int(ends[whole - 1])
            yield {name: rows.take(rows.owner < whole) for name, rows in tables.items()}
        if left:
            yield strangers(_empty(request, number), left)
        return


def _block(request: Request, number: int) -> dict[str, Rows]:
    rng = np.random.default_rng([request.seed, number])
    size = request.customers_per_block
    lives = live(rng, size, request.period)
    block = Block(number, number * size, request.seed, request.period, lives, rng)
    tables, checkouts = browse(block)
    ordered, spent = order(block, checkouts)
    tables |= ordered | market(block, checkouts) | support(block)
    tables["consents"] = consents(block)
    tables["customers"] = customers(block, spent)
    return tables


def _empty(request: Request, number: int) -> Block:
    rng = np.random.default_rng([request.seed, number])
    return Block(number, 0, request.seed, request.period, live(rng, 0, request.period), rng)


def _rows_by_customer(tables: Mapping[str, Rows], size: int) -> Ints:
    return sum(
        (np.bincount(tables[name].owner, minlength=size) for name in _COUNTED), start=np.zeros(size, dtype=np.int64)
    )
