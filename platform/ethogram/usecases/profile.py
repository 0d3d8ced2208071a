"""Profile a signal: what its values looked like at some past instants, for the pages that show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from ethogram.core import time
from ethogram.core.signals.plan import SignalPlan
from ethogram.ports import Engine, Lake, Profiles
from ethogram.usecases.training_set import INSTANT, profile_of

SAMPLE = 5_000
POINTS = 12
APART = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Profiled:
    """What `profile_signal` did."""

    signal: str
    instants: int
    entities: int
    of: int

    def __str__(self) -> str:
        if not self.instants:
            return f"{self.signal}: no events yet, so nothing to profile"
        sample = f"a sample of {self.entities:,} of {self.of:,}" if self.entities < self.of else f"all {self.of:,}"
        return f"{self.signal}: {self.instants} weekly profiles, the last one over {sample} entities"


def profile_signal(
    plan: SignalPlan,
    *,
    until: datetime,
    engine: Engine,
    lake: Lake,
    profiles: Profiles,
    progress: Callable[[int], None] = lambda _: None,
) -> Profiled:
    """Profile each feature at twelve weekly instants up to `until`, over a sample of at most 5,000 entities.

    The sample is spread evenly over the entities seen by the instant, in the order of their ids: the same whenever it
    is taken. Each profile says how large it was (`count`) and how many there were (`of`).
    """
    events = {behavior: lake.files(f"events/{behavior}") for behavior in plan.behaviors}
    seen = engine.seen(plan.entity, events.values())
    entities, since = seen["entity"].to_numpy(), seen["since"].cast(pa.int64()).to_numpy()
    found: dict[tuple[str, datetime], Mapping[str, Any]] = {}
    observations, instants = [], []
    there = entities[:0]
    for k in reversed(range(POINTS)):
        instant = until - k * APART
        there = entities[since <= time.micros(instant)]
        if len(there):
            chosen = there[np.linspace(0, len(there) - 1, min(SAMPLE, len(there))).astype(np.int64)]
            instants.append((instant, len(chosen), len(there)))
            observations.append(
                pa.table(
                    {"entity": chosen, "as_of": pa.array(np.full(len(chosen), time.micros(instant))).cast(INSTANT)}
                )
            )
    if instants:
        values = engine.features(plan, pa.concat_tables(observations), events)
        start = 0
        for instant, rows, total in instants:
            for feature in plan.features:
                column = values[feature.name].slice(start, rows)
                found[feature.name, instant] = profile_of(column) | {"of": total}
            start += rows
            progress(1)
    profiles.write(plan.ref, found)
    return Profiled(plan.ref, len(instants), instants[-1][1] if instants else 0, len(there))
