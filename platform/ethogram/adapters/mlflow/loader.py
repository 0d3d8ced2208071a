"""MLflow's pyfunc loader: a model is its plain-data document, and nothing is unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ethogram.core.models.scorer import Scorer

if TYPE_CHECKING:
    import pandas as pd

DOCUMENT = "model.json"


class ScoringModel:
    """What `mlflow.pyfunc.load_model` hands out; `predict` gives calibrated probabilities."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> NDArray[np.float64]:  # noqa: ARG002 - MLflow's signature
        columns: dict[str, NDArray[Any]] = {}
        for each in self.scorer.inputs:
            values = model_input[each.name]
            if each.kind == "number":
                columns[each.name] = values.to_numpy(dtype=np.float64, na_value=np.nan)
            else:
                columns[each.name] = values.astype(object).where(values.notna(), None).to_numpy()
        return self.scorer.score(columns)


def _load_pyfunc(data_path: str) -> ScoringModel:
    place = Path(data_path)
    return ScoringModel(Scorer.read((place / DOCUMENT if place.is_dir() else place).read_text(encoding="utf-8")))
