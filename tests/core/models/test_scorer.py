import json

import numpy as np
import pytest

from ethogram.core.models.scorer import BadModelDocument, MissingInput, Scorer

TREES = {
    "kind": "trees",
    "baseline": -1.0,
    "depth": 1,
    "roots": [0],
    "feature": [0, 0, 0],
    "threshold": [2.0, 0.0, 0.0],
    "missing_left": [True, False, False],
    "left": [1, 1, 2],
    "right": [2, 1, 2],
    "value": [0.0, 0.5, 3.0],
}


def document(**changes):
    inputs = [{"name": "visits_7d", "kind": "number", "typical": 1.0}]
    return {"format": 1, "inputs": inputs, "model": TREES, "calibration": None, "bounds": [0.0, 1.0], **changes}


def test_a_tree_sends_nulls_where_training_sent_them():
    margins = Scorer(document()).margin({"visits_7d": np.array([1.0, 2.0, 2.1, np.nan])})
    assert margins.tolist() == [-0.5, -0.5, 2.0, -0.5]


def test_many_rows_are_scored_in_parts_with_one_answer():
    values = np.linspace(-5, 5, 1_300_000)
    scorer = Scorer(document())
    assert (scorer.margin({"visits_7d": values}) == np.where(values <= 2, -0.5, 2.0)).all()


def test_a_missing_column_is_named():
    with pytest.raises(MissingInput, match="no column for visits_7d"):
        Scorer(document()).score({"visits_30d": np.array([1.0])})


def test_reasons_compare_with_a_typical_row():
    scorer = Scorer(document())
    ((name, moved),) = scorer.why({"visits_7d": np.array([9.0])})
    assert (name, round(moved, 3)) == ("visits_7d", round(1 / (1 + np.exp(-2)) - 1 / (1 + np.exp(0.5)), 3))
    assert scorer.why({"visits_7d": np.array([1.0])}) == []


@pytest.mark.parametrize(
    "broken",
    [
        document(format=2),
        document(model={**TREES, "kind": "pickle"}),
        document(model={**TREES, "left": [1, 1, 7]}),
        document(model={**TREES, "roots": [-1]}),
        document(model={**TREES, "feature": [5, 0, 0]}),
        document(model={**TREES, "value": [0.0, 0.5, float("nan")]}),
        document(model={**TREES, "missing_left": [True]}),
        document(model={**TREES, "depth": 10**9}),
        document(calibration={"kind": "isotonic", "x": [0.0, 1.0], "y": [0.9, 0.1]}),
        document(calibration={"kind": "eval"}),
        document(bounds=[0.9, 0.1]),
        {"format": 1},
    ],
)
def test_a_damaged_document_is_refused_before_it_scores(broken):
    with pytest.raises(BadModelDocument):
        Scorer(broken)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"format": 1, "inputs": 3}'])
def test_what_is_no_document_is_refused(text):
    with pytest.raises(BadModelDocument):
        Scorer.read(text)


def test_a_document_survives_json():
    assert Scorer.read(json.dumps(document())).names == ("visits_7d",)
