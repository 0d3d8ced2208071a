"""Folds in time: learn from the past, calibrate on what came later, judge on what came last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethogram.errors import EthogramError

VALIDATE_SHARE = 0.3
CALIBRATE_SHARE = 0.25
# Fewer true or false rows than this in a fold, and its figures are noise.
LEAST_OF_EACH = 20


class TooShort(EthogramError):
    """A training set from which no honest validation can be cut."""

    code = "training-set-too-short"
    exit_status = 1


@dataclass(frozen=True, slots=True)
class Folds:
    """Rows (positions) of each fold; no row is in two.

    Attributes:
        cut: Start of the validation period, microseconds UTC: no fitted or calibrated row's outcome was open then.
        by: "later period" when calibration rows came after all training rows' outcomes were known, else "other
            entities".
        purged: Rows left out: their outcome was still open at a cut, or they are early ones of held-out entities.
    """

    train: NDArray[np.intp]
    calibrate: NDArray[np.intp]
    validate: NDArray[np.intp]
    cut: int
    by: str
    purged: int


def split(as_of: NDArray[np.int64], entity: NDArray[np.int64], label: NDArray[np.bool_], *, open_for: int) -> Folds:
    """Cut observations into train, calibrate and validate.

    Validation is the latest period, with about 30 % of the usable rows of the rarer label. A row whose outcome was
    still open when validation starts (`as_of + open_for` after the cut) is purged: whoever had trained then could not
    have known it (López de Prado, "Advances in Financial Machine Learning", 2018, chapter 7). Calibration is the
    latest quarter of what remains, purged likewise. Where the horizon is so long that this would leave less than half
    of it, a third of the entities is held out instead, and of those the later half calibrates.

    Args:
        as_of: Microseconds UTC.
        entity: Surrogate ids.
        label: Truth.
        open_for: Horizon and maturing together, microseconds.

    Raises:
        TooShort: If the times span less than horizon and maturing, or a fold lacks true or false rows.

    >>> day = 86_400_000_000
    >>> times = np.repeat(np.arange(100) * day, 10)
    >>> folds = split(times, np.arange(1000) % 50, np.arange(1000) % 3 == 0, open_for=10 * day)
    >>> folds.by, folds.purged, bool(times[folds.train].max() + 10 * day <= times[folds.calibrate].min())
    ('later period', 180, True)
    """
    _require(label, "in all")
    open_for = max(open_for, 1)  # Even what is known at once is known after it was observed.
    times = np.unique(as_of)
    rare = label if 2 * label.sum() <= label.size else ~label
    best = _cut(as_of[rare], times, open_for, VALIDATE_SHARE)
    if best is None:
        best = _cut(as_of, times, open_for, VALIDATE_SHARE)
    if best is None:
        days = (int(times[-1]) - int(times[0])) / 86_400_000_000 if times.size else 0
        raise TooShort(
            f"the observations span {days:.0f} days, and outcomes stay open for {open_for / 86_400_000_000:.0f}: "
            "none of them was known before the last ones were made\n"
            "next: make the training set with an earlier --from or a later --to"
        )
    validate = np.flatnonzero(as_of >= best)
    usable = np.flatnonzero(as_of + open_for <= best)
    late = usable[rare[usable]]
    inner = _cut(as_of[late], np.unique(as_of[usable]), open_for, CALIBRATE_SHARE)
    by = "other entities"
    if inner is not None:
        calibrate = usable[as_of[usable] >= inner]
        train = usable[as_of[usable] + open_for <= inner]
        kept = train.size + calibrate.size
        if 2 * kept >= usable.size and _enough(label[train]) and _enough(label[calibrate]):
            by = "later period"
    if by == "other entities":
        held = _scattered(entity[usable]) % 3 == 0
        train, calibrate = usable[~held], usable[held]
        # Of those held out the later half, where it is enough: levels drift, and the latest is the best guess.
        recent = calibrate[as_of[calibrate] >= np.median(as_of[usable])]
        if _enough(label[recent]):
            calibrate = recent
    purged = as_of.size - validate.size - train.size - calibrate.size
    for name, rows in (("train", train), ("calibrate", calibrate), ("validate", validate)):
        _require(label[rows], name)
    return Folds(train, calibrate, validate, int(best), by, int(purged))


def _cut(as_of: NDArray[np.int64], times: NDArray[np.int64], open_for: int, share: float) -> int | None:
    """The instant from which on rows are nearest to `share` of those usable; None where none is usable before."""
    ordered = np.sort(as_of)
    later = ordered.size - np.searchsorted(ordered, times, side="left")
    earlier = np.searchsorted(ordered, times - open_for, side="right")
    possible = earlier > 0
    if not possible.any():
        return None
    off = np.abs(later / np.maximum(later + earlier, 1) - share)
    return int(times[possible][np.argmin(off[possible])])


def _enough(label: NDArray[np.bool_]) -> bool:
    true = int(label.sum())
    return true >= LEAST_OF_EACH and label.size - true >= LEAST_OF_EACH


def _require(label: NDArray[np.bool_], name: str) -> None:
    if not _enough(label):
        raise TooShort(
            f"{name}: {int(label.sum()):,} of {label.size:,} observations came true; {LEAST_OF_EACH} of each kind are "
            "the least to learn and judge from\n"
            "next: observe more often (--every), over more time (--from, --to), or more entities"
        )


def _scattered(ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A fixed hash of each id (splitmix64), so that an entity falls on the same side in every run."""
    with np.errstate(over="ignore"):
        z = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
