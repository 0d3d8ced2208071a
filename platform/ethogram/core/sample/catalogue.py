"""What the made shop sells: the same two thousand products in every sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

CATEGORIES = ("kitchen", "garden", "toys", "books", "clothing", "sports", "electronics", "beauty")
_SHARES = (0.18, 0.09, 0.12, 0.16, 0.18, 0.10, 0.08, 0.09)
_TYPICAL_CENTS = (1800, 2400, 1500, 1200, 3200, 3600, 9900, 1400)
_SIZE = 2000


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Parallel over products; `category` is an index into CATEGORIES."""

    names: tuple[str, ...]
    category: NDArray[np.int16]
    cents: NDArray[np.int64]
    popularity: NDArray[np.float64]

    def pick(self, rng: np.random.Generator, count: int) -> NDArray[np.int16]:
        """`count` products, the popular ones more often."""
        return np.searchsorted(self.popularity[:-1], rng.random(count), side="right").astype(np.int16)


@cache
def catalogue() -> Catalogue:
    rng = np.random.default_rng(2000)
    category = rng.choice(len(CATEGORIES), _SIZE, p=_SHARES).astype(np.int16)
    cents = (np.array(_TYPICAL_CENTS)[category] * np.exp(rng.normal(0.0, 0.5, _SIZE))).astype(np.int64)
    weights = rng.permutation(1.0 / (np.arange(_SIZE) + 20) ** 0.8)
    return Catalogue(
        names=tuple(f"p{number:04d}" for number in range(_SIZE)),
        category=category,
        cents=np.maximum(cents, 199),
        popularity=np.cumsum(weights) / weights.sum(),
    )
