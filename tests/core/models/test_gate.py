import math

import pytest

from ethogram.core.models.declaration import RISKS, load_model
from ethogram.core.models.gate import FIGURES, evaluate, figures_of, gate_policy_of, load_gate_policy
from ethogram.core.workspace import plain
from ethogram.errors import Problems

GOOD = {
    "auc": 0.74,
    "brier": 0.1,
    "log_loss": 0.3,
    "ece": 0.02,
    "ece_noise": 0.01,
    "citl": 0.01,
    "lift_10": 3.0,
    "base_rate": 0.2,
    "mean_score": 0.21,
    "validation_rows": 9000,
    "validation_cases": 1800,
    "validation_entities": 900,
    "train_rows": 20000,
    "train_cases": 4000,
    "baseline_log_loss": 0.4,
    "best_feature_auc": 0.58,
    "auc_gap_error": 0.005,
    "suspect_features": 0,
    "future_features": 0,
    "intent_words": 12,
    "limits": 2,
}


@pytest.fixture(scope="module")
def policy(project):
    path = project / "registry" / "policies" / "gates.yaml"
    return load_gate_policy(path.read_text(), path.name)


@pytest.mark.parametrize("risk", RISKS)
def test_a_good_model_passes_every_gate_of_its_tier(policy, risk):
    assert [result for result in evaluate(policy, risk, GOOD) if not result.passed] == []


def test_a_medium_risk_has_nine_gates(policy):
    assert len(evaluate(policy, "medium", GOOD)) == 9


@pytest.mark.parametrize(
    ("figure", "value", "gate"),
    [
        ("auc", 0.59, "ranking"),
        ("log_loss", 0.41, "baseline"),
        ("best_feature_auc", 0.76, "one feature"),
        ("ece", 0.07, "calibration"),
        ("mean_score", 0.45, "level"),
        ("citl", -0.13, "level"),
        ("validation_cases", 29, "evidence"),
        ("train_cases", 49, "learned"),
        ("future_features", 1, "look-ahead"),
        ("suspect_features", 1, "look-ahead"),
        ("limits", 0, "card"),
    ],
)
def test_one_bad_figure_fails_one_gate_and_says_so(policy, figure, value, gate):
    failed = [result for result in evaluate(policy, "medium", {**GOOD, figure: value}) if not result.passed]
    assert [(result.gate, result.verdict) for result in failed] == [(gate, "fail")]
    assert figure in failed[0].detail


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf, "0.9", True])
def test_a_figure_that_is_not_known_fails_as_unknown(policy, unknown):
    results = {r.gate: r.verdict for r in evaluate(policy, "medium", {**GOOD, "auc": unknown})}
    assert results["ranking"] == "unknown"


def test_nothing_known_passes_nothing(policy):
    assert {result.verdict for result in evaluate(policy, "medium", {})} == {"unknown"}


def test_what_chance_explains_is_not_held_against_a_model(policy):
    near = {**GOOD, "auc": 0.74, "best_feature_auc": 0.76}
    verdicts = {
        error: {r.gate: r.verdict for r in evaluate(policy, "medium", {**near, "auc_gap_error": error})}["one feature"]
        for error in (0.005, 0.015, math.inf)
    }
    assert verdicts == {0.005: "fail", 0.015: "pass", math.inf: "unknown"}


def test_rare_outcomes_are_judged_by_ratio(policy):
    rare = {**GOOD, "base_rate": 0.01, "mean_score": 0.03, "citl": 0.02}
    assert [r.gate for r in evaluate(policy, "medium", rare) if not r.passed] == ["level"]


def test_every_figure_says_what_it_is():
    assert all(text for _, text in FIGURES.values())


def test_a_policy_survives_storage(policy):
    assert gate_policy_of(plain(policy)) == policy


def test_the_card_comes_from_the_declaration(project):
    path = project / "registry" / "models" / "lapse.yaml"
    figures = figures_of({"figures": {"auc": 0.7}}, load_model(path.read_text(), path.name))
    assert figures["intent_words"] >= 8
    assert figures["limits"] == 2
    assert figures["auc"] == 0.7


@pytest.mark.parametrize(
    ("holds", "problem"),
    [
        ("acu >= 0.6", "gate ranking: no figure named 'acu'; did you mean auc?"),
        ("auc + 0.1", "boolean"),
        ("auc >=", "the expression ends early"),
        ("1 = 1", "names no figure, so it cannot fail"),
        ("{medium: auc > 0, hi: auc > 0}", "has no field 'hi'"),
    ],
)
def test_a_gate_that_means_nothing_is_refused_when_it_is_read(holds, problem):
    with pytest.raises(Problems) as refused:
        load_gate_policy(f"gates:\n- gate: ranking\n  brief: Ranks.\n  holds: {holds}\n", "gates.yaml")
    assert "gates.yaml:4: " in str(refused.value)
    assert problem in str(refused.value)
