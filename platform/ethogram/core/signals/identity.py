"""Who an anonymous actor turned out to be: events of a visitor that count for the customer, as far as is known.

An event of the behaviors that tell it, if it names both, is a link: then, the visitor was that customer. An event that
names the visitor alone is attributed by the links of this visitor that can be seen: the last one that occurred at or
before the event is in force, so that on a shared device each has what was done after they signed in; before the first
link, the first one is. Of links of one instant the latest known counts, as with all ties. An event that names a
customer is theirs, whatever links say.

A link counts from when it is known, like any event, so what is learned later changes no earlier observation; corrected
or retracted, it counts until that is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from ethogram.errors import AskedWrongly, did_you_mean

if TYPE_CHECKING:
    from ethogram.core.taxonomy import Taxonomy


class BadIdentity(AskedWrongly):
    """A signal that follows an identity which the taxonomy does not know; planning adds file and line."""

    code = "bad-identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose events count too.

    Attributes:
        entity: Of whom, once it is known whose they are: "visitor".
        told_by: Behaviors whose events tell it, sorted.
    """

    entity: str
    told_by: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Everything that decides who is who, ready for JSON."""
        return {"entity": self.entity, "told_by": list(self.told_by)}


def plan_identity(entity: str | None, of: str, taxonomy: Taxonomy) -> Identity | None:
    """The identity by which events of `entity` count for an entity `of`; None without one."""
    if entity is None or of not in taxonomy.entities:
        return None
    found = taxonomy.entities.get(entity)
    known = [each.name for each in taxonomy.entities.values() if each.identified_as == of]
    if found is None or found.identified_as != of:
        hint = did_you_mean(entity, known, otherwise=f"no entity has identified_as: {of} in entities.yaml")
        raise BadIdentity(f'identity="{entity}" is not identified as {of}; {hint}')
    return Identity(entity, tuple(sorted(found.identified_by)))


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """That `entity` was `known_as`, from an event; ordered by time, then by knowledge, then by id.

    Attributes:
        occurred: When, in microseconds.
        told: When the event became known.
        since, until: The knowledge from which on and until which it can be seen.
    """

    entity: int
    occurred: int
    told: int
    event_id: str
    known_as: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """Events of `entity` that occurred in [valid_from, valid_to) are those of `known_as` for a knowledge in
    [known_from, known_to)."""

    entity: int
    known_as: int
    valid_from: int
    valid_to: int
    known_from: int
    known_to: int


LONG_AGO, FOREVER = -(2**63), 2**63 - 1


def attributions(links: Sequence[Link]) -> list[Attribution]:
    """The map over both times of one entity's links.

    Between two links it is always the same one that is in force, whatever else is known: for each such span the links
    are gone through from the most to the least preferred, each taking the knowledge that those before left over.
    """
    ordered = sorted(links)
    latest = ordered[::-1]
    onwards = sorted(latest, key=lambda link: link.occurred)  # of one instant the latest known first, as in `latest`
    occurred = [link.occurred for link in ordered]
    instants = sorted(set(occurred))
    found: list[Attribution] = []
    for start, end in zip([LONG_AGO, *instants], [*instants, FOREVER], strict=True):
        earlier = bisect_right(occurred, start)
        preferred = chain(
            (ordered[n] for n in range(earlier - 1, -1, -1)), (onwards[n] for n in range(earlier, len(ordered)))
        )
        # Whoever sees an event that occurred at `start` or after it knows more than `start`.
        found += _taken(preferred, Attribution(ordered[0].entity, 0, start, end, start, FOREVER))
    return found


def _taken(preferred: Iterable[Link], span: Attribution) -> list[Attribution]:
    free = [(span.known_from, span.known_to)]
    taken: list[tuple[int, int, int]] = []
    for link in preferred:
        rest: list[tuple[int, int]] = []
        for low, high in free:
            since, until = max(low, link.since), min(high, link.until)
            if since >= until:
                rest.append((low, high))
                continue
            taken.append((since, until, link.known_as))
            rest += [each for each in ((low, since), (until, high)) if each[0] < each[1]]
        free = rest
        if not free:
            break
    merged: list[Attribution] = []
    for since, until, known_as in sorted(taken):
        if merged and merged[-1].known_as == known_as and merged[-1].known_to == since:
            merged[-1] = replace(merged[-1], known_to=until)
        else:
            merged.append(replace(span, known_as=known_as, known_from=since, known_to=until))
    return merged
