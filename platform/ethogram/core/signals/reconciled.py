"""One happening seen on several channels, counted once.

Of events of one entity that the channels report within a tolerance of each other, with the same values of the
properties to match, only those of the highest channel in the list of priorities count: an event counts unless an event
of a higher channel stands beside it. What is seen on one channel twice happened twice. An event on a channel that is
not listed counts as it is and hides nothing, and so does one that lacks a property to match.

Like everything it is decided as of (at, known): until the shop's own report is known, the app's counts, and if the
shop's is retracted, the app's counts again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ethogram.core import time
from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.errors import EthogramError, Problems, did_you_mean

if TYPE_CHECKING:
    from ethogram.core.taxonomy import Behavior, Taxonomy

BY = ("channel", "behavior")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Events of one or more behaviors, each happening once; a signal or a feature takes them as its `of`.

    >>> Reconciled("purchases", of="commerce.purchase", priority=["store", "web"], within="10m", match=["amount"]).by
    'channel'

    Attributes:
        name: In the plural; feature names come from it: `purchases_30d`, `days_since_purchase`.
        of: Behavior id or ids.
        priority: Channels, the one that is believed first; of a happening only the first one's event counts.
        within: How far apart the channels may say that it happened, that much included.
        match: Properties that must be equal.
        by: What tells reports apart: "channel", or "behavior" where each channel has one of its own.
        noun: One of them, where it is not the name without its s.
    """

    name: str
    of: str | list[str]
    priority: list[str]
    within: str
    match: list[str] = field(default_factory=list)
    by: str = "channel"
    noun: str = ""
    brief: str = ""
    owner: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def behaviors(self) -> tuple[str, ...]:
        """Ids, or patterns as "commerce.*"."""
        return (self.of,) if isinstance(self.of, str) else tuple(self.of)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`Reconciled` after its names were resolved.

    Attributes:
        match: Properties that must be equal, each with its type and scale.
    """

    by: str
    priority: tuple[str, ...]
    within: timedelta
    match: tuple[tuple[str, str, int], ...]

    @property
    def reads(self) -> dict[str, tuple[str, int]]:
        """What it needs to know of events, each with its type and scale."""
        return {self.by: ("string", 0)} | {name: (kind, scale) for name, kind, scale in self.match}

    def facts(self) -> dict[str, Any]:
        """Everything that decides which events count, ready for JSON."""
        match = [name for name, _, _ in self.match]
        return {"by": self.by, "priority": list(self.priority), "within": time.spell(self.within), "match": match}


def matched(declared: Reconciled, taxonomy: Taxonomy, entity: str) -> list[Behavior]:
    """The behaviors whose events are reconciled."""
    found = [each for pattern in declared.behaviors for each in taxonomy.match(pattern, entity=entity)]
    return sorted({each.id: each for each in found}.values(), key=lambda each: each.id)


def plan_reconciled(declared: Reconciled, behaviors: Sequence[Behavior], taxonomy: Taxonomy) -> Reconciliation:
    """Resolve `declared`; raises `Problems` with every problem and its line."""
    problems: list[str] = []

    def problem(message: str) -> None:
        problems.append(f"{declared.origin}: {message}")

    within = timedelta(0)
    try:
        within = time.duration(declared.within, what="within")
    except EthogramError as error:
        problem(str(error))
    if declared.by not in BY:
        problem(f'by="{declared.by}" is none of {", ".join(BY)}')
    known = list(taxonomy.channels) if declared.by == "channel" else [each.id for each in behaviors]
    for name in declared.priority if known and declared.by in BY else ():
        if name not in known:
            hint = did_you_mean(name, known, otherwise=f"they are {', '.join(known)}")
            problem(f"priority names the {declared.by} {name!r}, which is none; {hint}")
    if len(declared.priority) < 2 or len({*declared.priority}) < len(declared.priority):
        problem(f"priority lists {', '.join(declared.priority) or 'nothing'}; list two or more, each once")
    match = []
    for name in declared.match:
        kinds = {(p.type, p.scale) for each in behaviors if (p := each.properties.get(name)) is not None}
        lacking = [each for each in behaviors if name not in each.properties]
        if lacking:
            hint = did_you_mean(name, lacking[0].properties, otherwise="see its page in the taxonomy")
            problem(f"{lacking[0].id} has no property {name!r} to match by; {hint}")
        elif len({kind for kind, _ in kinds}) > 1:
            problem(f"{name} is {' here and '.join(sorted(kind for kind, _ in kinds))} there; match by another")
        elif kinds:
            match.append((name, *max(kinds, key=lambda each: each[1])))
    if problems:
        raise Problems(problems)
    return Reconciliation(declared.by, tuple(declared.priority), within, tuple(match))
