"""The two learners, and what they become: plain data that `core.models.scorer` evaluates.

scikit-learn is imported when a learner is fitted, not before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.core.models.scorer import FORMAT, Input, matrix, squash

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SEED = 0
MOST_LEVELS = 20
# Beyond this many rows trees gain little and cost linearly; a fixed sample of whole entities is drawn.
MOST_TREE_ROWS = 200_000
TREES = {"learning_rate": 0.06, "max_iter": 200, "max_leaf_nodes": 15, "min_samples_leaf": 40, "l2_regularization": 1.0}
LOGISTIC = {"C": 1.0, "max_iter": 500}
# Isotonic calibration overfits below about a thousand cases (Niculescu-Mizil & Caruana, "Predicting good probabilities
# with supervised learning", ICML 2005); below, Platt's sigmoid.
LEAST_ISOTONIC_CASES = 1000


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted, calibrated learner.

    Attributes:
        learner: "logistic" or "boosted".
        document: The scorer as plain data.
        params: What was set and chosen while fitting, for the run's record.
        peer: The scikit-learn classifier over the encoded matrix that `document` was taken from.
    """

    learner: str
    document: dict[str, Any]
    params: dict[str, Any]
    peer: Any


def inputs_of(columns: Mapping[str, NDArray[Any]], names: Sequence[str], rows: NDArray[np.intp]) -> tuple[Input, ...]:
    """How each column enters the matrix, decided on the training rows alone; what never varies there is left out."""
    made = []
    for name in names:
        values = columns[name][rows]
        if values.dtype == object:
            levels, counts = np.unique([value for value in values if value is not None], return_counts=True)
            common = levels[np.lexsort((levels, -counts))][:MOST_LEVELS] if levels.size else levels
            made.append(Input(name, "level", tuple(sorted(str(level) for level in common))))
        else:
            known = values[~np.isnan(values)]
            if known.size and (known.size < values.size or known.min() < known.max()):
                made.append(Input(name, "number", (), float(np.median(known))))
    return tuple(each for each in made if each.width)


def fit_logistic(
    inputs: Sequence[Input],
    columns: Mapping[str, NDArray[Any]],
    label: Flags,
    train: NDArray[np.intp],
    calibrate: NDArray[np.intp],
    *,
    method: str,
) -> Fitted:
    """Ridge-penalised logistic regression over signed logarithms; nulls take the median and a flag of their own."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    rows = _rows(inputs, columns, train)
    pipeline = Pipeline(
        [
            ("squash", FunctionTransformer(squash)),
            ("fill", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
            ("scale", StandardScaler()),
            ("weigh", LogisticRegression(C=LOGISTIC["C"], max_iter=int(LOGISTIC["max_iter"]), random_state=SEED)),
        ]
    )
    pipeline.fit(rows, label[train])
    fill, scale, weigh = pipeline["fill"], pipeline["scale"], pipeline["weigh"]
    model = {
        "kind": "logistic",
        "fill": fill.statistics_.tolist(),
        "indicate": [int(i) for i in fill.indicator_.features_],
        "mean": scale.mean_.tolist(),
        "scale": scale.scale_.tolist(),
        "coefficient": weigh.coef_[0].tolist(),
        "intercept": float(weigh.intercept_[0]),
    }
    calibrated, calibration, bounds, chosen = _calibrate(
        pipeline, _rows(inputs, columns, calibrate), label[calibrate], method
    )
    params = {**LOGISTIC, "rows": int(train.size), "calibration": chosen}
    return Fitted("logistic", _document(inputs, model, calibration, bounds), params, calibrated)


def fit_boosted(
    inputs: Sequence[Input],
    columns: Mapping[str, NDArray[Any]],
    label: Flags,
    train: NDArray[np.intp],
    calibrate: NDArray[np.intp],
    *,
    method: str,
) -> Fitted:
    """Histogram gradient boosting; the number of trees is the one with the least loss on the calibration rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    from ethogram.stats.log_loss import log_loss

    if train.size > MOST_TREE_ROWS:
        train = np.sort(np.random.default_rng(SEED).choice(train, MOST_TREE_ROWS, replace=False))
    later = _rows(inputs, columns, calibrate)
    trees = HistGradientBoostingClassifier(**TREES, early_stopping=False, random_state=SEED)
    trees.fit(_rows(inputs, columns, train), label[train])
    look = calibrate.size if calibrate.size <= MOST_TREE_ROWS // 10 else MOST_TREE_ROWS // 10
    seen = np.linspace(0, calibrate.size - 1, look).astype(np.intp)
    losses = [log_loss(label[calibrate][seen], p[:, 1]) for p in trees.staged_predict_proba(later[seen])]
    kept = int(np.argmin(losses)) + 1
    trees._predictors = trees._predictors[:kept]  # Truncating is exact: boosting never revisits an earlier tree.
    calibrated, calibration, bounds, chosen = _calibrate(trees, later, label[calibrate], method)
    params = {**TREES, "trees": kept, "rows": int(train.size), "calibration": chosen}
    return Fitted("boosted", _document(inputs, _flat(trees), calibration, bounds), params, calibrated)


