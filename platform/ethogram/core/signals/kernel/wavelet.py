"""How many values of a range are below a limit, and which is the k-th: for many ranges of one array at once.

A wavelet matrix (Claude, Navarro and Ordóñez, The wavelet matrix, 2015). Its levels, one a bit, are made one after the
other and asked by all ranges at once, so that none is kept: O(values + ranges) a level.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ethogram.core.signals.kernel.columns import Ints, Mask


def below(values: Ints, low: Ints, high: Ints, limit: Ints) -> Ints:
    """How many of `values[low[i]:high[i]]` are less than `limit[i]`; no value is negative.

    >>> below(np.array([3, 0, 2, 3]), np.array([0, 1]), np.array([4, 3]), np.array([3, 9])).tolist()
    [2, 2]
    """
    found = np.zeros(len(low), np.int64)
    bits = int(values.max(initial=0)).bit_length()
    beyond = limit >= 1 << bits
    limit = np.where(beyond, 0, np.maximum(limit, 0))
    start, end = low, high
    for bit, zeros, half in _levels(values, bits):
        start_zeros, end_zeros = zeros[start], zeros[end]
        up = (limit >> bit) & 1 == 1
        found += np.where(up, end_zeros - start_zeros, 0)
        start = np.where(up, start - start_zeros + half, start_zeros)
        end = np.where(up, end - end_zeros + half, end_zeros)
    return np.where(beyond, high - low, found)


def smallest(values: Ints, low: Ints, high: Ints, rank: Ints) -> Ints:
    """The value of `values[low[i]:high[i]]` that has `rank[i]` smaller ones or equal ones before it; arbitrary where
    the range has no such rank.

    >>> smallest(np.array([3, 0, 2, 3]), np.array([0, 1]), np.array([4, 3]), np.array([1, 0])).tolist()
    [2, 0]
    """
    found = np.zeros(len(low), np.int64)
    some = (rank >= 0) & (rank < high - low)
    start, end, left = np.where(some, low, 0), np.where(some, high, 0), np.where(some, rank, 0)
    for bit, zeros, half in _levels(values, int(values.max(initial=0)).bit_length()):
        start_zeros, end_zeros = zeros[start], zeros[end]
        up = left >= end_zeros - start_zeros
        found += np.where(up, 1 << bit, 0)
        left = np.where(up, left - (end_zeros - start_zeros), left)
        start = np.where(up, start - start_zeros + half, start_zeros)
        end = np.where(up, end - end_zeros + half, end_zeros)
    return found


def _levels(values: Ints, bits: int) -> Iterator[tuple[int, npt.NDArray[np.int32], int]]:
    """Each bit from the highest, how many before each place have none, and how many have none at all."""
    values = values.astype(np.int32)
    for bit in reversed(range(bits)):
        none: Mask = (values >> bit) & 1 == 0
        zeros = np.zeros(len(values) + 1, np.int32)
        np.cumsum(none, out=zeros[1:])
        yield bit, zeros, int(zeros[-1])
        if bit:
            values = np.concatenate([values[none], values[~none]])
