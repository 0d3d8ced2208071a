"""Streaks: consecutive days or weeks that each have an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.core.signals.aggregates.aggregate import Aggregate, BadFeature, always
from ethogram.core.signals.aggregates.rfm import known_period
from ethogram.core.signals.declaration import Feature, Setting, settings, windows

WHICH = ("current", "longest")


def streak(
    which: str,
    *,
    period: str = "day",
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """How many consecutive periods (UTC "day" or "week", from Monday) have an event each; 0 where there are none.

    Args:
        which: "longest" of the window, or the "current" one: it ends in the period of the instant, or in the one
            before, since today may still bring an event; it is 0 once a whole period has passed without one.
        over: A streak is seen from the window's start on only.

    >>> streak("current", period="week").settings
    (('which', 'current'), ('period', 'week'))
    """
    return Feature("streak", None, windows(over), of, where, name, settings=settings(which=which, period=period))


def _check(given: Mapping[str, Setting], window: object) -> None:
    if given["which"] not in WHICH:
        raise BadFeature(f'streak("{given["which"]}") is none of {", ".join(WHICH)}')
    known_period(given, window)


AGGREGATES = (
    Aggregate(
        "streak",
        None,
        always("integer"),
        lambda n: n.joined(n.noun, "streak", f"{n.settings['period']}s", n.settings["which"]),
        unit=lambda _, given: f"{given['period']}s",
        empty=0,
        check=_check,
        ordered=False,
    ),
)
WORDS = (streak,)
