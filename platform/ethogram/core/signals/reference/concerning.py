"""Which records an entity's values can depend on: what is looked at to compute them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from ethogram.core.events import Event
from ethogram.core.signals.identity import Identity


def concerning(
    events: Sequence[Event], entity: str, identities: Collection[Identity] = ()
) -> Mapping[int, list[Event]]:
    """For each entity all records about events that any record says are its, or that may be attributed to it.

    Nobody has an entry who is in no record; asking for them gives an empty list.
    """
    taken_for: dict[tuple[str, int], set[int]] = defaultdict(set)
    for event in events:
        if (whose := event.entities.get(entity)) is not None:
            for identity in identities:
                if (who := event.entities.get(identity.entity)) is not None:
                    taken_for[identity.entity, who].add(whose)
    said_of: dict[tuple[str, str], set[int]] = defaultdict(set)
    for event in events:
        found = said_of[event.behavior, event.about]
        if (whose := event.entities.get(entity)) is not None:
            found.add(whose)
        for identity in identities:
            if (who := event.entities.get(identity.entity)) is not None:
                found |= taken_for.get((identity.entity, who), set())
    concerned: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        for whose in said_of[event.behavior, event.about]:
            concerned[whose].append(event)
    return concerned
