"""Area under the ROC curve: the probability that a case is ranked above a non-case."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def auc(label: ArrayLike, score: ArrayLike) -> float | None:
    """Probability that a random true row scores above a random false one, ties counting half; None without both.

    It is the Mann-Whitney statistic on midranks (Hanley & McNeil, "The meaning and use of the area under a receiver
    operating characteristic curve", Radiology 143, 1982). It says nothing about the level of the scores: a model can
    rank well and be wrong by a factor of ten.

    >>> auc([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    >>> print(auc([1, 1], [0.2, 0.3]))
    None
    """
    truth, value = np.asarray(label, dtype=bool), np.asarray(score, dtype=np.float64)
    cases = int(truth.sum())
    others = truth.size - cases
    if not cases or not others:
        return None
    _, place, count = np.unique(value, return_inverse=True, return_counts=True)
    midrank = np.cumsum(count) - (count - 1) / 2
    return float((midrank[place][truth].sum() - cases * (cases + 1) / 2) / (cases * others))
