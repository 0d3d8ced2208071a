"""Train a declared model on a training set: two learners, honest folds, one registered version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version as installed
from typing import Any

import numpy as np
import pyarrow as pa

from ethogram import __version__
from ethogram.core.models.declaration import ModelDeclaration
from ethogram.core.models.digest import digest
from ethogram.core.models.gate import FIGURES, GateResult
from ethogram.core.models.promotion import ModelVersion
from ethogram.core.models.training import TrainedModel, TrainingData
from ethogram.errors import AskedWrongly
from ethogram.modeling.columns import feature_names, nested_names, plain_columns
from ethogram.ports import Models, Tracking

# What training may say of itself, in order: for progress bars.
STEPS = ("read", "fit and validate", "log", "gates")


@dataclass(frozen=True, slots=True)
class Training:
    """What `train` did.

    Attributes:
        version: The registered version.
        gates: What its gates say.
        new: False when the same recipe had been trained before and nothing was fitted.
    """

    version: ModelVersion
    gates: Sequence[GateResult]
    new: bool

    def __str__(self) -> str:
        v, figures = self.version, self.version.report["figures"]
        passed = sum(result.passed for result in self.gates)
        head = f"{v.model} {v.version} ({v.learner})" + ("" if self.new else ", trained before on the same recipe")
        loss, baseline = figures["log_loss"], figures["baseline_log_loss"]
        unread = self.version.report.get("unread", [])
        also = f" · not read: {', '.join(unread)} (lists and maps)" if unread else ""
        return (
            f"{head}: AUC {figures['auc']:.3f} · log loss {loss:.4f} (baseline {baseline:.4f})"
            f" · ECE {figures['ece']:.3f} · {passed} of {len(self.gates)} gates pass{also}"
        )


class WrongTrainingSet(AskedWrongly):
    """A training set that is not what the declaration asks for."""

    code = "wrong-training-set"


def train(
    model: ModelDeclaration,
    table: pa.Table,
    *,
    training_set: str,
    signals: Sequence[str],
    open_for: timedelta,
    audit: Mapping[str, Any],
    principal: str,
    models: Models,
    tracking: Tracking,
    progress: Callable[[str], None] = lambda _: None,
) -> Training:
    """Fit, calibrate, validate, log and register; the same training set, declaration and code give the same version.

    Args:
        model: The declaration.
        table: One row an observation: `entity`, `as_of`, `label`, then features; sorted or not.
        training_set: Its version, "lapsed_90d/9f2c41".
        signals: References with versions that it was made from.
        open_for: Horizon and maturing of the outcome together.
        audit: The training set's own report; `future_features` is what its audit found to look ahead.
        principal: Who trains, and so may not approve.

    Raises:
        WrongTrainingSet: If the table lacks a column or was made for another outcome.
        TooShort: If no honest validation can be cut from it.
    """
    outcome = training_set.split("/", 1)[0]
    if outcome != model.outcome:
        raise WrongTrainingSet(f"model {model.name} predicts {model.outcome}, and {training_set} is of {outcome}")
    lacking = [name for name in ("entity", "as_of", "label") if name not in table.column_names]
    if lacking:
        raise WrongTrainingSet(
            f"training set {training_set} has no column {', '.join(lacking)}; make it with `ethogram training-set`"
        )
    recipe = digest(
        {
            "training_set": training_set,
            "signals": list(signals),
            "declaration": model.digest,
            "open_for_s": open_for.total_seconds(),
            "figures": sorted(FIGURES),  # a gate over a figure that is new asks for a new version
            "code": {"ethogram": __version__, **{name: installed(name) for name in ("numpy", "scikit-learn")}},
        }
    )
    known = models.trained(model.name, recipe=recipe)
    if known is not None:
        return Training(known, models.gates(model.name, known.version), new=False)

    from ethogram.modeling.comparison import compare

    progress(STEPS[0])
    names = feature_names(table)
    labelled = table.filter(table.column("label").is_valid())
    ordered = labelled.sort_by([("as_of", "ascending"), ("entity", "ascending")])
    columns = plain_columns(ordered, names)
    progress(STEPS[1])
    comparison = compare(
        columns,
        names,
        label=np.asarray(ordered.column("label").to_numpy(), dtype=np.bool_),
        entity=np.asarray(ordered.column("entity").to_numpy(), dtype=np.int64),
        as_of=np.asarray(
            ordered.column("as_of").cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy(), dtype=np.int64
        ),
        open_for=int(open_for / timedelta(microseconds=1)),
        learner=model.learner,
        calibrate=model.calibrate,
    )
    report = {
        **comparison.report,
        "training_set": training_set,
        "outcome": outcome,
        "signals": list(signals),
        "figures": {**comparison.report["figures"], **_audited(audit)},
    }
    if unread := nested_names(table):
        report["unread"] = unread
    trained = TrainedModel(
        model=model.name,
        intent=model.intent,
        declaration=model.digest,
        recipe=recipe,
        chosen=comparison.chosen,
        documents={name: each.document for name, each in comparison.fitted.items()},
        params={name: each.params for name, each in comparison.fitted.items()},
        figures=comparison.report["learners"],
        report=report,
    )
    data = TrainingData(
        training_set,
        outcome,
        tuple(signals),
        {name: str(table.schema.field(name).type) for name in names},
        table.num_rows,
    )
    progress(STEPS[2])
    made = models.record(tracking.log(trained, data, principal=principal))
    progress(STEPS[3])
    return Training(made, models.gates(model.name, made.version), new=True)


def _audited(audit: Mapping[str, Any]) -> dict[str, int]:
    """Figures that the training set brings along; absent ones leave their gates unknown."""
    found = {}
    for name in ("future_features",):
        value = audit.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            found[name] = value
        elif isinstance(value, list | tuple):
            found[name] = len(value)
    return found
