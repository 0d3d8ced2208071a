"""Area under the ROC curve: the probability that a case is ranked above a non-case."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
    return float((_midranks(value)[truth].sum() - cases * (cases + 1) / 2) / (cases * others))


def paired_auc_difference(
    label: ArrayLike, first: ArrayLike, second: ArrayLike, cluster: ArrayLike
) -> tuple[float, float] | None:
    """`auc` of `first` less that of `second` on the same rows, and its standard error; None without both outcomes.

    Rows of one cluster move together: the error is that of cluster sums of the structural components (DeLong, DeLong &
    Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating characteristic curves",
    Biometrics 44, 1988; Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics 53, 1997). With a
    single cluster it is infinite: nothing is known.

    >>> label, rows = [0, 1, 0, 1, 0, 1], range(6)
    >>> gap, error = paired_auc_difference(label, [1, 2, 1, 3, 2, 3], [2, 1, 1, 3, 3, 2], cluster=rows)
    >>> round(gap, 3), round(error, 3)
    (0.444, 0.186)
    """
    truth = np.asarray(label, dtype=bool)
    if truth.all() or not truth.any():
        return None
    (one, of_one), (other, of_other) = (
        _components(truth, np.asarray(each, dtype=np.float64)) for each in (first, second)
    )
    _, place = np.unique(np.asarray(cluster), return_inverse=True)
    sums = np.bincount(place, weights=of_one - of_other)
    if sums.size < 2:
        return one - other, float("inf")
    return one - other, float(np.sqrt(np.sum(sums**2) * sums.size / (sums.size - 1)))


def _components(truth: NDArray[np.bool_], value: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The area, and how far each row pulls it from there: they sum to nothing."""
    cases = int(truth.sum())
    others = truth.size - cases
    overall, beaten = _midranks(value), np.empty(truth.size)
    beaten[truth] = (overall[truth] - _midranks(value[truth])) / others
    beaten[~truth] = 1 - (overall[~truth] - _midranks(value[~truth])) / cases
    area = float(beaten[truth].mean())
    return area, (beaten - area) / np.where(truth, cases, others)


def _midranks(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank of each from 1, tied ones sharing the mean of their ranks."""
    _, place, count = np.unique(value, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(count) - (count - 1) / 2)[place]
    return ranks
