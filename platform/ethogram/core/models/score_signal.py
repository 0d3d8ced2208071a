"""A published score as others see it: a view with the features `score` and `band`, read as of an instant."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ethogram.core.models.declaration import ModelDeclaration
from ethogram.core.models.score_contract import ScoreContract
from ethogram.core.signals.view import View

FEATURES = (("score", "double"), ("band", "string"))


def score_table(model: str) -> str:
    """The lake's table of a model's scores: one row per entity, instant and scoring run.

    Columns: `entity` (int64 surrogate), `as_of` (both when it holds and from when it could be known), `score`, `band`,
    `version` (of the model), `run`.
    """
    return f"scores/{model}"


def score_view(model: ModelDeclaration, contract: ScoreContract, *, join_key: str) -> View:
    """The score as a view that lookups, agreements and Feast treat like any signal's."""
    return View(
        name=f"{contract.name}_v{contract.major}",
        ref=f"{contract.name}@{contract.major}",
        asset=contract.name,
        entity=contract.entity,
        join_key=join_key,
        features=FEATURES,
        owner=model.owner,
        brief=contract.brief,
        kind="score",
    )


def latest(
    entity: NDArray[np.int64],
    as_of: NDArray[np.int64],
    *,
    asked_entity: NDArray[np.int64],
    asked_as_of: NDArray[np.int64],
    valid_for: timedelta,
) -> NDArray[np.intp]:
    """For each asked (entity, as_of) the row with the newest score at or before it, -1 where none is valid.

    A score counts from its own `as_of` on, and stays valid for `valid_for`, that age included. Of several rows of one
    instant (scored again by a later run) the last in row order counts. Instants are microseconds UTC.

    >>> rows = latest(np.array([7, 7]), np.array([100, 200]), asked_entity=np.array([7, 7, 7, 8]),
    ...               asked_as_of=np.array([99, 150, 10**9, 150]), valid_for=timedelta(microseconds=500))
    >>> rows.tolist()
    [-1, 0, -1, -1]
    """
    order = np.lexsort((np.arange(entity.size), as_of, entity))
    both_entity = np.concatenate([entity[order], asked_entity])
    both_as_of = np.concatenate([as_of[order], asked_as_of])
    # Scores before questions of the same instant, so that a score answers at its own instant.
    question = np.concatenate([np.zeros(entity.size, dtype=np.int8), np.ones(asked_entity.size, dtype=np.int8)])
    merged = np.lexsort((question, both_as_of, both_entity))
    is_score = question[merged] == 0
    newest = np.maximum.accumulate(np.where(is_score, np.arange(merged.size), -1))
    found = np.full(asked_entity.size, -1, dtype=np.intp)
    asked = merged[~is_score] - entity.size
    place = newest[~is_score]
    row = np.where(place >= 0, merged[np.maximum(place, 0)], -1)
    ok = row >= 0
    row_of = order[np.maximum(row, 0)] if order.size else np.full(row.size, -1)
    if order.size:
        age = asked_as_of[asked] - as_of[row_of]
        ok &= (entity[row_of] == asked_entity[asked]) & (age <= valid_for / timedelta(microseconds=1))
    found[asked] = np.where(ok, row_of, -1)
    return found
