"""Sums and extremes over many ranges of one array at once, exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ethogram.core.signals.kernel.columns import Ints

_FITS = 2**62
_KEPT = 16_000_000  # values of one sparse table at once
_LOW = np.int64(0xFFFF_FFFF)


class Sums:
    """Running totals of whole numbers; a range's sum is the difference of two.

    Totals are kept in two halves where 64 bits could overflow, and sums that do not fit 64 bits are given as Python
    integers in an object array.
    """

    def __init__(self, values: npt.NDArray[Any]) -> None:
        largest = max(abs(int(values.max())), abs(int(values.min()))) if len(values) else 0
        self._whole: npt.NDArray[Any] | None = None
        if values.dtype == object or largest * len(values) < _FITS:
            self._whole = _running(values)
        else:
            self._high, self._low = _running(values >> 32), _running(values & _LOW)

    def between(self, low: Ints, high: Ints) -> npt.NDArray[Any]:
        """Sum of `values[low[i]:high[i]]` for each i."""
        if self._whole is not None:
            return self._whole[high] - self._whole[low]  # type: ignore[no-any-return]
        upper, lower = self._high[high] - self._high[low], self._low[high] - self._low[low]
        upper, lower = upper + (lower >> 32), lower & _LOW
        if len(upper) == 0 or (upper.max() < 2**31 and upper.min() >= -(2**31)):
            return (upper << 32) + lower  # type: ignore[no-any-return]
        return upper.astype(object) * 2**32 + lower.astype(object)  # type: ignore[no-any-return]


def _running(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    totals = np.zeros(len(values) + 1, values.dtype)
    np.cumsum(values, out=totals[1:])
    return totals


class Extremes:
    """The least or largest of many ranges.

    A sparse table (Bender and Farach-Colton, 2000): each range is covered by two of the same power of two. Levels are
    made one after the other, up to the longest range asked for, and kept for the next question as far as they are few.
    """

    def __init__(self, values: npt.NDArray[Any], *, largest: bool) -> None:
        self._best = np.maximum if largest else np.minimum
        self._levels = [values]

    def between(self, low: Ints, high: Ints) -> npt.NDArray[Any]:
        """The best of `values[low[i]:high[i]]` for each i; arbitrary where the range is empty."""
        lengths = high - low
        level = np.frexp(np.maximum(lengths, 1).astype(np.float64))[1] - 1
        level[lengths <= 0] = -1
        table = self._levels[0]
        answer = np.zeros(len(low), table.dtype)
        for k in range(int(level.max(initial=-1)) + 1):
            table = self._level(k, table)
            rows = np.flatnonzero(level == k)
            if len(rows):
                answer[rows] = self._best(table[low[rows]], table[high[rows] - (1 << k)])
        return answer

    def _level(self, k: int, below: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The best of every 2^k neighbours, from those of half as many."""
        if k < len(self._levels):
            return self._levels[k]
        half = 1 << (k - 1)
        table: npt.NDArray[Any] = self._best(below[:-half], below[half:])
        if k == len(self._levels) and k * len(table) < _KEPT:
            self._levels.append(table)
        return table


def extremes(values: npt.NDArray[Any], low: Ints, high: Ints, *, largest: bool) -> npt.NDArray[Any]:
    """The least or largest of `values[low[i]:high[i]]`; arbitrary where the range is empty."""
    return Extremes(values, largest=largest).between(low, high)