def _rows(inputs: Sequence[Input], columns: Mapping[str, NDArray[Any]], rows: NDArray[np.intp]) -> Floats:
    return matrix(inputs, {each.name: columns[each.name][rows] for each in inputs})


def _calibrate(
    model: Any, rows: Floats, label: Flags, method: str
) -> tuple[Any, dict[str, Any], tuple[float, float], str]:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    if method == "auto":
        method = "isotonic" if min(int(label.sum()), int((~label).sum())) >= LEAST_ISOTONIC_CASES else "sigmoid"
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method=method).fit(rows, label)
    inner = calibrated.calibrated_classifiers_[0].calibrators[0]
    if method == "sigmoid":
        data = {"kind": "sigmoid", "a": float(inner.a_), "b": float(inner.b_)}
    else:
        data = {"kind": "isotonic", "x": inner.X_thresholds_.tolist(), "y": inner.y_thresholds_.tolist()}
    # A step of the map in which nothing ever happened is no certainty: Laplace's rule over the calibration rows.
    least = 1 / (label.size + 2)
    return calibrated, data, (least, 1 - least), method


def _flat(trees: Any) -> dict[str, Any]:
    """Every tree's nodes in one set of arrays."""
    made: dict[str, list[Any]] = {
        "roots": [],
        "feature": [],
        "threshold": [],
        "missing_left": [],
        "left": [],
        "right": [],
        "value": [],
    }
    depth = 0
    for (tree,) in trees._predictors:
        nodes, start = tree.nodes, len(made["value"])
        leaf, itself = nodes["is_leaf"].astype(bool), start + np.arange(len(nodes))
        made["roots"].append(start)
        made["feature"] += np.where(leaf, 0, nodes["feature_idx"]).tolist()
        # JSON has no infinity; the greatest double sends every finite value the same way.
        made["threshold"] += np.where(leaf, 0.0, np.minimum(nodes["num_threshold"], np.finfo(np.float64).max)).tolist()
        made["missing_left"] += nodes["missing_go_to_left"].astype(bool).tolist()
        made["left"] += np.where(leaf, itself, start + nodes["left"].astype(np.int64)).tolist()
        made["right"] += np.where(leaf, itself, start + nodes["right"].astype(np.int64)).tolist()
        made["value"] += np.where(leaf, nodes["value"], 0.0).tolist()
        depth = max(depth, int(nodes["depth"].max()))
    return {"kind": "trees", "baseline": float(trees._baseline_prediction.ravel()[0]), "depth": depth, **made}


def _document(
    inputs: Sequence[Input], model: dict[str, Any], calibration: dict[str, Any], bounds: tuple[float, float]
) -> dict[str, Any]:
    listed = []
    for each in inputs:
        one: dict[str, Any] = {"name": each.name, "kind": each.kind}
        if each.kind == "level":
            one["levels"] = list(each.levels)
        else:
            one["typical"] = each.typical
        listed.append(one)
    return {"format": FORMAT, "inputs": listed, "model": model, "calibration": calibration, "bounds": list(bounds)}
