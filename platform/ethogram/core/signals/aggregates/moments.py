"""How much a property varies: variance, standard deviation, skewness; exact until the one division."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.core.signals.aggregates.aggregate import ADDABLE, Aggregate, always
from ethogram.core.signals.aggregates.basic import one, per_property
from ethogram.core.signals.declaration import Feature, windows


def variance(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Population variance of a property, in its unit squared; 0.0 for one value, null where there are none.

    (n sum of squares - squared sum) / n², in whole numbers of any size and rounded once: values that differ little
    from each other lose no digit, however large they are.

    >>> variance("amount", over="90d").aggregate
    'variance'
    """
    return Feature("variance", property, windows(over), of, where, name)


def std(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Population standard deviation: the square root of `variance`; 0.0 for one value, null where there are none.

    >>> std("amount", over="90d").aggregate
    'std'
    """
    return Feature("std", property, windows(over), of, where, name)


def skew(
    property: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Population skewness of a property (third central moment over the variance to the power of 1.5), a plain number.

    Null for fewer than three values and where all are the same. The square root of the exact quotient of the squares.

    >>> skew("amount", over="90d").aggregate
    'skew'
    """
    return Feature("skew", property, windows(over), of, where, name)


AGGREGATES = (
    Aggregate(
        "variance",
        ADDABLE,
        always("double"),
        lambda n: per_property(n, "variance"),
        unit=lambda own, _: own if own == "1" else f"{own}²",
        ordered=False,
    ),
    Aggregate("std", ADDABLE, always("double"), lambda n: per_property(n, "std"), ordered=False),
    Aggregate(
        "skew",
        ADDABLE,
        always("double"),
        lambda n: per_property(n, "skew"),
        unit=one,
        ordered=False,
        lacks=lambda _: "fewer than 3 values, or all the same, {span}",
    ),
)
WORDS = (variance, std, skew)
