import json

import numpy as np
import pytest

from ethogram.core.models.scorer import Scorer, matrix
from ethogram.modeling.learners import fit_boosted, fit_logistic, inputs_of


def made(rows=4000, seed=1):
    random = np.random.default_rng(seed)
    columns = {
        "spend": np.exp(random.normal(3, 2, rows)),
        "visits": random.poisson(3, rows).astype(float),
        "balance": random.normal(0, 1000, rows),
        "never": np.full(rows, np.nan),
        "constant": np.ones(rows),
        "channel": random.choice(np.array(["web", "store", "mobile", None], dtype=object), rows),
    }
    columns["visits"][random.random(rows) < 0.2] = np.nan
    z = 0.4 * np.log(columns["spend"]) - 0.5 * np.nan_to_num(columns["visits"]) + (columns["channel"] == "web")
    return columns, random.random(rows) < 1 / (1 + np.exp(-z))


@pytest.fixture(scope="module", params=["logistic-sigmoid", "logistic-isotonic", "boosted-sigmoid", "boosted-isotonic"])
def fitted(request):
    learner, method = request.param.split("-")
    columns, label = made()
    train, calibrate = np.arange(2500), np.arange(2500, 4000)
    inputs = inputs_of(columns, list(columns), train)
    fit = {"logistic": fit_logistic, "boosted": fit_boosted}[learner]
    return fit(inputs, columns, label, train, calibrate, method=method)


def hard(rows=5000, seed=9):
    """Rows that training never saw: extremes, nulls, unknown texts."""
    columns, _ = made(rows, seed)
    random = np.random.default_rng(seed)
    for name in ("spend", "visits", "balance", "never", "constant"):
        values = columns[name]
        values[random.random(rows) < 0.15] = np.nan
        values[random.random(rows) < 0.02] = 1e300
        values[random.random(rows) < 0.02] = -1e-300
        values[random.random(rows) < 0.02] = 0.0
    columns["channel"][random.random(rows) < 0.1] = "fax"
    return columns


def test_the_compiled_scorer_equals_scikit_learn(fitted):
    scorer = Scorer.read(json.dumps(fitted.document))
    rows = hard()
    theirs = fitted.peer.predict_proba(matrix(scorer.inputs, rows))[:, 1]
    low, high = fitted.document["bounds"]
    assert np.abs(scorer.score(rows) - np.clip(theirs, low, high)).max() <= 1e-12


def test_a_row_scores_the_same_alone_and_among_others(fitted):
    scorer = Scorer(fitted.document)
    rows = hard(50)
    together = scorer.score(rows)
    alone = [scorer.score({name: values[i : i + 1] for name, values in rows.items()})[0] for i in range(50)]
    assert np.abs(together - alone).max() <= 1e-12


def test_no_probability_is_a_certainty(fitted):
    scores = Scorer(fitted.document).score(hard())
    assert 0 < scores.min() < scores.max() < 1


@pytest.mark.parametrize("fit", [fit_logistic, fit_boosted])
def test_fitting_twice_gives_the_same_bytes(fit):
    columns, label = made()
    train, calibrate = np.arange(2500), np.arange(2500, 4000)
    inputs = inputs_of(columns, list(columns), train)
    documents = [
        json.dumps(fit(inputs, columns, label, train, calibrate, method="auto").document, sort_keys=True)
        for _ in range(2)
    ]
    assert documents[0] == documents[1]


def test_inputs_are_decided_on_the_training_rows_alone():
    columns, _ = made()
    before = inputs_of(columns, list(columns), np.arange(2500))
    columns["spend"][2500:] = -1e9
    columns["channel"][2500:] = "fax"
    assert inputs_of(columns, list(columns), np.arange(2500)) == before
