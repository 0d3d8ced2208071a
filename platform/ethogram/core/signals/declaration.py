"""What a team writes to publish behavior: `Signal` and its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin


@dataclass(frozen=True, slots=True)
class Feature:
    """One aggregate over one or more windows; without a name it is named after its behavior and window."""

    aggregate: str
    property: str | None = None
    over: tuple[str, ...] = ()
    of: str | None = None
    where: str | None = None
    name: str | None = None
    unit: str | None = None
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def _windows(over: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if over is None else (over,) if isinstance(over, str) else tuple(over)


def count(
    *, over: str | Sequence[str] | None = None, of: str | None = None, where: str | None = None, name: str | None = None
) -> Feature:
    """How many events: `purchases_30d`. 0 where there are none. Without `over`, over the whole life.

    >>> count(over=["7d", "30d"]).over
    ('7d', '30d')
    """
    return Feature("count", None, _windows(over), of, where, name)


def total(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Sum of a property, exact: `purchase_amount_sum_90d`. 0 where there are no events."""
    return Feature("sum", property, _windows(over), of, where, name)


def mean(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Mean of a property as a double; null where there are no events."""
    return Feature("mean", property, _windows(over), of, where, name)


def minimum(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Smallest value of a property; null where there are no events."""
    return Feature("min", property, _windows(over), of, where, name)


def maximum(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Largest value of a property; null where there are no events."""
    return Feature("max", property, _windows(over), of, where, name)


def last(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Value of the property at the latest event; ties go to the latest known, then to the event id; null if none."""
    return Feature("last", property, _windows(over), of, where, name)


def recency(
    *,
    unit: str = "days",
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Time since the latest event in `unit` (days, hours, minutes or seconds): `days_since_purchase`; null if none."""
    return Feature("recency", None, _windows(over), of, where, name, unit)


@dataclass(frozen=True, slots=True)
class Signal:
    """A named, versioned group of features over behaviors, owned by the team in whose folder it stands.

    Attributes:
        name: Unique in the workspace; `version` counts up with each change of meaning.
        entity: Whose behavior: an entity of the taxonomy. One row per entity and instant.
        of: Behavior id, or a pattern as "engagement.*", that features are about unless they say otherwise.
        features: In the order in which they are served.
        freshness: "live" (as of the instant asked), "hourly" or "daily" (as of the latest UTC boundary).
        delay: For hourly and daily: how long after the boundary the value is published.
        stability: "development", "stable" or "deprecated".
        hop: Step of the windows' tails; "auto" is the largest of 1 min, 5 min, 1 h, 1 d that is at most a twelfth.
    """

    name: str
    version: int
    entity: str
    of: str
    features: list[Feature]
    brief: str = ""
    freshness: str = "live"
    delay: str = "0s"
    stability: str = "development"
    hop: str | None = "auto"
    owner: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def ref(self) -> str:
        """`name@version`, as consumers write it."""
        return f"{self.name}@{self.version}"
