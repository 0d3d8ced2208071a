"""What every label is, in plain Python: the definition that each engine must equal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ethogram.core import time
from ethogram.core.events import Event
from ethogram.core.outcomes.plan import OutcomePlan
from ethogram.core.signals.reference import counted, standing


def label(plan: OutcomePlan, events: Sequence[Event], entity_id: int | None, as_of: datetime) -> bool:
    """Whether the outcome holds: its events occur in [as_of, as_of + horizon), known when the label is ripe."""
    as_of = time.utc(as_of)
    until, known = as_of + plan.horizon, plan.ripe_at(as_of)
    visible = standing([e for e in events if e.occurred_at < until and e.available_at <= known])
    within = [e for e in visible if as_of <= e.occurred_at]
    mine = [e for e in within if entity_id is not None and e.entities.get(plan.entity) == entity_id]
    return bool(counted(mine, plan.behaviors, plan.where)) is not plan.negate
