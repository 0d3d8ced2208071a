"""Population stability index of two histograms, and how large chance alone makes it.

Yurdakul (2018), Statistical Properties of Population Stability Index: under no change, PSI is about
chi-square(B - 1) times (1/n + 1/m).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt

_Z_99 = 2.326347874
_NEAR = 0.25  # two edges this near, in widths of the narrowest bin beside them, are one
_FLOOR = 1e-4  # share given to an empty bin, so that one stray row does not make the index infinite


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts in bins; `edges` has one more than `counts` and rises strictly."""

    edges: tuple[float, ...]
    counts: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.counts)

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of each bin; all zero when nothing was counted."""
        return tuple(count / self.total if self.total else 0.0 for count in self.counts)


def rebin(histogram: Histogram, edges: Sequence[float]) -> Histogram:
    """The same counts over other bins, spread evenly inside each old one; what lies outside goes to the outer bins.

    >>> rebin(Histogram((0.0, 2.0, 4.0), (10.0, 20.0)), [0.0, 1.0, 4.0]).counts
    (5.0, 25.0)
    """
    counts = [0.0] * (len(edges) - 1)
    for low, high, count in zip(histogram.edges, histogram.edges[1:], histogram.counts, strict=False):
        for place in range(len(counts)):
            left = float("-inf") if place == 0 else edges[place]
            right = float("inf") if place == len(counts) - 1 else edges[place + 1]
            overlap = min(high, right) - max(low, left)
            if overlap > 0:
                counts[place] += count * overlap / (high - low)
    return Histogram(tuple(edges), tuple(counts))


def aligned(now: Histogram, reference: Histogram, *, least: int = 5) -> tuple[Histogram, Histogram]:
    """Both over bins whose edges (nearly) occur in both, so that no spike is cut in two where the bins differ.

    Where fewer than `least` such bins are left, as after a large shift, the reference is spread over the bins of `now`.

    >>> one, other = Histogram((0, 1, 2, 3), (8, 1, 1)), Histogram((0, 1.5, 2, 3), (9, 0, 1))
    >>> [shape.counts for shape in aligned(one, other, least=2)]
    [(9, 1), (9, 1)]
    """
    pairs = [(0, 0)]
    for i in range(1, len(now.counts)):
        j = min(range(len(reference.edges)), key=lambda j: abs(reference.edges[j] - now.edges[i]))
        if not pairs[-1][1] < j < len(reference.counts):
            continue
        narrow = min(_narrowest(now, i), _narrowest(reference, j))
        if abs(reference.edges[j] - now.edges[i]) <= _NEAR * narrow:
            pairs.append((i, j))
    pairs.append((len(now.counts), len(reference.counts)))
    if len(pairs) <= least:
        return now, rebin(reference, now.edges)
    edges = tuple(now.edges[i] for i, _ in pairs)
    steps = list(pairwise(pairs))
    ours = tuple(sum(now.counts[i:k]) for (i, _), (k, _) in steps)
    theirs = tuple(sum(reference.counts[j:m]) for (_, j), (_, m) in steps)
    return Histogram(edges, ours), Histogram(edges, theirs)


def _narrowest(histogram: Histogram, edge: int) -> float:
    below = histogram.edges[edge] - histogram.edges[edge - 1]
    return min(below, histogram.edges[edge + 1] - histogram.edges[edge])


def psi(now: Histogram, reference: Histogram) -> float:
    """PSI of `now` against `reference`, on bins that both have; 0 when they are alike.

    >>> psi(Histogram((0, 1, 2), (50, 50)), Histogram((0, 1, 2), (50, 50)))
    0.0
    >>> round(psi(Histogram((0, 1, 2), (20, 80)), Histogram((0, 1, 2), (50, 50))), 3)
    0.416
    """
    now, before = aligned(now, reference)
    pairs = zip(now.shares, before.shares, strict=True)
    floored = [(max(a, _FLOOR), max(b, _FLOOR)) for a, b in pairs]
    return sum((a - b) * log(a / b) for a, b in floored)


def psi_bound(now: Histogram, reference: Histogram) -> float:
    """What PSI stays under in 99 of 100 samples of these sizes from one population (Wilson-Hilferty's chi-square).

    >>> round(psi_bound(Histogram(tuple(range(11)), (100,) * 10), Histogram(tuple(range(11)), (100,) * 10)), 4)
    0.0434
    """
    if not now.total or not reference.total:
        return float("inf")
    degrees = max(len(aligned(now, reference)[0].counts) - 1, 1)
    spread = 2 / (9 * degrees)
    chi_square = degrees * (1 - spread + _Z_99 * sqrt(spread)) ** 3
    return float(chi_square * (1 / now.total + 1 / reference.total))
