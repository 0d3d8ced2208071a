"""Recency, frequency and monetary value as models of repeat buying count them, and the tenure they go with.

The summary of a customer in "buy till you die" models (Fader, Hardie and Lee, 2005): frequency, recency t_x (here
`active_span`), T (here `tenure`), and for gamma-gamma spend models the monetary value (Fader and Hardie, 2013).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.core.signals.aggregates.aggregate import ADDABLE, Aggregate, BadFeature, Naming, always
from ethogram.core.signals.aggregates.basic import in_unit, known_unit, one, per_property
from ethogram.core.signals.declaration import Feature, Setting, settings, windows

# Periods of UTC by length in seconds; weeks start on Monday.
PERIODS = {"day": 86400, "week": 7 * 86400}


def frequency(
    *,
    period: str = "day",
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """How many periods (UTC "day" or "week", from Monday) have an event, less one: repeats, not events.

    0 where there are no events, as where all fall into one period.

    >>> frequency(period="week").settings
    (('period', 'week'),)
    """
    return Feature("frequency", None, windows(over), of, where, name, settings=settings(period=period))


def active_span(
    *,
    unit: str = "days",
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Time from the first to the last event in `unit` (weeks, days, hours, minutes or seconds): t_x of BTYD models.

    0.0 where there is one event, null where there are none.
    """
    return Feature("active_span", None, windows(over), of, where, name, settings=settings(unit=unit))


def tenure(*, unit: str = "days", of: str | None = None, where: str | None = None, name: str | None = None) -> Feature:
    """Time since the first event of the whole life in `unit`: T of BTYD models; null where there are none.

    It counts to the instant asked about. Summaries by whole days count to the start of the last one, which an instant
    sees only when it is over: there T is one day less.
    """
    return Feature("tenure", None, (), of, where, name, settings=settings(unit=unit))


def monetary(
    property: str,
    *,
    period: str = "day",
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Mean of the totals of the periods after the first, as a double; null where there is only one period, or none.

    The first is left out because everybody has one. Events without the property count as if they were not there.
    """
    return Feature("monetary", property, windows(over), of, where, name, settings=settings(period=period))


def known_period(given: Mapping[str, Setting], _: object) -> None:
    """Refuses a period that is none."""
    if given.get("period") not in PERIODS:
        raise BadFeature(f'period="{given.get("period")}" is none of {", ".join(PERIODS)}')


def _unless_daily(naming: Naming) -> str:
    return "" if naming.settings["period"] == "day" else f"{naming.settings['period']}ly"


def _several_periods(given: Mapping[str, Setting]) -> str:
    return f"no {{noun}} on a second {given['period']} {{span}}"


AGGREGATES = (
    Aggregate(
        "frequency",
        None,
        always("integer"),
        lambda n: n.joined(n.noun, _unless_daily(n), "frequency"),
        unit=one,
        empty=0,
        check=known_period,
        ordered=False,
    ),
    Aggregate(
        "active_span",
        None,
        always("double"),
        lambda n: n.joined(n.noun, "span", n.settings["unit"]),
        unit=in_unit,
        check=known_unit,
        ordered=False,
    ),
    Aggregate(
        "tenure",
        None,
        always("double"),
        lambda n: n.joined(n.noun, "tenure", n.settings["unit"]),
        unit=in_unit,
        check=known_unit,
        ordered=False,
    ),
    Aggregate(
        "monetary",
        ADDABLE,
        always("double"),
        lambda n: per_property(n, f"{_unless_daily(n)}_monetary".strip("_")),
        check=known_period,
        lacks=_several_periods,
        ordered=False,
    ),
)
WORDS = (frequency, active_span, tenure, monetary)
