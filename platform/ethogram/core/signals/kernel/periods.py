"""Days and weeks of UTC that events fall into, and runs of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ethogram.core.signals.aggregates.rfm import PERIODS
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Ints, Mask

_DAY = 86_400_000_000
_MONDAY = 3 * _DAY  # 1970-01-01 was a Thursday


def numbers(instants: Ints, period: str) -> Ints:
    """Number of the day or of the week (from Monday) of each instant.

    >>> numbers(np.array([-1, 0, 4 * _DAY - 1, 4 * _DAY]), "week").tolist()
    [0, 0, 0, 1]
    """
    shift = _MONDAY if period == "week" else 0
    return (instants + shift) // (PERIODS[period] * 1_000_000)


@dataclass(frozen=True, slots=True)
class Periods:
    """Each entity's events by period.

    Attributes:
        number: Of the period of each event.
        begun: How many periods have begun up to each event, its own with it, over all entities.
        run: Which run of consecutive periods each event is in, over all entities.
        starts: First event of each run, and the number of all events at the end.
    """

    number: Ints
    begun: Ints
    run: Ints
    starts: Ints

    def distinct(self, low: Ints, high: Ints) -> Ints:
        """How many periods have one of the events from `low` to before `high`."""
        some = low < high
        return np.where(some, at(self.begun, high - 1, some) - at(self.begun, low, some) + 1, 0)


def periods(asked: Asked, period: str) -> Periods:
    """The events' periods; made once."""
    return asked.keep(("periods", period), lambda: _periods(asked, period))


def _periods(asked: Asked, period: str) -> Periods:
    number = numbers(asked.events.occurred, period)
    other = np.ones(len(number), np.bool_)
    other[1:] = asked.events.entity[1:] != asked.events.entity[:-1]
    begins, breaks = other.copy(), other.copy()
    begins[1:] |= number[1:] != number[:-1]
    breaks[1:] |= number[1:] > number[:-1] + 1
    starts = np.append(np.flatnonzero(breaks), len(number))
    return Periods(number, np.cumsum(begins), np.cumsum(breaks) - 1, starts)


def at(values: Ints, index: Ints, some: Mask) -> Ints:
    """`values[index]`; 0 where `some` is false, whatever the index."""
    if not len(values):
        return np.zeros(len(index), np.int64)
    return np.where(some, values[np.where(some, index, 0)], 0)
