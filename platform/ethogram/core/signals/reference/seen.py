"""What a primitive's definition is given: the events of its stream that are visible, in order of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ethogram.core.events import Event
from ethogram.core.signals.condition import Condition
from ethogram.core.signals.numbers import fixed
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.window import Window


@dataclass(frozen=True, slots=True)
class Seen:
    """The visible events of one entity and stream, by occurred_at, then available_at, then event_id."""

    at: datetime
    events: Sequence[Event]

    def inside(self, window: Window | None) -> list[Event]:
        """Those in the window; all without one."""
        start = None if window is None else window.start(self.at)
        return [e for e in self.events if start is None or e.occurred_at >= start]


Definition = Callable[[FeaturePlan, Seen], Any]


def counted(events: Sequence[Event], behaviors: Sequence[str], where: Condition | None) -> list[Event]:
    """Events of `behaviors` for which `where` is true: neither false nor null."""
    found = [e for e in events if e.behavior in behaviors]
    return found if where is None else list(filter(where.test(), found))


def in_order(event: Event) -> tuple[datetime, datetime, str]:
    """Order of time: ties go to the latest known, then to the greatest id."""
    return event.occurred_at, event.available_at, event.event_id


def read(event: Event, name: str | None) -> Any:
    """A property of an event, or what every event has; None where it has none."""
    match name:
        case None:
            return None
        case "behavior" | "channel" | "occurred_at":
            return getattr(event, name)
    return event.properties.get(name)


def present(feature: FeaturePlan, events: Sequence[Event]) -> list[Any]:
    """Values of the feature's property, in order of time, without nulls."""
    return [value for e in events if (value := read(e, feature.property)) is not None]


def leaving(value: Any) -> Any:
    """A property's value as a feature's: six digits, and no negative zero."""
    if isinstance(value, Decimal):
        return fixed(value)
    return value + 0.0 if isinstance(value, float) else value


def units(feature: FeaturePlan, value: Any) -> int:
    """A number as whole units of its scale: what sums are made of."""
    return int(Decimal(value).scaleb(feature.scale))
