"""Counts and sums in which what is longer ago counts for less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ethogram.core import time
from ethogram.core.signals.aggregates.aggregate import ADDABLE, Aggregate, BadFeature, Naming, always
from ethogram.core.signals.aggregates.trend import named
from ethogram.core.signals.declaration import Feature, Setting, settings, windows

# An event older than this many half-lives counts for nothing: it would add less than 1e-60 of itself.
HALVINGS = 200
_LONGEST = timedelta(days=36_525)


def decay(
    property: str | None = None,
    *,
    half_life: str,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Sum over events of 2^(-age / half_life), or of the property times that; 0.0 where there are none.

    A double that engines agree on within a relative 1e-9 of what is added up (values of both signs may cancel). What
    is older than 200 half-lives counts for nothing. Without `over` it decays over the whole life, which costs no more.

    >>> decay("amount", half_life="14d").settings
    (('half_life', '14d'),)
    """
    return Feature("decay", property, windows(over), of, where, name, settings=settings(half_life=half_life))


def half_life_us(given: Mapping[str, Setting]) -> int:
    """The half-life in microseconds."""
    return time.duration(str(given["half_life"]), what="half_life") // time.MICROSECOND


def _check(given: Mapping[str, Setting], _: object) -> None:
    if not 0 < half_life_us(given) <= _LONGEST // time.MICROSECOND:
        raise BadFeature(f'half_life="{given["half_life"]}" is not between 1 second and 100 years')


def _label(naming: Naming) -> str:
    return named(naming, f"decayed_{naming.settings['half_life']}")


AGGREGATES = (Aggregate("decay", ADDABLE, always("double"), _label, empty=0, exact=False, check=_check),)
WORDS = (decay,)
