"""Fit both learners on the same folds, judge them on the latest period, choose one and say why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.core.models.scorer import Input, Scorer
from ethogram.errors import EthogramError
from ethogram.modeling.folds import Folds, split
from ethogram.modeling.learners import Fitted, fit_boosted, fit_logistic, inputs_of
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

LEARNERS = ("logistic", "boosted")
# A single feature that separates this well alone usually knows the outcome: it is counted as suspect.
SUSPECT_AUC = 0.985
_LOOKED_AT = 20_000


class NothingVaries(EthogramError):
    """Features that all have one value, or none, among the training rows."""

    code = "nothing-varies"
    exit_status = 1

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"none of the {len(self.names)} features has two values among the training rows\n"
            "next: take signals whose behaviors were ingested, or an earlier --from"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both learners, which one was chosen, and the report that gates and pages read.

    Attributes:
        fitted: By learner.
        chosen: Name of the one to register.
        report: JSON-ready; `report["figures"]` holds the numbers that gates may name.
    """

    fitted: Mapping[str, Fitted]
    chosen: str
    report: dict[str, Any]


def compare(
    columns: Mapping[str, NDArray[Any]],
    names: Sequence[str],
    *,
    label: NDArray[np.bool_],
    entity: NDArray[np.int64],
    as_of: NDArray[np.int64],
    open_for: int,
    learner: str = "auto",
    calibrate: str = "auto",
) -> Comparison:
    """Fit, calibrate and validate the learners on time-separated folds.

    The boosted model is chosen only if its validation loss is lower than the logistic one's by more than one standard
    error, clustered by entity: the simplest model within one standard error of the best (Breiman, Friedman, Olshen &
    Stone, "Classification and Regression Trees", 1984, section 3.4.3).

    Args:
        columns: Features by name, as `plain_columns` gives them.
        names: Which of them the model may use, in order.
        label: Truth, one a row.
        entity: Surrogate ids.
        as_of: Microseconds UTC.
        open_for: Horizon and maturing together, microseconds.
        learner: "auto", or one of `LEARNERS` to take it whatever the figures say.
        calibrate: "auto", "sigmoid" or "isotonic".

    Raises:
        TooShort: If no honest validation can be cut from the rows.
    """
    from threadpoolctl import threadpool_limits

    # One thread: on a busy machine two OpenMP threads wait for each other and take three to six times as long.
    with threadpool_limits(limits=1):
        return _compare(columns, names, label, entity, as_of, open_for, learner, calibrate)


def _compare(
    columns: Mapping[str, NDArray[Any]],
    names: Sequence[str],
    label: NDArray[np.bool_],
    entity: NDArray[np.int64],
    as_of: NDArray[np.int64],
    open_for: int,
    learner: str,
    calibrate: str,
) -> Comparison:
    folds = split(as_of, entity, label, open_for=open_for)
    inputs = inputs_of(columns, names, folds.train)
    if not inputs:
        raise NothingVaries(names)
    fitting = {"logistic": fit_logistic, "boosted": fit_boosted}
    fitted = {
        name: fit(inputs, columns, label, folds.train, folds.calibrate, method=calibrate)
        for name, fit in fitting.items()
        if learner in ("auto", name)
    }
    late = {each.name: columns[each.name][folds.validate] for each in inputs}
    truth, who = label[folds.validate], entity[folds.validate]
    scorers = {name: Scorer(each.document) for name, each in fitted.items()}
    scores = {name: scorer.score(late) for name, scorer in scorers.items()}
    chosen, why = _choose(scores, truth, who)
    prior = np.full(truth.size, label[folds.train].mean())
    best, alone = _best_feature(inputs, columns, label, folds)
    gap = None if alone is None else paired_auc_difference(truth, scores[chosen], alone, who)
    figures = {
        **_figures(truth, scores[chosen], who),
        "baseline_log_loss": log_loss(truth, prior),
        "baseline_brier": brier(truth, prior),
        "best_feature_auc": best["auc"],
        "auc_gap_error": None if gap is None else gap[1],
        "best_feature_log_loss": best["log_loss"],
        "suspect_features": len(best["suspect"]),
        "features": len(inputs),
        "train_rows": int(folds.train.size),
        "train_cases": int(label[folds.train].sum()),
        "calibrate_rows": int(folds.calibrate.size),
        "calibrate_cases": int(label[folds.calibrate].sum()),
    }
    report = {
        "chosen": chosen,
        "why": why,
        "figures": figures,
        "learners": {name: _figures(truth, each, who) for name, each in scores.items()},
        "params": {name: each.params for name, each in fitted.items()},
        "baseline": {
            "rate": float(prior[0]),
            "log_loss": figures["baseline_log_loss"],
            "brier": figures["baseline_brier"],
        },
        "best_feature": best,
        "curve": [asdict(each) for each in calibration_curve(truth, scores[chosen])],
        "scores": _histogram(scores[chosen]),
        "importance": _importance(scorers[chosen], late, truth),
        "folds": {
            "by": folds.by,
            "purged": folds.purged,
            "cut": _day(folds.cut),
            **{
                name: _fold(rows, label, entity, as_of)
                for name, rows in (("train", folds.train), ("calibrate", folds.calibrate), ("validate", folds.validate))
            },
        },
    }
    return Comparison(fitted, chosen, report)


