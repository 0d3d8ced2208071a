"""Sessions in plain Python: which events make one, and what it is to features."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ethogram.core import time
from ethogram.core.events import Event
from ethogram.core.signals.condition import Condition
from ethogram.core.signals.sessions import Measure, SessionPlan, measured


@dataclass(frozen=True, slots=True)
class Session(Event):
    """A session as the event that it is to features; `inside` are the events that it is made of."""

    inside: tuple[Event, ...] = ()


def sessions_of(plan: SessionPlan, events: Sequence[Event]) -> list[list[Event]]:
    """The visible events of one entity, in order, as sessions in order."""
    found: list[list[Event]] = []
    campaign: Any = None  # the one last named since the last pause
    for event in events:
        if plan.late is not None and event.available_at - event.occurred_at > plan.late:
            continue
        paused = not found or event.occurred_at - found[-1][-1].occurred_at >= plan.gap
        named = event.properties.get(plan.campaign) if plan.campaign else None
        if paused:
            campaign = None
        if paused or _cut(plan, found[-1], event.occurred_at) or (named is not None and named != campaign):
            found.append([event])
        else:
            found[-1].append(event)
        campaign = campaign if named is None else named
    return found


def _cut(plan: SessionPlan, session: Sequence[Event], instant: datetime) -> bool:
    """Whether something at `instant` starts a new session, however soon it comes and whatever it is."""
    if plan.max_length is not None and instant - session[0].occurred_at >= plan.max_length:
        return True
    zone = plan.zone
    return zone is not None and instant.astimezone(zone).date() != session[-1].occurred_at.astimezone(zone).date()


def as_events(
    plan: SessionPlan, events: Sequence[Event], at: datetime, where: Condition | None, names: Collection[str]
) -> list[Event]:
    """Sessions of one entity's visible events as events with the properties `names`, those for which `where` holds."""
    made: list[Event] = []
    found = sessions_of(plan, events)
    for number, inside in enumerate(found):
        start = inside[0]
        before = found[number - 1] if number else None
        last = number == len(found) - 1
        properties = {}
        for name in {*names, *(where.expression.names if where else ())}:
            measure = measured(name, plan)
            assert measure is not None, name
            properties[name] = _value(plan, measure, inside, before, at if last else None)
        head = (start.event_id, plan.name, start.entities, start.occurred_at, start.available_at)
        made.append(Session(*head, properties, start.channel, inside=tuple(inside)))
    return made if where is None else list(filter(where.test(), made))


def _value(
    plan: SessionPlan, measure: Measure, inside: Sequence[Event], before: Sequence[Event] | None, at: datetime | None
) -> Any:
    first, last = inside[0], inside[-1]
    match measure.kind:
        case "duration":
            return _seconds(first.occurred_at, last.occurred_at)
        case "events":
            return len(inside)
        case "behaviors":
            return len({event.behavior for event in inside})
        case "entry":
            return first.behavior
        case "exit":
            return last.behavior
        case "channel":
            return first.channel
        case "occurred_at":
            return first.occurred_at
        case "ended_at":
            return last.occurred_at
        case "since_previous":
            return None if before is None else _seconds(before[-1].occurred_at, first.occurred_at)
        case "open":
            return at is not None and at - last.occurred_at < plan.gap and not _cut(plan, inside, at)
        case "reached":
            return any(event.behavior == measure.behaviors[0] for event in inside)
    assert measure.kind == "steps"
    return steps_reached(measure.behaviors, inside)


def steps_reached(steps: Sequence[str], events: Sequence[Event]) -> int:
    """How many of `steps` were reached, one after the other, with anything in between."""
    reached = 0
    for event in events:
        if reached < len(steps) and event.behavior == steps[reached]:
            reached += 1
    return reached


def _seconds(start: datetime, end: datetime) -> Decimal:
    return Decimal((end - start) // time.MICROSECOND).scaleb(-6)
