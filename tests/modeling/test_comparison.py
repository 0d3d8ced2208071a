import numpy as np
import pytest

from ethogram.modeling.comparison import NothingVaries, compare

DAY = 86_400_000_000


def observations(entities=300, weeks=20, seed=3):
    random = np.random.default_rng(seed)
    size = entities * weeks
    as_of = np.repeat(np.arange(weeks) * 7 * DAY, entities)
    entity = np.tile(np.arange(entities), weeks)
    columns = {name: random.normal(size=size) for name in ("a", "b", "noise")}
    return columns, entity, as_of, random


def judged(columns, label, entity, as_of, **options):
    names = list(columns)
    return compare(columns, names, label=label, entity=entity, as_of=as_of, open_for=7 * DAY, **options)


@pytest.fixture(scope="module")
def additive():
    columns, entity, as_of, random = observations()
    label = random.random(entity.size) < 1 / (1 + np.exp(1 - columns["a"] - columns["b"]))
    return judged(columns, label, entity, as_of)


def test_the_simpler_model_is_chosen_within_one_standard_error(additive):
    assert additive.chosen == "logistic"
    assert "within one standard error" in additive.report["why"]


def test_boosting_is_chosen_where_features_interact():
    columns, entity, as_of, random = observations()
    label = random.random(entity.size) < np.where(columns["a"] * columns["b"] > 0, 0.8, 0.1)
    found = judged(columns, label, entity, as_of)
    assert found.chosen == "boosted"
    assert found.report["figures"]["auc"] > 0.8


def test_the_declaration_may_ask_for_a_learner():
    columns, entity, as_of, random = observations(entities=100)
    label = random.random(entity.size) < 0.4
    found = judged(columns, label, entity, as_of, learner="boosted", calibrate="isotonic")
    assert list(found.fitted) == ["boosted"]
    assert found.fitted["boosted"].document["calibration"]["kind"] == "isotonic"


def test_figures_are_of_the_latest_period_and_beat_the_rate(additive):
    figures, folds = additive.report["figures"], additive.report["folds"]
    assert folds["train"]["to"] < folds["calibrate"]["from"] < folds["calibrate"]["to"] < folds["validate"]["from"]
    assert figures["validation_rows"] == folds["validate"]["rows"]
    assert figures["log_loss"] < figures["baseline_log_loss"]
    assert figures["best_feature_auc"] < figures["auc"]
    assert 0 < figures["auc_gap_error"] < 0.05
    assert figures["ece"] - figures["ece_noise"] < 0.05


def test_importance_ranks_noise_last(additive):
    assert additive.report["importance"][-1]["feature"] == "noise"


def test_a_feature_that_knows_the_outcome_is_suspect():
    columns, entity, as_of, random = observations(entities=100)
    label = random.random(entity.size) < 0.3
    columns["leak"] = label + random.normal(0, 0.1, label.size)
    found = judged(columns, label, entity, as_of)
    assert found.report["best_feature"]["suspect"] == ["leak"]
    assert found.report["figures"]["suspect_features"] == 1


def test_features_that_never_vary_are_refused_instead_of_guessed_from():
    _, entity, as_of, random = observations(entities=100)
    same = {"zero": np.zeros(entity.size), "never": np.full(entity.size, np.nan)}
    with pytest.raises(NothingVaries, match="none of the 2 features"):
        judged(same, random.random(entity.size) < 0.3, entity, as_of)
