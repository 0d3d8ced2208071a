"""Counts, sums, means, extremes, the first and the last value, recency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.core.signals.aggregates.aggregate import (
    ADDABLE,
    ANY,
    ORDERED,
    SECONDS,
    Aggregate,
    BadFeature,
    Naming,
    always,
    own_type,
)
from ethogram.core.signals.declaration import Feature, Setting, bucketed, settings, windows


def count(
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
    by: str | None = None,
    keys: Sequence[str] = (),
) -> Feature:
    """How many events: `purchases_30d`. 0 where there are none. Without `over`, over the whole life.

    Args:
        by: Count for each value of this text property: a map from value to count, of the 1,000 most frequent at most;
            `purchases_by_category_30d`. Events without it are left out. Sums, means and extremes know it too.
        keys: Instead of the map one feature for each of these values: `purchases_books_30d`.

    >>> count(over=["7d", "30d"]).over
    ('7d', '30d')
    """
    return bucketed(Feature("count", None, windows(over), of, where, name), by, keys)


def total(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
    by: str | None = None,
    keys: Sequence[str] = (),
) -> Feature:
    """Sum of a property, exact: `purchase_amount_sum_90d`. 0 where there are no events."""
    return bucketed(Feature("sum", property, windows(over), of, where, name), by, keys)


def mean(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
    by: str | None = None,
    keys: Sequence[str] = (),
) -> Feature:
    """Mean of a property as a double; null where there are no events."""
    return bucketed(Feature("mean", property, windows(over), of, where, name), by, keys)


def minimum(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
    by: str | None = None,
    keys: Sequence[str] = (),
) -> Feature:
    """Smallest value of a property; null where there are no events."""
    return bucketed(Feature("min", property, windows(over), of, where, name), by, keys)


def maximum(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
    by: str | None = None,
    keys: Sequence[str] = (),
) -> Feature:
    """Largest value of a property; null where there are no events."""
    return bucketed(Feature("max", property, windows(over), of, where, name), by, keys)


def last(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Value of the property at the latest event; ties go to the latest known, then to the event id; null if none."""
    return Feature("last", property, windows(over), of, where, name)


def first(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Value of the property at the earliest event; ties go to the first known, then to the event id; null if none."""
    return Feature("first", property, windows(over), of, where, name)


def recency(
    *,
    unit: str = "days",
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Time since the latest event in `unit` (days, hours, minutes or seconds): `days_since_purchase`; null if none."""
    return Feature("recency", None, windows(over), of, where, name, settings=settings(unit=unit))


def per_property(naming: Naming, aggregate: str) -> str:
    """`purchase_amount_max_90d`."""
    return naming.joined(naming.noun, naming.property, aggregate)


def in_unit(_: str, given: Mapping[str, Setting]) -> str:
    """The unit that was asked for."""
    return str(given["unit"])


def one(_: str, __: Mapping[str, Setting]) -> str:
    """A plain number."""
    return "1"


def known_unit(given: Mapping[str, Setting], _: object) -> None:
    """Refuses a unit of time that is none."""
    if given.get("unit") not in SECONDS:
        raise BadFeature(f'unit="{given.get("unit")}" is none of {", ".join(SECONDS)}')


AGGREGATES = (
    Aggregate("count", None, always("integer"), lambda n: n.joined(n.plural), unit=one, empty=0, ordered=False),
    Aggregate("sum", ADDABLE, own_type, lambda n: per_property(n, "sum"), empty=0, ordered=False),
    Aggregate("mean", ADDABLE, always("double"), lambda n: per_property(n, "mean"), ordered=False),
    Aggregate("min", ORDERED, own_type, lambda n: per_property(n, "min"), ordered=False),
    Aggregate("max", ORDERED, own_type, lambda n: per_property(n, "max"), ordered=False),
    Aggregate("first", ANY, own_type, lambda n: per_property(n, "first")),
    Aggregate("last", ANY, own_type, lambda n: per_property(n, "last")),
    Aggregate(
        "recency",
        None,
        always("double"),
        lambda n: n.joined(n.settings["unit"], "since", n.noun),
        unit=in_unit,
        check=known_unit,
        ordered=False,
    ),
)
WORDS = (count, total, mean, minimum, maximum, first, last, recency)
