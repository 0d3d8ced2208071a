"""Which events count where several channels report the same happening."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.core.events import Event
from ethogram.core.signals.reconciled import Reconciliation
from ethogram.core.signals.reference.seen import read


def reconciled(events: Sequence[Event], rule: Reconciliation) -> list[Event]:
    """Those of one entity's events that no event of a higher channel stands beside."""
    return [event for event in events if not any(_hides(other, event, rule) for other in events)]


def _hides(other: Event, event: Event, rule: Reconciliation) -> bool:
    mine, theirs = read(event, rule.by), read(other, rule.by)
    if mine not in rule.priority or theirs not in rule.priority:
        return False
    values = [(read(event, name), read(other, name)) for name, _, _ in rule.match]
    return (
        rule.priority.index(theirs) < rule.priority.index(mine)
        and abs(other.occurred_at - event.occurred_at) <= rule.within
        and all(one is not None and one == another for one, another in values)
    )
