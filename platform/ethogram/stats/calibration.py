"""Calibration: whether of the rows given 20 % about 20 % come true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of similar probability.

    Attributes:
        rows: How many.
        predicted: Their mean probability.
        observed: The share of them that came true.
    """

    rows: int
    predicted: float
    observed: float


def calibration_curve(label: ArrayLike, probability: ArrayLike, *, bins: int = 10) -> list[Bin]:
    """At most `bins` bins of about equally many rows, by rising probability; rows with one probability stay together.

    Equal mass rather than equal width, since scores crowd: with rare outcomes nine of ten equal-width bins are empty
    (Nguyen & O'Connor, "Posterior calibration and exploratory analysis for NLP models", EMNLP 2015).

    >>> [(b.rows, b.observed) for b in calibration_curve([0, 1, 1, 1], [0.2, 0.2, 0.8, 0.9], bins=2)]
    [(2, 0.5), (2, 1.0)]
    """
    truth, p, place = _binned(label, probability, bins)
    rows = np.bincount(place)
    kept = rows > 0
    predicted = np.bincount(place, weights=p)[kept] / rows[kept]
    observed = np.bincount(place, weights=truth)[kept] / rows[kept]
    return [Bin(int(n), float(a), float(b)) for n, a, b in zip(rows[kept], predicted, observed, strict=True)]


def expected_calibration_error(label: ArrayLike, probability: ArrayLike, *, bins: int = 10) -> float:
    """Mean distance between probability and truth over equal-mass bins, weighted by rows: 0 is perfect.

    Naeini, Cooper & Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015. A perfect
    model does not reach 0 on few rows: subtract `calibration_noise`.

    >>> expected_calibration_error([0, 1, 1, 1], [0.5, 0.5, 0.9, 0.9], bins=2)
    0.05
    """
    curve = calibration_curve(label, probability, bins=bins)
    total = sum(each.rows for each in curve)
    return float(np.round(sum(each.rows * abs(each.predicted - each.observed) for each in curve) / total, 15))


def calibration_noise(probability: ArrayLike, *, bins: int = 10) -> float:
    """The expected calibration error that a perfectly calibrated model would show on these rows by chance alone.

    Each bin's distance is then about half-normal with the variance of a mean of independent draws, so its mean is
    sqrt(2/pi) of the standard deviation (the bias that Bröcker & Smith, "Increasing the reliability of reliability
    diagrams", Weather and Forecasting 22, 2007, draw as consistency bars).

    >>> round(calibration_noise([0.5] * 100), 3), round(calibration_noise([0.5] * 10_000), 3)
    (0.04, 0.004)
    """
    _, p, place = _binned(np.zeros(np.asarray(probability).size), probability, bins)
    spread = np.sqrt(np.bincount(place, weights=p * (1 - p)))
    return float(np.sqrt(2 / np.pi) * spread.sum() / p.size)


def calibration_in_the_large(label: ArrayLike, probability: ArrayLike) -> float:
    """Mean probability less the share that came true: above 0 the model promises too much.

    Steyerberg, "Clinical Prediction Models", 2nd ed. 2019, section 15.3.

    >>> calibration_in_the_large([1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5])
    0.25
    """
    return float(np.mean(np.asarray(probability, dtype=np.float64)) - np.mean(np.asarray(label, dtype=np.float64)))


def _binned(
    label: ArrayLike, probability: ArrayLike, bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Truth, probability and bin of each row; a group of tied rows goes where its middle row would go."""
    truth, p = np.asarray(label, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    _, level, count = np.unique(p, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count + 1) / 2
    place = np.minimum((middle * bins / p.size).astype(np.int64), bins - 1)[level]
    return truth, p, place
