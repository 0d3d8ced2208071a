import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.modeling.folds import TooShort, split

DAY = 86_400_000_000


def made(weeks, entities, every=3):
    as_of = np.repeat(np.arange(weeks) * 7 * DAY, entities)
    entity = np.tile(np.arange(entities), weeks)
    return as_of, entity, (np.arange(as_of.size) * 7919) % every == 0


@given(st.integers(8, 60), st.integers(20, 60), st.integers(0, 60))
def test_no_row_that_is_learned_from_was_open_when_validation_starts(weeks, entities, days):
    as_of, entity, label = made(weeks, entities)
    try:
        folds = split(as_of, entity, label, open_for=days * DAY)
    except TooShort:
        return
    learned = np.concatenate([folds.train, folds.calibrate])
    assert (as_of[learned] + days * DAY <= folds.cut).all()
    assert (as_of[folds.validate] >= folds.cut).all()
    every = np.concatenate([learned, folds.validate])
    assert np.unique(every).size == every.size
    assert every.size + folds.purged == as_of.size


@given(st.integers(20, 60), st.integers(20, 60), st.integers(0, 100))
def test_calibration_rows_are_later_or_of_other_entities(weeks, entities, days):
    as_of, entity, label = made(weeks, entities)
    try:
        folds = split(as_of, entity, label, open_for=days * DAY)
    except TooShort:
        return
    if folds.by == "later period":
        assert as_of[folds.train].max() + days * DAY <= as_of[folds.calibrate].min()
    else:
        assert not set(entity[folds.train]) & set(entity[folds.calibrate])


def test_a_long_horizon_holds_entities_out_instead_of_time():
    as_of, entity, label = made(28, 200)
    assert split(as_of, entity, label, open_for=91 * DAY).by == "other entities"
    assert split(as_of, entity, label, open_for=7 * DAY).by == "later period"


def test_observations_shorter_than_the_horizon_are_refused_with_both_figures():
    as_of, entity, label = made(8, 100)
    with pytest.raises(TooShort, match="span 49 days, and outcomes stay open for 91") as refused:
        split(as_of, entity, label, open_for=91 * DAY)
    assert "--from" in str(refused.value)


def test_too_few_cases_are_refused_with_their_count():
    as_of, entity, _ = made(30, 50)
    with pytest.raises(TooShort, match="in all: 7 of 1,500 observations came true"):
        split(as_of, entity, np.arange(as_of.size) < 7, open_for=DAY)
    with pytest.raises(TooShort, match="train: 0 of"):
        split(as_of, entity, as_of == as_of.max(), open_for=DAY)


def test_a_rare_outcome_is_split_by_its_cases():
    as_of, entity, _ = made(40, 200)
    early = np.random.default_rng(0).random(as_of.size) < np.where(as_of < 20 * 7 * DAY, 0.05, 0.004)
    folds = split(as_of, entity, early, open_for=14 * DAY)
    assert 0.15 < early[folds.validate].sum() / early.sum() < 0.45
