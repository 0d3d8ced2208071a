"""The compiled scorer: a fitted model as plain data, evaluated with numpy alone.

A model is stored as one JSON document (coefficients or tree arrays, the calibration map, the inputs), never as a
pickle: reading it cannot run code, and the process that serves scores needs neither scikit-learn nor MLflow. It equals
the scikit-learn object it was taken from to 1e-12.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import EthogramError

FORMAT = 1
KINDS = ("number", "level")
_CELLS = 1 << 20  # rows times trees walked at once: bounds memory at about 50 MB
Floats = NDArray[np.float64]


class BadModelDocument(EthogramError):
    """A model's document that is not what the trainer writes."""

    code = "bad-model-document"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"the model's document is damaged: {what}\nnext: score with another version, and train this one again"
        )


class MissingInput(EthogramError):
    """A column that the model needs and the caller did not give."""

    code = "missing-input"
    exit_status = 2

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        shown = ", ".join(self.names[:6]) + (" …" if len(self.names) > 6 else "")
        super().__init__(
            f"no column for {shown}; give every feature of the model's signals, null where there is no value"
        )


@dataclass(frozen=True, slots=True)
class Input:
    """One column that the model reads.

    Attributes:
        name: As in the training set: "purchase_rhythm.purchases_30d" or "purchases_30d".
        kind: "number" (also flags as 0 and 1, and ages in days), or "level" for text.
        levels: Texts the model knows, each a 0/1 column of its matrix; others are all zeros.
        typical: Median of the training rows, or None for levels and where there was none.
    """

    name: str
    kind: str
    levels: tuple[str, ...] = ()
    typical: float | None = None

    @property
    def width(self) -> int:
        return 1 if self.kind == "number" else len(self.levels)


def squash(values: Floats) -> Floats:
    """Signed logarithm, sign(x)·ln(1 + |x|): tames the long tails of counts and sums; 0 stays 0, null stays null."""
    return np.sign(values) * np.log1p(np.abs(values))


def matrix(inputs: Sequence[Input], columns: Mapping[str, NDArray[Any]]) -> Floats:
    """Rows of `columns` as the model's matrix: float64, NaN for null, one column for a number and one a level."""
    missing = [each.name for each in inputs if each.name not in columns]
    if missing:
        raise MissingInput(missing)
    rows = len(columns[inputs[0].name]) if inputs else 0
    made = np.empty((rows, sum(each.width for each in inputs)), dtype=np.float64)
    place = 0
    for each in inputs:
        if each.kind == "number":
            made[:, place] = columns[each.name]
        else:
            for shift, level in enumerate(each.levels):
                made[:, place + shift] = columns[each.name] == level
        place += each.width
    return made


