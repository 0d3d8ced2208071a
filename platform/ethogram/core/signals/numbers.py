"""Exact arithmetic of aggregates: fixed-point until the end, one conversion to double."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from ethogram.errors import EthogramError

# Fixed-point values that leave an aggregate: decimal128(38, 6).
DIGITS, SCALE = 38, 6
SMALLEST, LARGEST = -(2**63), 2**63 - 1
_EXACT = 2**53
_CONTEXT = Context(prec=80, rounding=ROUND_HALF_UP)


class Overflow(EthogramError):
    """A sum that its type cannot hold; a wrong number would be worse."""

    code = "overflow"

    def __init__(self, what: str) -> None:
        hint = "declare the property as number, or narrow the window"
        super().__init__(f"{what}: a sum is beyond 64-bit integers; {hint}")


def fixed(value: Decimal) -> Decimal:
    """`value` with the six digits that aggregates leave with, rounded half away from zero; a zero has no sign.

    >>> fixed(Decimal("2.0000005")), fixed(Decimal("-2.0000005"))
    (Decimal('2.000001'), Decimal('-2.000001'))
    """
    found = value.quantize(Decimal(1).scaleb(-SCALE), context=_CONTEXT)
    return found if found else abs(found)


def mean(total: int, count: int, scale: int) -> float:
    """`total` / 10^`scale` / `count` as the nearest double: rounded once, from the exact quotient.

    >>> mean(100_000_000, 3, 6)
    33.333333333333336
    """
    divisor: int = count * 10**scale
    return total / divisor


def means(
    totals: Sequence[int] | npt.NDArray[np.int64], counts: npt.NDArray[np.int64], scale: int
) -> npt.NDArray[np.float64]:
    """`mean` of each row; NaN where the count is 0. Totals beyond 64 bits come as a list of Python integers."""
    answer = np.full(len(counts), np.nan)
    some = counts > 0
    exact = some & (counts <= _EXACT // 10**scale)
    if isinstance(totals, np.ndarray):
        exact &= (totals > -_EXACT) & (totals < _EXACT)
        answer[exact] = totals[exact].astype(np.float64) / (counts[exact] * 10**scale).astype(np.float64)
    else:
        exact[:] = False
    for row in np.flatnonzero(some & ~exact):
        answer[row] = mean(int(totals[int(row)]), int(counts[row]), scale)
    return answer


def quotients(numerators: npt.NDArray[Any], divisors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Each quotient of two whole numbers as the nearest double, never a negative zero; NaN where the divisor is 0.

    Numbers beyond 64 bits come as Python integers in object arrays.

    >>> quotients(np.array([1, 0, 5]), np.array([3, -3, 0])).tolist()
    [0.3333333333333333, 0.0, nan]
    """
    answer = np.full(len(divisors), np.nan)
    some = divisors != 0
    small = some & (abs(numerators) < _EXACT) & (abs(divisors) < _EXACT) & (abs(numerators) >= 0)
    answer[small] = numerators[small].astype(np.float64) / divisors[small].astype(np.float64)
    large = np.flatnonzero(some & ~small)
    pairs = zip(numerators[large].tolist(), divisors[large].tolist(), strict=True)
    answer[large] = [numerator / divisor for numerator, divisor in pairs]
    found: npt.NDArray[np.float64] = answer + 0.0
    return found


def agree(one: Any, two: Any, *, exact: bool) -> bool:
    """Whether two engines say the same of a feature: to the bit if it is exact, else within a relative 1e-9.

    >>> agree(0.1 + 0.2, 0.3, exact=False), agree(0.1 + 0.2, 0.3, exact=True), agree(None, 0.0, exact=False)
    (True, False, False)
    """
    if exact or not isinstance(one, float) or not isinstance(two, float):
        return bool(one == two)
    return abs(one - two) <= 1e-9 * max(abs(one), abs(two))
