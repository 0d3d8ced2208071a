"""What every feature's value is, in plain Python: slow, obvious, and the definition that each engine must equal.

A value is a function of the events with `occurred_at < at` and `available_at <= known`, and of nothing else. Nothing
here is clever on purpose: it looks at every event for every value. A module a family holds the primitives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ethogram.core import time
from ethogram.core.events import Event
from ethogram.core.expressions import compile
from ethogram.core.signals.declaration import EVERYONE
from ethogram.core.signals.plan import FeaturePlan, SignalPlan
from ethogram.core.signals.reference import (
    basic,
    buckets,
    decay,
    gaps,
    moments,
    ratios,
    rfm,
    seasonal,
    selections,
    sequences,
    streaks,
    touch,
    trend,
)
from ethogram.core.signals.reference.reconciled import reconciled
from ethogram.core.signals.reference.seen import Definition, Seen, counted, in_order
from ethogram.core.signals.reference.sessions import as_events
from ethogram.core.signals.reference.standing import standing
from ethogram.core.signals.reference.stitched import stitched

_FAMILIES = (
    basic,
    decay,
    gaps,
    rfm,
    seasonal,
    sequences,
    streaks,
    touch,
    trend,
    buckets,
    moments,
    ratios,
    selections,
)
REFERENCE: Mapping[str, Definition] = {name: each for family in _FAMILIES for name, each in family.REFERENCE.items()}

__all__ = ["REFERENCE", "Row", "counted", "evaluate", "standing"]


@dataclass(frozen=True, slots=True)
class Row:
    """A signal of one entity: the instant and the knowledge that it is a function of, and its values by feature."""

    at: datetime
    known: datetime
    values: Mapping[str, Any]


def evaluate(plan: SignalPlan, events: Sequence[Event], entity_id: int | None, as_of: datetime) -> Row:
    """The signal of one entity as of an instant, from any events in any order.

    Counts and sums of integers are int, sums and extremes of fixed-point properties Decimal with six digits, means and
    recencies float. An unknown entity (None, or one without events) has counts and sums of 0 and nulls.
    """
    at, known = plan.moment(time.utc(as_of))
    visible = standing([e for e in events if e.occurred_at < at and e.available_at <= known])
    values: dict[str, Any] = {}
    for feature in plan.computed:
        if feature.derivation:
            derived = compile(feature.derivation.expression, feature.derivation.types, to=feature.derivation.to)
            values[feature.name] = derived({each.name: values[each.name] for each in feature.derivation.inputs})
            continue
        attributed = stitched(visible, feature.stream.identity, plan.entity)
        theirs = _whose(feature, plan.entity, attributed, entity_id)
        if feature.stream.reconciled:
            theirs = reconciled(counted(theirs, feature.stream.behaviors, None), feature.stream.reconciled)
        mine = sorted(counted(theirs, feature.stream.behaviors, feature.stream.where), key=in_order)
        if feature.stream.sessions:
            mine = as_events(feature.stream.sessions, mine, at, feature.stream.kept, feature.measures)
        seen = Seen(at, mine)
        values[feature.name] = REFERENCE[feature.aggregate](feature, seen)
    return Row(at, known, {feature.name: values[feature.name] for feature in plan.features})


def _whose(feature: FeaturePlan, entity: str, visible: Sequence[Event], entity_id: int | None) -> list[Event]:
    """Events that the feature is about: the entity's own, those of the unit that it belongs to, or everyone's."""
    if feature.via == EVERYONE:
        return list(visible)
    mine = [e for e in visible if entity_id is not None and e.entities.get(entity) == entity_id]
    if feature.via is None:
        return mine
    naming = [e for e in counted(mine, feature.stream.behaviors, None) if e.entities.get(feature.via) is not None]
    if not naming:
        return []
    unit = max(naming, key=in_order).entities[feature.via]
    return [e for e in visible if e.entities.get(feature.via) == unit]
