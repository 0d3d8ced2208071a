"""One thing in proportion to another: ratios of sums, events per unit of time, shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.core import time
from ethogram.core.signals.aggregates.aggregate import ADDABLE, Aggregate, BadFeature, Naming, always
from ethogram.core.signals.aggregates.basic import count
from ethogram.core.signals.declaration import Feature, Setting, settings, windows
from ethogram.core.signals.window import Window


def ratio(
    property: str,
    divisor: str,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Sum of a property divided by the sum of another, as a double rounded once: `purchase_amount_per_items_90d`.

    Each sum leaves its own nulls out. Null where the divisor adds to zero, so over nothing too.

    >>> ratio("amount", "items", over="90d").settings
    (('divisor', 'items'),)
    """
    return Feature("ratio", property, windows(over), of, where, name, settings=settings(divisor=divisor))


def rate(
    *,
    per: str,
    over: str | Sequence[str],
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Events per unit of time: their count over the window's length in units of `per`, as a double rounded once.

    The length is the declared one: what the hop adds at the tail is not counted as time. 0.0 over nothing.

    >>> rate(per="1d", over="30d").settings
    (('per', '1d'),)
    """
    return Feature("rate", None, windows(over), of, where, name, settings=settings(per=per))


def share(
    condition: str,
    *,
    name: str,
    over: str | None = None,
    of: str | None = None,
    where: str | None = None,
) -> Feature:
    """Share of the events for which `condition` is true, as a double; null where there are none at all.

    An event for which it is null counts below the line only.

    >>> share("channel = 'store'", over="90d", name="store_share_90d").aggregate
    'derived'
    """
    both = condition if where is None else f"({where}) and ({condition})"
    some = count(over=over, of=of, where=both, name=f"{name}__some")
    all_ = count(over=over, of=of, where=where, name=f"{name}__all")
    text = f"{some.name} / nullif({all_.name}, 0)"
    return Feature("derived", name=name, inputs=(some, all_), settings=settings(expression=text))


def _per(given: Mapping[str, Setting]) -> int:
    """The unit of time in microseconds."""
    return time.duration(str(given["per"]), what="per") // time.MICROSECOND


def units_of_time(given: Mapping[str, Setting], window: Window) -> tuple[int, int]:
    """The window's length over the unit of time, both in microseconds."""
    return window.length // time.MICROSECOND, _per(given)


def _check_rate(given: Mapping[str, Setting], window: Window | None) -> None:
    if window is None:
        raise BadFeature('a rate needs a window to be per time of; add over="…"')
    if not _per(given):
        raise BadFeature(f'per="{given["per"]}" is no time at all; take 1d or the like')


def _ratio_name(naming: Naming) -> str:
    return naming.joined(naming.noun, naming.property, "per", naming.settings["divisor"])


AGGREGATES = (
    Aggregate(
        "ratio",
        ADDABLE,
        always("double"),
        _ratio_name,
        also=("divisor",),
        ordered=False,
        lacks=lambda given: f"{given['divisor']} adds to 0 {{span}}",
    ),
    Aggregate(
        "rate",
        None,
        always("double"),
        lambda n: n.joined(n.plural, "per", n.settings["per"]),
        unit=lambda _, given: f"1/{given['per']}",
        empty=0,
        check=_check_rate,
        ordered=False,
    ),
)
WORDS = (ratio, rate, share)
