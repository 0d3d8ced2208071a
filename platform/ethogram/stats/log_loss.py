"""Logarithmic loss, and whether one model's loss is really lower than another's."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# A probability of exactly 0 or 1 that turns out wrong would cost infinitely much; it is charged as this one.
LEAST = 1e-15


def log_losses(label: ArrayLike, probability: ArrayLike) -> NDArray[np.float64]:
    """Loss of each row, in nats: minus the logarithm of the probability given to what happened.

    Good, "Rational decisions", Journal of the Royal Statistical Society B 14, 1952.
    """
    truth = np.asarray(label, dtype=bool)
    p = np.clip(np.asarray(probability, dtype=np.float64), LEAST, 1 - LEAST)
    return -np.log(np.where(truth, p, 1 - p))


def log_loss(label: ArrayLike, probability: ArrayLike) -> float:
    """Mean logarithmic loss, in nats; always saying one half costs 0.693.

    >>> round(log_loss([1, 0], [0.8, 0.4]), 4)
    0.367
    """
    return float(np.mean(log_losses(label, probability)))


def paired_difference(first: ArrayLike, second: ArrayLike, cluster: ArrayLike) -> tuple[float, float]:
    """Mean of `first - second` over rows, and its standard error with rows of one cluster moving together.

    Rows of the same entity at different times are not independent, so the error is that of cluster sums (Liang & Zeger,
    "Longitudinal data analysis using generalized linear models", Biometrika 73, 1986, for a mean). With a single
    cluster the error is infinite: nothing is known.

    >>> mean, error = paired_difference([1.0, 1.0, 3.0, 3.0], [0.0, 0.0, 0.0, 0.0], cluster=[7, 7, 9, 9])
    >>> mean, round(error, 3)
    (2.0, 1.0)
    """
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    _, place = np.unique(np.asarray(cluster), return_inverse=True)
    mean = float(difference.mean())
    sums = np.bincount(place, weights=difference - mean)
    if sums.size < 2:
        return mean, float("inf")
    variance = float(np.sum(sums**2)) * sums.size / (sums.size - 1) / difference.size**2
    return mean, variance**0.5
