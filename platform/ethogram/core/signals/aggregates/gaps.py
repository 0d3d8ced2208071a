"""Times between events: how far apart, how regular, how long ago the one before the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.core.signals.aggregates.aggregate import Aggregate, BadFeature, Naming, always
from ethogram.core.signals.aggregates.basic import known_unit
from ethogram.core.signals.declaration import Feature, Setting, settings, windows

# How many events each measure needs.
MEASURES = {"mean": 2, "std": 3, "cv": 3, "last": 2, "min": 2, "max": 2}


def gaps(
    measure: str,
    *,
    unit: str | None = None,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The times between consecutive events that are both in the window, in one figure.

    Args:
        measure: "mean", "last", "min" or "max" (null for fewer than 2 events), "std" (of a sample, n - 1 below; null
            for fewer than 3) or "cv" (std by mean; null also where all happened at one instant). A cv under 1 is more
            regular than chance would be, over 1 comes in bursts.
        unit: weeks, days (the default), hours, minutes or seconds; a cv has none.

    >>> gaps("cv", over="365d", name="interpurchase_cv").settings
    (('measure', 'cv'),)
    """
    in_units = unit if measure == "cv" else unit or "days"
    return Feature("gaps", None, windows(over), of, where, name, settings=settings(measure=measure, unit=in_units))


def _check(given: Mapping[str, Setting], window: object) -> None:
    if given["measure"] not in MEASURES:
        raise BadFeature(f'gaps("{given["measure"]}") is none of {", ".join(MEASURES)}')
    if given["measure"] != "cv":
        known_unit(given, window)
    elif "unit" in given:
        raise BadFeature("a cv is a plain number; drop unit=")


def _label(naming: Naming) -> str:
    return naming.joined(naming.noun, "gap", naming.settings["measure"], naming.settings.get("unit", ""))


def _lacks(given: Mapping[str, Setting]) -> str:
    few = f"fewer than {MEASURES[str(given['measure'])]} {{plural}} {{span}}"
    return f"{few}, or all at one instant" if given["measure"] == "cv" else few


AGGREGATES = (
    Aggregate(
        "gaps",
        None,
        always("double"),
        _label,
        unit=lambda _, given: str(given.get("unit", "1")),
        check=_check,
        lacks=_lacks,
        ordered=False,
    ),
)
WORDS = (gaps,)
