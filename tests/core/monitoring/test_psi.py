"""PSI and the size that chance alone gives it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.monitoring.psi import Histogram, psi, psi_bound, rebin
from ethogram.core.signals.profile import profile

counts = st.lists(st.integers(0, 10_000), min_size=1, max_size=30).filter(lambda values: sum(values) > 0)


def read(stored: dict) -> Histogram:
    return Histogram(tuple(stored["histogram"]["edges"]), tuple(map(float, stored["histogram"]["counts"])))


def bins(values: list[int], *, width: float = 1.0, start: float = 0.0) -> Histogram:
    edges = tuple(start + i * width for i in range(len(values) + 1))
    return Histogram(edges, tuple(float(value) for value in values))


@given(counts, counts, st.floats(0.1, 10), st.floats(-20, 20))
def test_other_bins_lose_and_add_no_row(values: list[int], others: list[int], width: float, start: float):
    assert rebin(bins(values), bins(others, width=width, start=start).edges).total == pytest.approx(sum(values))


@given(counts, counts)
def test_it_is_never_negative_and_zero_for_the_same_shares(values: list[int], others: list[int]):
    assert psi(bins(values), bins(others)) >= 0
    assert psi(bins(values), bins([value * 7 for value in values])) == pytest.approx(0, abs=1e-9)


def test_a_larger_shift_is_a_larger_index():
    middle = np.arange(30)
    shapes = [bins(list((10_000 * np.exp(-((middle - at) ** 2) / 20)).astype(int))) for at in (10, 11, 14, 20)]
    found = [psi(shape, shapes[0]) for shape in shapes]
    assert found == sorted(found)
    assert found[0] == 0
    assert found[-1] > 1


@pytest.mark.parametrize(("n", "m"), [(500, 500), (4000, 1000)])
def test_samples_of_one_population_stay_within_the_bound_in_99_of_100_cases(n: int, m: int):
    chance = np.random.default_rng(3)
    within = 0
    for _ in range(2000):
        now = bins(list(chance.multinomial(n, [0.1] * 10)))
        before = bins(list(chance.multinomial(m, [0.1] * 10)))
        within += psi(now, before) <= psi_bound(now, before)
    assert 0.98 <= within / 2000 <= 0.998


@pytest.mark.parametrize(
    "draw",
    [
        lambda chance, n: chance.exponential(40, n),
        lambda chance, n: np.where(chance.random(n) < 0.6, 0.0, chance.gamma(1.2, 60, n)),
        lambda chance, n: chance.poisson(3, n).astype(float),
        lambda chance, n: np.floor(chance.exponential(30, n)),
        lambda chance, n: np.round(np.where(chance.random(n) < 0.4, 0.0, chance.lognormal(3, 1.5, n)), 2),
    ],
    ids=["recency", "spend with many zeros", "small counts", "large counts", "long tail"],
)
def test_profiles_of_one_population_do_not_drift_though_their_bins_differ(draw):
    for seed in range(20):
        chance = np.random.default_rng(seed)
        now, before = draw(chance, 4000), draw(chance, 30000)
        shapes = [read(profile(values, count=len(values), nulls=0)) for values in (now, before)]
        assert psi(*shapes) < 0.1
        moved = read(profile(now * 3 + 20, count=len(now), nulls=0))
        assert psi(moved, shapes[1]) > 0.1


@pytest.mark.parametrize("spread", [3.5, 6, 12, 40, 200, 1000])
def test_counts_an_eighth_larger_do_not_drift_though_their_bins_differ(spread: float):
    for seed in range(5):
        chance = np.random.default_rng(seed)
        drawn = [np.floor(chance.exponential(spread * more, 4000)) for more in (1.12, 1.0)]
        assert psi(*(read(profile(values, count=len(values), nulls=0)) for values in drawn)) < 0.06


@given(st.lists(st.integers(-(10**6), 10**6) | st.integers(0, 60), min_size=1, max_size=200))
def test_bins_of_whole_numbers_are_few_and_hold_every_value(values: list[int]):
    shape = read(profile(np.array(values, dtype=np.float64), count=len(values), nulls=0))
    assert shape.total == len(values)
    assert len(shape.counts) <= 26
    assert all(edge % 1 == 0.5 for edge in shape.edges)
    assert all(a < b for a, b in itertools.pairwise(shape.edges))


def test_nothing_counted_proves_nothing():
    assert psi_bound(bins([0, 0]), bins([1, 2])) == float("inf")
