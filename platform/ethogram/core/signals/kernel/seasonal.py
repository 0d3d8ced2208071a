"""Kernels of `aggregates.seasonal`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ethogram.core import time
from ethogram.core.signals.aggregates.seasonal import CYCLES
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.columns import Column, Ints, Lists, Values, ranges
from ethogram.core.signals.numbers import quotients
from ethogram.core.signals.plan import FeaturePlan

_DAY, _HOUR = 86_400_000_000, 3_600_000_000
# Days of the years 1 and 9999 that clocks of every zone can show.
_FIRST, _LAST = -719_160, 2_932_894
_BLOCK = 64
_CELLS = 4_000_000


def offsets(instants: Ints, timezone: str) -> Ints:
    """What a zone's clocks are ahead of UTC at each instant, in microseconds.

    The clocks are looked at where each UTC day begins; where a day begins and ends differently, the change is found by
    halving: no zone has ever changed its clocks twice within two days.

    >>> summer = np.array([1_774_745_999_999_999, 1_774_746_000_000_000])  # 2026-03-29T01:00Z is the change
    >>> (offsets(summer, "Europe/London") // _HOUR).tolist()
    [0, 1]
    """
    zone = ZoneInfo(timezone)

    def ahead(instant: int) -> int:
        there = time.from_micros(min(max(instant, _FIRST * _DAY), _LAST * _DAY)).astimezone(zone)
        return (there.utcoffset() or timedelta()) // time.MICROSECOND

    days, which = np.unique(instants // _DAY, return_inverse=True)
    begins = {int(day): ahead(int(day) * _DAY) for day in np.union1d(days, days + 1)}
    before = np.array([begins[int(day)] for day in days], np.int64)
    after = np.array([begins[int(day) + 1] for day in days], np.int64)
    changes = days * _DAY + _DAY
    for row in np.flatnonzero(before != after):
        same, other = int(days[row]) * _DAY, int(days[row]) * _DAY + _DAY
        while other - same > 1:
            middle = (same + other) // 2
            same, other = (middle, other) if ahead(middle) == before[row] else (same, middle)
        changes[row] = other
    found: Ints = np.where(instants < changes[which], before[which], after[which])
    return found


def _parts(feature: FeaturePlan, asked: Asked) -> Ints:
    """The part of the cycle that each event falls into."""
    timezone, cycle = feature.setting("timezone"), feature.setting("cycle")
    occurred = asked.events.occurred
    local = asked.keep(("local", timezone), lambda: occurred + offsets(occurred, timezone))
    if cycle == "hour_of_day":
        return local // _HOUR % 24
    monday = local + 3 * _DAY  # 1970-01-01 was a Thursday
    return monday // _DAY % 7 if cycle == "day_of_week" else monday // _HOUR % 168


def _histograms(feature: FeaturePlan, asked: Asked) -> Iterator[Ints]:
    """How many events each observation has in each part, some observations at a time.

    Histograms of all events up to every 64th are kept; what is over at both ends of a range is counted event by event.
    """
    parts, many = _parts(feature, asked), CYCLES[feature.setting("cycle")]
    low, high = asked.range(feature.window)
    blocks = len(parts) // _BLOCK
    inside = np.arange(blocks * _BLOCK)
    cells = (inside // _BLOCK + 1) * many + parts[inside]
    kept = np.cumsum(np.bincount(cells, minlength=(blocks + 1) * many).reshape(-1, many), axis=0)
    size = max(1, _CELLS // max(many, 2 * _BLOCK))
    for start in range(0, max(len(asked), 1), size):
        begin, end = low[start : start + size], high[start : start + size]
        first, last = -(-begin // _BLOCK), end // _BLOCK
        whole = first < last
        found = np.where(whole[:, None], kept[np.where(whole, last, 0)] - kept[np.where(whole, first, 0)], 0)
        head = ranges(begin, np.where(whole, first * _BLOCK, end))
        tail = ranges(np.where(whole, last * _BLOCK, end), end)
        for rows, bounds in (head, tail):
            owner = np.repeat(np.arange(len(begin)), np.diff(bounds))
            found += np.bincount(owner * many + parts[rows], minlength=found.size).reshape(found.shape)
        yield found


def seasonal(feature: FeaturePlan, asked: Asked) -> Lists:
    many = CYCLES[feature.setting("cycle")]
    low, high = asked.range(feature.window)
    some = low < high
    shares = [
        (found / np.maximum(found.sum(axis=1, keepdims=True), 1))[found.any(axis=1)].ravel()
        for found in _histograms(feature, asked)
    ]
    bounds = np.concatenate([[0], np.cumsum(np.where(some, many, 0))]).astype(np.int64)
    return Lists(bounds, Column(np.concatenate(shares)), some)


def concentration(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    squares = np.concatenate([(found * found).sum(axis=1) for found in _histograms(feature, asked)])
    return Column(quotients(squares, (high - low) ** 2), low < high)


KERNELS: Mapping[str, Callable[[FeaturePlan, Asked], Values]] = {"seasonal": seasonal, "concentration": concentration}
