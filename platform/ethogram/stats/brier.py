"""The Brier score of probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def brier(label: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared distance between probability and truth: 0 is perfect, 0.25 is always saying one half.

    Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78, 1950 (the form for
    two classes, half of his sum over both). With rare outcomes a useless constant already looks small: compare with it.

    >>> brier([1, 0], [0.8, 0.4])
    0.1
    """
    truth, p = np.asarray(label, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    return float(np.round(np.mean((p - truth) ** 2), 15))
