"""Identifiers that look random and never collide: a bijection of a counter, written as text without a Python loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def keys(space: int, block: int, numbers: NDArray[np.int64], *, seed: int) -> NDArray[np.uint64]:
    """One key for each number; differs by `space` (up to 255), `block` (up to 2²⁴) and number (up to 2³²).

    SplitMix64 permutes the 64-bit integers, so that two keys of a seed are equal only if all three are.
    """
    counter = numbers.astype(np.uint64) | np.uint64(space << 56 | block << 32)
    return _mix(counter ^ _mix(np.array([seed & (2**64 - 1)], dtype=np.uint64)))


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def hexed(prefix: str, key: NDArray[np.uint64]) -> NDArray[np.bytes_]:
    """Sixteen hexadecimal digits behind one letter.

    >>> hexed("e", np.array([255], dtype=np.uint64))
    array([b'e00000000000000ff'], dtype='|S17')
    """
    octets = key.astype(">u8").view(np.uint8).reshape(-1, 8)
    text = np.empty((len(key), 17), dtype=np.uint8)
    text[:, 0] = ord(prefix)
    text[:, 1::2] = _HEX[octets >> 4]
    text[:, 2::2] = _HEX[octets & 15]
    return text.view("S17").ravel()


def numbered(prefix: str, numbers: NDArray[np.int64]) -> NDArray[np.bytes_]:
    """Ten decimal digits behind one letter.

    >>> numbered("u", np.array([7, 123]))
    array([b'u0000000007', b'u0000000123'], dtype='|S11')
    """
    text = np.empty((len(numbers), 11), dtype=np.uint8)
    text[:, 0] = ord(prefix)
    rest = numbers.copy()
    for place in range(10, 0, -1):
        rest, digit = np.divmod(rest, 10)
        text[:, place] = digit + ord("0")
    return text.view("S11").ravel()