def _choose(
    scores: Mapping[str, NDArray[np.float64]], truth: NDArray[np.bool_], who: NDArray[np.int64]
) -> tuple[str, str]:
    if len(scores) == 1:
        (only,) = scores
        return only, f"{only}: the declaration asks for it"
    gain, error = paired_difference(log_losses(truth, scores["logistic"]), log_losses(truth, scores["boosted"]), who)
    figures = f"log loss {gain:+.5f} in favour of boosted, standard error {error:.5f}"
    if gain > error:
        return "boosted", f"boosted: better by more than one standard error ({figures})"
    return "logistic", f"logistic: the simpler one within one standard error ({figures})"


def _figures(truth: NDArray[np.bool_], score: NDArray[np.float64], who: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "auc": auc(truth, score),
        "brier": brier(truth, score),
        "log_loss": log_loss(truth, score),
        "ece": expected_calibration_error(truth, score),
        "ece_noise": calibration_noise(score),
        "citl": calibration_in_the_large(truth, score),
        "lift_10": lift(truth, score, share=0.1),
        "base_rate": float(truth.mean()),
        "mean_score": float(score.mean()),
        "validation_rows": int(truth.size),
        "validation_cases": int(truth.sum()),
        "validation_entities": int(np.unique(who).size),
    }


def _best_feature(
    inputs: Sequence[Input], columns: Mapping[str, NDArray[Any]], label: NDArray[np.bool_], folds: Folds
) -> tuple[dict[str, Any], NDArray[np.float64] | None]:
    """The one number that ranks best on the training rows, as a model of its own on the validation rows; its scores."""
    look = folds.train[np.linspace(0, folds.train.size - 1, min(folds.train.size, _LOOKED_AT)).astype(np.intp)]
    alone: dict[str, float] = {}
    for each in inputs:
        if each.kind == "number":
            values = columns[each.name][look]
            filled = np.where(np.isnan(values), -np.inf, values)
            found = auc(label[look], filled)
            alone[each.name] = 0.5 if found is None else found
    if not alone:
        return {"feature": None, "auc": None, "log_loss": None, "suspect": []}, None
    name = max(alone, key=lambda each: (abs(alone[each] - 0.5), each))
    single = fit_logistic(
        tuple(i for i in inputs if i.name == name), columns, label, folds.train, folds.calibrate, method="sigmoid"
    )
    score = Scorer(single.document).score({name: columns[name][folds.validate]})
    truth = label[folds.validate]
    suspect = sorted(each for each, value in alone.items() if max(value, 1 - value) >= SUSPECT_AUC)
    best = {"feature": name, "auc": auc(truth, score), "log_loss": log_loss(truth, score), "suspect": suspect}
    return best, score


def _importance(scorer: Scorer, columns: Mapping[str, NDArray[Any]], truth: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Loss that shuffling each input adds on validation rows (Breiman, "Random forests", Machine Learning 45, 2001)."""
    rows = np.linspace(0, truth.size - 1, min(truth.size, 3000)).astype(np.intp)
    seen = {name: np.asarray(columns[name])[rows] for name in scorer.names}
    base, order = log_loss(truth[rows], scorer.score(seen)), np.random.default_rng(0).permutation(rows.size)
    added = []
    for name in scorer.names:
        shuffled = {**seen, name: seen[name][order]}
        added.append({"feature": name, "added_loss": log_loss(truth[rows], scorer.score(shuffled)) - base})
    return sorted(added, key=lambda each: (-each["added_loss"], each["feature"]))


def _histogram(score: NDArray[np.float64]) -> dict[str, Any]:
    counts, edges = np.histogram(score, bins=20, range=(0.0, 1.0))
    shares = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
    return {
        "edges": edges.tolist(),
        "rows": counts.tolist(),
        "quantiles": {
            str(share): float(value) for share, value in zip(shares, np.quantile(score, shares), strict=True)
        },
    }


def _fold(
    rows: NDArray[np.intp], label: NDArray[np.bool_], entity: NDArray[np.int64], as_of: NDArray[np.int64]
) -> dict[str, Any]:
    return {
        "rows": int(rows.size),
        "entities": int(np.unique(entity[rows]).size),
        "cases": int(label[rows].sum()),
        "from": _day(int(as_of[rows].min())),
        "to": _day(int(as_of[rows].max())),
    }


def _day(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).isoformat()
