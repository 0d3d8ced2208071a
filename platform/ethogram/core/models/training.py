"""What training takes and what it makes, between the use case and those who keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Where the rows came from.

    Attributes:
        version: Of the training set, "outcome/digest".
        outcome: What the label says.
        signals: References with versions: ("purchase_rhythm@4",).
        schema: Arrow type name by feature.
        rows: Observations.
    """

    version: str
    outcome: str
    signals: tuple[str, ...]
    schema: Mapping[str, str]
    rows: int


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Fitted learners as plain data, with the one that was chosen.

    Attributes:
        model: Its name.
        intent: As declared, for the registry's description.
        declaration: Digest of the declaration.
        recipe: Digest of everything that decides the result; the same recipe is not trained twice.
        chosen: Learner to register.
        documents: The scorer of each learner.
        params: What was set and chosen while fitting each.
        figures: Validation figures of each.
        report: See `modeling.comparison`.
    """

    model: str
    intent: str
    declaration: str
    recipe: str
    chosen: str
    documents: Mapping[str, Mapping[str, Any]]
    params: Mapping[str, Mapping[str, Any]]
    figures: Mapping[str, Mapping[str, Any]]
    report: Mapping[str, Any]
