"""Who an outcome is about at an instant, and what signals say of them: the population that a model scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ethogram.core import time
from ethogram.core.observations import population
from ethogram.core.outcomes.plan import OutcomePlan
from ethogram.core.signals.plan import SignalPlan
from ethogram.core.training_sets import feature_columns
from ethogram.ports import Engine, Lake, TableFiles

INSTANT = pa.timestamp("us", tz="UTC")


def among(
    outcome: OutcomePlan,
    parts: Sequence[tuple[SignalPlan, Mapping[str, Any]]],
    rows: pa.Table,
    *,
    engine: Engine,
    events: Mapping[str, TableFiles],
) -> pa.Table:
    """The observations that the outcome's `among` keeps; `parts` are what `core.observations.population` gave."""
    if outcome.among is None or not len(rows):
        return rows
    found: dict[str, pa.ChunkedArray] = {}
    types: dict[str, Any] = {}
    for plan, named in parts:
        values = engine.features(plan, rows, events)
        found.update({name: values[name.partition(".")[2]] for name in named})
        types.update(named)
    return rows.filter(engine.holds(outcome.among, types, pa.table(found)))


def members(
    outcome: OutcomePlan,
    signals: Sequence[SignalPlan],
    *,
    known_signals: Mapping[str, SignalPlan],
    as_of: datetime,
    allows: Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], npt.NDArray[np.bool_]],
    engine: Engine,
    lake: Lake,
) -> pa.Table:
    """`entity`, `as_of` and the features of `signals`, named as in a training set, for everyone `among` keeps.

    Who is not allowed for the purpose is not in it, and nothing about them is computed.
    """
    parts = population(outcome, known_signals)
    plans = [*signals, *(plan for plan, _ in parts)]
    behaviors = sorted({*outcome.behaviors, *(behavior for plan in plans for behavior in plan.behaviors)})
    events = {behavior: lake.files(f"events/{behavior}") for behavior in behaviors}
    seen = engine.seen(outcome.entity, events.values())
    at = time.micros(as_of)
    entities = seen["entity"].to_numpy()
    there = seen["since"].cast(pa.int64()).to_numpy() <= at
    kept = entities[there & allows(entities, np.full(len(entities), at))]
    rows = pa.table({"entity": pa.array(kept, pa.int64()), "as_of": pa.array(np.full(len(kept), at)).cast(INSTANT)})
    rows = among(outcome, parts, rows, engine=engine, events=events)
    observed = rows
    for plan in signals:
        values = engine.features(plan, rows, events)
        for owner, feature, column in feature_columns(signals):
            if owner is plan:
                observed = observed.append_column(column, values[feature.name])
    return observed
