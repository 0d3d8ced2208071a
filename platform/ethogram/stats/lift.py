"""Lift: how many times more cases the top of a ranking holds than a random draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def lift(label: ArrayLike, score: ArrayLike, *, share: float = 0.1) -> float | None:
    """Rate of true rows among the `share` with the highest scores, over the rate among all; None without true rows.

    Rows that tie at the cut count in proportion, so the answer does not depend on the order of rows
    (Piatetsky-Shapiro &
    Steingold, "Measuring lift quality in database marketing", SIGKDD Explorations 2(2), 2000).

    >>> lift([1, 0, 0, 0, 1, 0, 0, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], share=0.1)
    5.0
    >>> lift([1, 0, 0, 1], [1, 1, 1, 1], share=0.5)
    1.0
    """
    truth, value = np.asarray(label, dtype=np.float64), np.asarray(score, dtype=np.float64)
    rate = truth.mean() if truth.size else 0.0
    if not rate:
        return None
    wanted = share * truth.size
    levels, place = np.unique(-value, return_inverse=True)
    rows = np.bincount(place, minlength=levels.size)
    cases = np.bincount(place, weights=truth, minlength=levels.size)
    before = np.cumsum(rows) - rows
    taken = np.clip(wanted - before, 0, rows)
    return float((taken * cases / rows).sum() / wanted / rate)
