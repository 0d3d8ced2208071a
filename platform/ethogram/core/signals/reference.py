"""What every feature's value is, in plain Python: slow, obvious, and the definition that each engine must equal.

A value is a function of the events with `occurred_at < at` and `available_at <= known`, and of nothing else. Nothing
here is clever on purpose: it looks at every event for every value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ethogram.core import time
from ethogram.core.events import Event
from ethogram.core.signals.condition import Condition
from ethogram.core.signals.numbers import LARGEST, SMALLEST, Overflow, fixed, mean
from ethogram.core.signals.plan import FeaturePlan, SignalPlan
from ethogram.errors import EthogramError


class NotAsserted(EthogramError):
    """An event that corrects or retracts another: signals do not follow those, so they refuse rather than miscount."""

    code = "correction-unsupported"

    def __init__(self, behavior: str, op: str, event_id: str) -> None:
        self.behavior, self.op, self.event_id = behavior, op, event_id
        super().__init__(
            f"event {event_id} of {behavior} has op {op!r}, and signals count asserted events only; "
            "leave the behavior out of the signal, or ingest its rows as they should have been"
        )


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
    visible = [e for e in events if e.occurred_at < at and e.available_at <= known]
    mine = [e for e in visible if entity_id is not None and e.entities.get(plan.entity) == entity_id]
    return Row(at, known, {feature.name: _value(feature, mine, at) for feature in plan.features})


def asserted(events: Sequence[Event], behaviors: Sequence[str], where: Condition | None) -> list[Event]:
    """Events of `behaviors` for which `where` is true: neither false nor null."""
    found = [e for e in events if e.behavior in behaviors]
    for event in found:
        if event.op != "assert":
            raise NotAsserted(event.behavior, event.op, event.event_id)
    return found if where is None else list(filter(where.test(), found))


def _value(feature: FeaturePlan, events: Sequence[Event], at: datetime) -> Any:
    counted = asserted(events, feature.behaviors, feature.where)
    if feature.window is not None:
        start = feature.window.start(at)
        counted = [e for e in counted if e.occurred_at >= start]
    if feature.aggregate == "count":
        return len(counted)
    if feature.aggregate == "recency":
        if not counted:
            return None
        age = at - max(e.occurred_at for e in counted)
        return float(age // time.MICROSECOND) / float(feature.unit_s * 1_000_000)
    assert feature.property is not None
    if feature.aggregate == "last":
        newest = max(counted, key=lambda e: (e.occurred_at, e.available_at, e.event_id), default=None)
        return None if newest is None else _leaving(newest.properties.get(feature.property))
    values = [v for e in counted if (v := e.properties.get(feature.property)) is not None]
    if feature.aggregate == "sum":
        return _sum(feature, values)
    if not values:
        return None
    if feature.aggregate == "mean":
        return mean(sum(int(Decimal(v).scaleb(feature.scale)) for v in values), len(values), feature.scale)
    return _leaving(min(values) if feature.aggregate == "min" else max(values))


def _sum(feature: FeaturePlan, values: Sequence[Any]) -> Any:
    if feature.type == "decimal":
        return fixed(Decimal(sum(int(v.scaleb(feature.scale)) for v in values)).scaleb(-feature.scale))
    total = sum(values)
    if not SMALLEST <= total <= LARGEST:
        raise Overflow(feature.name)
    return total


def _leaving(value: Any) -> Any:
    """A property's value as a feature's: six digits, and no negative zero."""
    if isinstance(value, Decimal):
        return fixed(value)
    return value + 0.0 if isinstance(value, float) else value
