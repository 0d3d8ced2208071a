"""First and last touch: by which channel somebody came, by which they came last, and how long ago the first was."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.core.signals.aggregates.aggregate import ANY, Aggregate, always, own_type
from ethogram.core.signals.aggregates.basic import in_unit, known_unit, per_property
from ethogram.core.signals.declaration import Feature, settings, windows


def first_touch(
    property: str = "channel",
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The channel (or another property) of the first event that has one; ties as in `first`; null if none has.

    `first` gives the first event's own value, null if it has none; this one looks on.

    >>> first_touch(over="90d").property
    'channel'
    """
    return Feature("first_touch", property, windows(over), of, where, name)


def last_touch(
    property: str = "channel",
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The channel (or another property) of the last event that has one; ties as in `last`; null if none has."""
    return Feature("last_touch", property, windows(over), of, where, name)


def since_first(
    *,
    unit: str = "days",
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Time since the window's first event in `unit` (weeks, days, hours, minutes or seconds); null if none.

    Without a window it is `tenure`.
    """
    return Feature("since_first", None, windows(over), of, where, name, settings=settings(unit=unit))


AGGREGATES = (
    Aggregate("first_touch", ANY, own_type, lambda n: per_property(n, "first_touch")),
    Aggregate("last_touch", ANY, own_type, lambda n: per_property(n, "last_touch")),
    Aggregate(
        "since_first",
        None,
        always("double"),
        lambda n: n.joined(n.settings["unit"], "since_first", n.noun),
        unit=in_unit,
        check=known_unit,
        ordered=False,
    ),
)
WORDS = (first_touch, last_touch, since_first)
