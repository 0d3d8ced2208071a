"""What a team writes to publish behavior: `Signal` and its `Feature`s; `aggregates` has the words for features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ethogram.core.content.origin import NOWHERE, Origin

if TYPE_CHECKING:
    from ethogram.core.signals.reconciled import Reconciled
    from ethogram.core.signals.sessions import Sessions

Setting = str | int | float | bool | None | tuple["Setting", ...]

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Feature:
    """One aggregate over one or more windows; without a name it is named after its behavior and window.

    Attributes:
        aggregate: A name in `aggregates.AGGREGATES`.
        property: What is aggregated: a property of the behavior, or "channel", "behavior" or "occurred_at".
        over: Windows; empty for the whole life.
        of: Which events, where they are not the signal's own.
        where: Only events for which this holds.
        by: One value for each value of this property: a map, or with `keys` a feature for each of these.
        keys: Values of `by` that get a feature of their own.
        via: Whose events: a larger unit that the entity rolls up to, or `EVERYONE`; None for the entity's own.
        inputs: Features that this one is made of and that are not served themselves.
        settings: What else the aggregate takes, by name, in the order of its signature.
    """

    aggregate: str
    property: str | None = None
    over: tuple[str, ...] = ()
    of: str | Sessions | Reconciled | None = None
    where: str | None = None
    name: str | None = None
    by: str | None = None
    keys: tuple[str, ...] = ()
    via: str | None = None
    inputs: tuple[Feature, ...] = ()
    settings: tuple[tuple[str, Setting], ...] = ()
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def windows(over: str | Sequence[str] | None) -> tuple[str, ...]:
    """`over` as it is kept: one window or several."""
    return () if over is None else (over,) if isinstance(over, str) else tuple(over)


def settings(**given: Setting) -> tuple[tuple[str, Setting], ...]:
    """Settings as they are kept; those that are None are left out.

    >>> settings(unit="days", k=None)
    (('unit', 'days'),)
    """
    return tuple((name, value) for name, value in given.items() if value is not None)


def bucketed(feature: Feature, by: str | None, keys: Sequence[str]) -> Feature:
    """The feature for each value of the property `by`: one for each of `keys`, or else a map.

    >>> bucketed(Feature("count", over=("30d",)), "category", ["books"]).aggregate
    'count'
    >>> bucketed(Feature("count", over=("30d",)), "category", ()).aggregate
    'count_by'
    """
    if by is None and not keys:
        return feature
    return replace(feature, aggregate=feature.aggregate if keys else f"{feature.aggregate}_by", by=by, keys=tuple(keys))


@dataclass(frozen=True, slots=True)
class Signal:
    """A named, versioned group of features over behaviors, owned by the team in whose folder it stands.

    Attributes:
        name: Unique in the workspace; `version` counts up with each change of meaning.
        entity: Whose behavior: an entity of the taxonomy. One row per entity and instant.
        of: Behavior id, a pattern as "engagement.*", `Sessions` or `Reconciled`: what features are about unless they
            say otherwise.
        features: In the order in which they are served.
        freshness: "live" (as of the instant asked), "hourly" or "daily" (as of the latest UTC boundary).
        delay: For hourly and daily: how long after the boundary the value is published.
        stability: "development", "stable" or "deprecated".
        hop: Step of the windows' tails; "auto" is the largest of 1 min, 5 min, 1 h, 1 d that is at most a twelfth.
        identity: An entity that may turn out to be this one, as a visitor a customer: its events count too, from when
            it is known whose they are. None for events that name the entity itself alone.
    """

    name: str
    version: int
    entity: str
    of: str | Sessions | Reconciled
    features: list[Feature]
    brief: str = ""
    freshness: str = "live"
    delay: str = "0s"
    stability: str = "development"
    hop: str | None = "auto"
    identity: str | None = None
    owner: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def ref(self) -> str:
        """`name@version`, as consumers write it."""
        return f"{self.name}@{self.version}"
