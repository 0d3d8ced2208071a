import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from ethogram.stats.auc import auc, paired_auc_difference
from ethogram.stats.brier import brier
from ethogram.stats.calibration import (
    calibration_curve,
    calibration_in_the_large,
    calibration_noise,
    expected_calibration_error,
)
from ethogram.stats.lift import lift
from ethogram.stats.log_loss import log_loss, log_losses, paired_difference

rows = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=200).map(
    lambda pairs: (np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]) / 20)
)


@given(rows)
def test_auc_is_scikit_learns_ties_included(pair):
    label, score = pair
    if label.all() or not label.any():
        assert auc(label, score) is None
    else:
        assert auc(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-12)


@given(rows, st.randoms(use_true_random=False))
def test_the_difference_of_two_areas_is_that_of_the_areas(pair, random):
    label, first = pair
    second = np.array(random.sample(list(first), len(first)))
    found = paired_auc_difference(label, first, second, np.arange(len(label)))
    if auc(label, first) is None:
        assert found is None
    else:
        assert found[0] == pytest.approx(auc(label, first) - auc(label, second), abs=1e-12)


def test_the_error_of_the_difference_is_what_repeated_draws_show():
    random = np.random.default_rng(8)
    gaps, errors = [], []
    for _ in range(300):
        label = np.repeat(random.random(60) < 0.4, 3)  # three rows an entity, alike
        first = np.repeat(random.normal(size=60), 3) + label
        second = first + np.repeat(random.normal(size=60), 3)
        gap, error = paired_auc_difference(label, first, second, np.repeat(np.arange(60), 3))
        gaps.append(gap)
        errors.append(error)
    assert np.std(gaps) == pytest.approx(np.mean(errors), rel=0.1)
    assert paired_auc_difference(label, first, second, np.zeros(180))[1] == np.inf


@given(rows)
def test_losses_are_scikit_learns(pair):
    label, score = pair
    assert brier(label, score) == pytest.approx(brier_score_loss(label, score), abs=1e-12)
    inner = np.clip(score, 0.01, 0.99)
    assert log_loss(label, inner) == pytest.approx(sklearn_log_loss(label, inner, labels=[False, True]), abs=1e-12)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(pair, random):
    label, score = pair
    order = list(range(len(label)))
    random.shuffle(order)
    for figure in (auc, lift, expected_calibration_error):
        assert figure(label, score) == pytest.approx(figure(label[order], score[order]))


@given(rows, st.integers(1, 15))
def test_the_bins_hold_every_row_once_and_rise(pair, bins):
    label, score = pair
    curve = calibration_curve(label, score, bins=bins)
    assert sum(each.rows for each in curve) == len(label)
    assert len(curve) <= bins
    predicted = [each.predicted for each in curve]
    assert predicted == sorted(predicted)
    assert sum(each.rows * each.observed for each in curve) == pytest.approx(label.sum())


def test_lift_of_everybody_is_one():
    label = np.arange(40) % 4 == 0
    assert lift(label, np.arange(40), share=1.0) == pytest.approx(1)


def test_a_perfect_model_shows_only_the_noise_that_chance_explains():
    random = np.random.default_rng(4)
    errors, noises = [], []
    for _ in range(200):
        p = random.beta(1, 4, 500)
        errors.append(expected_calibration_error(random.random(500) < p, p))
        noises.append(calibration_noise(p))
    assert np.mean(errors) == pytest.approx(np.mean(noises), rel=0.05)


def test_a_model_that_promises_too_much_is_above_the_truth_in_the_large():
    assert calibration_in_the_large([True, False], [0.9, 0.9]) == pytest.approx(0.4)


def test_rows_of_one_entity_count_as_one_piece_of_evidence():
    first, second = np.tile([0.5, 0.7], 50), np.zeros(100)
    _, apart = paired_difference(first, second, np.arange(100))
    _, together = paired_difference(first, second, np.tile([0, 1], 50))
    assert together > 5 * apart
    assert paired_difference(first, second, np.zeros(100))[1] == np.inf


def test_a_certain_answer_that_is_wrong_costs_much_but_not_everything():
    assert 30 < log_losses([True], [0.0])[0] < 40