class Scorer:
    """A model as plain data.

    >>> logistic = {"kind": "logistic", "fill": [0.0], "indicate": [], "mean": [0.0], "scale": [1.0],
    ...             "coefficient": [1.0], "intercept": -1.0}
    >>> document = {"format": 1, "inputs": [{"name": "visits_7d", "kind": "number"}], "model": logistic,
    ...             "calibration": None, "bounds": [0.0, 1.0]}
    >>> Scorer(document).score({"visits_7d": np.array([0.0, np.e - 1, np.nan])}).round(3).tolist()
    [0.269, 0.5, 0.269]
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        try:
            if document["format"] != FORMAT:
                raise BadModelDocument(f"format {document['format']!r}, this release reads {FORMAT}")
            self.inputs = tuple(
                Input(str(i["name"]), str(i["kind"]), tuple(i.get("levels", ())), i.get("typical"))
                for i in document["inputs"]
            )
            if any(each.kind not in KINDS for each in self.inputs):
                raise BadModelDocument("an input of unknown kind")
            width = sum(each.width for each in self.inputs)
            kind = document["model"]["kind"]
            makers: dict[str, type[_Logistic] | type[_Trees]] = {"logistic": _Logistic, "trees": _Trees}
            if kind not in makers:
                raise BadModelDocument(f"model kind {kind!r}")
            self._model: _Logistic | _Trees = makers[kind](document["model"], width)
            self._calibrate = _calibration(document["calibration"])
            low, high = (float(bound) for bound in document["bounds"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BadModelDocument(f"{type(error).__name__}: {error}") from error
        if not 0 <= low <= high <= 1:
            raise BadModelDocument(f"bounds {low} and {high} are not probabilities in order")
        self._low, self._high = low, high

    @classmethod
    def read(cls, text: str) -> Scorer:
        """From the text of `model.json`."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise BadModelDocument(f"not JSON: {error}") from error
        if not isinstance(document, dict):
            raise BadModelDocument("not an object")
        return cls(document)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that `score` needs."""
        return tuple(each.name for each in self.inputs)

    def margin(self, columns: Mapping[str, NDArray[Any]]) -> Floats:
        """Uncalibrated log-odds, one a row."""
        return self._model.margin(matrix(self.inputs, columns))

    def score(self, columns: Mapping[str, NDArray[Any]]) -> Floats:
        """Calibrated probabilities, one a row; null inputs are NaN (numbers) or None (text)."""
        calibrated: Floats = np.clip(self._calibrate(self.margin(columns)), self._low, self._high)
        return calibrated

    def why(self, columns: Mapping[str, NDArray[Any]], *, row: int = 0, most: int = 5) -> list[tuple[str, float]]:
        """Inputs that move the score of one row most, with the change of probability that each makes.

        The change is against the same row with that one input at its typical value (text: at no known level). Inputs
        that
        carry the same news share it badly: read it as a hint, not as a cause.
        """
        single = {each.name: np.asarray(columns[each.name])[row : row + 1] for each in self.inputs}
        varied = {name: np.repeat(values, len(self.inputs) + 1) for name, values in single.items()}
        for place, each in enumerate(self.inputs):
            typical: Any = None if each.kind == "level" else math.nan if each.typical is None else each.typical
            varied[each.name][place + 1] = typical
        scores = self.score(varied)
        moved = [(each.name, float(scores[0] - scores[place + 1])) for place, each in enumerate(self.inputs)]
        return sorted((each for each in moved if each[1]), key=lambda each: (-abs(each[1]), each[0]))[:most]


class _Logistic:
    """Signed logarithm, nulls filled and flagged, standardised, weighted."""

    def __init__(self, data: Mapping[str, Any], width: int) -> None:
        self.fill = _numbers(data["fill"], width)
        self.indicate = _places(data["indicate"], width)
        wide = width + len(self.indicate)
        self.mean, self.scale = _numbers(data["mean"], wide), _numbers(data["scale"], wide)
        self.coefficient, self.intercept = _numbers(data["coefficient"], wide), float(data["intercept"])

    def margin(self, rows: Floats) -> Floats:
        values = squash(rows)
        absent = np.isnan(values)
        filled = np.where(absent, self.fill, values)
        wide = np.hstack([filled, absent[:, self.indicate].astype(np.float64)])
        weighted: Floats = ((wide - self.mean) / self.scale) @ self.coefficient + self.intercept
        return weighted


class _Trees:
    """Boosted trees as flat arrays; a leaf points at itself, so that every row may take the same number of steps."""

    def __init__(self, data: Mapping[str, Any], width: int) -> None:
        self.baseline, self.steps = float(data["baseline"]), int(data["depth"])
        size = len(data["value"])
        self.roots = _places(data["roots"], size)
        self.feature = _places(data["feature"], max(width, 1))
        self.left, self.right = _places(data["left"], size), _places(data["right"], size)
        self.threshold, self.value = _numbers(data["threshold"], size), _numbers(data["value"], size)
        self.missing_left = np.asarray(data["missing_left"], dtype=bool)
        if not len(self.feature) == len(self.left) == len(self.right) == len(self.missing_left) == size:
            raise BadModelDocument("tree arrays of different lengths")
        if not 0 <= self.steps <= 64:
            raise BadModelDocument(f"depth {self.steps}")

    def margin(self, rows: Floats) -> Floats:
        made = np.empty(len(rows), dtype=np.float64)
        size = max(1, _CELLS // max(1, len(self.roots)))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            node = np.broadcast_to(self.roots, (len(part), len(self.roots)))
            line = np.arange(len(part))[:, None]
            for _ in range(self.steps):
                value = part[line, self.feature[node]]
                goes_left = np.where(np.isnan(value), self.missing_left[node], value <= self.threshold[node])
                node = np.where(goes_left, self.left[node], self.right[node])
            made[start : start + size] = self.value[node].sum(axis=1) + self.baseline
        return made


def _calibration(data: Mapping[str, Any] | None) -> Any:
    if data is None:
        return _sigmoid
    if data["kind"] == "sigmoid":
        a, b = float(data["a"]), float(data["b"])
        return lambda margin: _sigmoid(-(a * margin + b))
    if data["kind"] == "isotonic":
        x = _numbers(data["x"], len(data["x"]))
        y = _numbers(data["y"], len(x))
        if not len(x) or np.any(np.diff(x) < 0) or np.any(np.diff(y) < 0):
            raise BadModelDocument("an isotonic map that falls")
        return lambda margin: np.interp(margin, x, y)
    raise BadModelDocument(f"calibration kind {data['kind']!r}")


def _sigmoid(margin: Floats) -> Floats:
    small = np.exp(-np.abs(margin))
    return np.where(margin >= 0, 1 / (1 + small), small / (1 + small))


def _numbers(values: Sequence[float], size: int) -> Floats:
    made = np.asarray(values, dtype=np.float64)
    if made.shape != (size,) or not np.all(np.isfinite(made)):
        raise BadModelDocument(f"expected {size} finite numbers")
    return made


def _places(values: Sequence[int], size: int) -> NDArray[np.intp]:
    made = np.asarray(values, dtype=np.intp)
    if made.ndim != 1 or (made.size and not 0 <= made.min() <= made.max() < size):
        raise BadModelDocument(f"a place outside 0 to {size - 1}")
    return made
