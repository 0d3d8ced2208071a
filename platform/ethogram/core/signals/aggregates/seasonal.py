"""When in the day or the week events happen, by the clocks of a time zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ethogram.core.signals.aggregates.aggregate import Aggregate, BadFeature, always
from ethogram.core.signals.aggregates.basic import one
from ethogram.core.signals.declaration import Feature, Setting, settings, windows

# Parts of each cycle.
CYCLES = {"hour_of_day": 24, "day_of_week": 7, "hour_of_week": 168}


def seasonal(
    cycle: str,
    *,
    timezone: str = "UTC",
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Share of the events in each part of the cycle, a list of doubles; null where there are none.

    Args:
        cycle: "hour_of_day" (24 shares from midnight on), "day_of_week" (7, from Monday on) or "hour_of_week" (168,
            from Monday midnight on: a million observations take 1.3 GB).
        timezone: Whose clocks, as "Europe/London". The hour that a change of clocks repeats counts twice as long, the
            one that it skips has no events.

    >>> seasonal("hour_of_day", timezone="Europe/London", over="90d").over
    ('90d',)
    """
    given = settings(cycle=cycle, timezone=timezone)
    return Feature("seasonal", None, windows(over), of, where, name, settings=given)


def concentration(
    cycle: str,
    *,
    timezone: str = "UTC",
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """How much events keep to the same parts of the cycle: the sum of the squared shares of `seasonal`, in (0, 1].

    The chance that two events, drawn with replacement, fall into the same part (Simpson, 1949; Herfindahl): 1.0 if all
    do, and for any single event, 1/24 if all hours of the day are alike. Null where there are none.
    """
    given = settings(cycle=cycle, timezone=timezone)
    return Feature("concentration", None, windows(over), of, where, name, settings=given)


def _check(given: Mapping[str, Setting], _: object) -> None:
    if given["cycle"] not in CYCLES:
        raise BadFeature(f'"{given["cycle"]}" is none of {", ".join(CYCLES)}')
    try:
        ZoneInfo(str(given["timezone"]))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadFeature(f'timezone="{given["timezone"]}" is not known; write one as "Europe/London"') from error


AGGREGATES = (
    Aggregate(
        "seasonal",
        None,
        always("list<double>"),
        lambda n: n.joined(n.plural, "by", n.settings["cycle"]),
        unit=one,
        check=_check,
        ordered=False,
    ),
    Aggregate(
        "concentration",
        None,
        always("double"),
        lambda n: n.joined(n.plural, n.settings["cycle"], "concentration"),
        unit=one,
        check=_check,
        ordered=False,
    ),
)
WORDS = (seasonal, concentration)
