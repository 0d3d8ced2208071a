"""Whose events are whose, by what was known of identities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ethogram.core.events import Event
from ethogram.core.signals.identity import Identity
from ethogram.core.signals.reference.seen import in_order


def stitched(visible: Sequence[Event], identity: Identity | None, entity: str) -> list[Event]:
    """The events that can be seen, each that names no `entity` attributed to the one that the links seen tell."""
    if identity is None:
        return list(visible)
    links = [e for e in visible if e.behavior in identity.told_by and _names(e, entity) and _names(e, identity.entity)]
    found = []
    for event in visible:
        theirs = [e for e in links if e.entities[identity.entity] == event.entities.get(identity.entity)]
        if not _names(event, entity) and theirs:
            event = replace(event, entities={**event.entities, entity: _in_force(theirs, event).entities[entity]})
        found.append(event)
    return found


def _names(event: Event, entity: str) -> bool:
    return event.entities.get(entity) is not None


def _in_force(links: Sequence[Event], event: Event) -> Event:
    """The last link up to the event; before them all the first, and of those of one instant the latest known."""
    before = [link for link in links if link.occurred_at <= event.occurred_at]
    first = min(link.occurred_at for link in links)
    return max(before or [link for link in links if link.occurred_at == first], key=in_order)
