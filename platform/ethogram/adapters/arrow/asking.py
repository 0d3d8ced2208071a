"""What every engine does before and after it reads events: observations and instants in, kernels' events out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.adapters.arrow.values import INSTANT, column
from ethogram.core.signals.kernel import Events
from ethogram.core.signals.kernel.asked import window_start
from ethogram.core.signals.kernel.columns import Ints
from ethogram.core.signals.plan import FeaturePlan, SignalPlan
from ethogram.core.time import MICROSECOND
from ethogram.errors import AskedWrongly

# The column that tells whether an event meets the stream's condition, where that is asked of it later.
COUNTS = "@counts"
NOBODY = -1  # stands for an unknown entity; surrogates are positive


def moments(plan: SignalPlan, as_of: Ints) -> tuple[Ints, Ints]:
    """`plan.moment` of every instant, in microseconds."""
    if plan.freshness == "live":
        return as_of, as_of
    delay = plan.delay // MICROSECOND
    step = plan.step // MICROSECOND
    at = (as_of - delay) // step * step
    return at, at + delay


def observed(observations: pa.Table) -> tuple[pa.Array, Ints]:
    """Entities, and instants in whole microseconds."""
    as_of = observations["as_of"]
    if not pa.types.is_timestamp(as_of.type) or as_of.type.tz is None:
        raise AskedWrongly(f"as_of is {as_of.type}; it must be instants with a time zone")
    if as_of.null_count:
        raise AskedWrongly(f"as_of is missing in {as_of.null_count} of {len(as_of)} observations")
    entities = observations["entity"].combine_chunks().cast(pa.int64())
    if as_of.type.unit == "ns":
        # A finer instant is asked for too early rather than too late: what it could not know stays hidden.
        as_of = pc.floor_temporal(as_of, unit="microsecond")
    return entities, as_of.cast(INSTANT, safe=False).cast(pa.int64()).to_numpy()


def since_of(features: Sequence[FeaturePlan], at: int) -> int | None:
    """First microsecond that an observation from `at` on can look at; None if there is no first."""
    starts = [
        int(window_start(reach, np.array([at]))[0]) for feature in features if (reach := feature.reach) is not None
    ]
    beside = features[0].stream.reconciled.within // MICROSECOND if features[0].stream.reconciled else 0
    return min(starts) - beside if len(starts) == len(features) else None


def events_of(rows: pa.Table, columns: Iterable[str]) -> Events:
    """What a kernel reads of an engine's rows: `entity`, `occurred`, `available`, `until` if any stops, and columns."""
    entity, occurred, available = (column(rows[name]).data for name in ("entity", "occurred", "available"))
    until = column(rows["until"]).data if "until" in rows.column_names else None
    properties = [*columns, *(name for name in (COUNTS,) if name in rows.column_names)]
    return Events(entity, occurred, available, until, {name: column(rows[name]) for name in properties})


def counting(events: Events) -> Events:
    """Those that the stream's condition holds for, where that had to wait."""
    counts = events.columns.get(COUNTS)
    return events if counts is None else events.take(np.flatnonzero(counts.data))


def instants(micros: Ints) -> pa.Array:
    """Microseconds as instants."""
    return pa.array(micros, pa.int64()).cast(INSTANT)
