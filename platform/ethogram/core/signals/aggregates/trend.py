"""Trend: the slope over the steps of a window, and a window against the one before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.core import time
from ethogram.core.signals.aggregates.aggregate import ADDABLE, Aggregate, BadFeature, Naming, always, value_type
from ethogram.core.signals.declaration import Feature, Setting, settings, windows
from ethogram.core.signals.window import Window

MOST_STEPS = 400


def slope(
    property: str | None = None,
    *,
    every: str,
    over: str | Sequence[str],
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """How much the count of a step (or the sum of `property` in it) grows from step to step: ordinary least squares.

    The window is cut into steps of the length `every`, `[floor_h(at - 2 every), floor_h(at - every))` and so on, each
    boundary on the window's hop; the newest reaches to the instant. A double per step, rounded once; 0.0 over nothing.

    >>> slope(every="7d", over="56d").settings
    (('every', '7d'),)
    """
    return Feature("slope", property, windows(over), of, where, name, settings=settings(every=every))


def change(
    property: str | None = None,
    *,
    over: str | Sequence[str],
    by: str = "difference",
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The window's count (or the sum of `property`) against that of the window before it.

    The one before is `[floor_h(at - 2w), floor_h(at - w))`.

    Args:
        by: "difference": this less the one before, of the type of what is compared, 0 over nothing; or "ratio": this
            divided by the one before as a double, null where the one before is 0.

    >>> change("amount", over="90d", by="ratio").aggregate
    'change_ratio'
    """
    kind = "change_ratio" if by == "ratio" else "change"
    return Feature(kind, property, windows(over), of, where, name, settings=settings(by=by))


def step(given: Mapping[str, Setting], window: Window) -> Window:
    """The span of one step, on the window's hop."""
    return Window(time.duration(str(given["every"]), what="every"), window.hop)


def _check_steps(given: Mapping[str, Setting], window: Window | None) -> None:
    if window is None:
        raise BadFeature('a slope needs a window; add over="…"')
    each, asked = step(given, window), given["every"]
    if not each.length or window.length % each.length or window.length == each.length:
        raise BadFeature(f'every="{asked}" does not divide over="{window.suffix}" into two steps or more')
    if window.hop is not None and each.length % window.hop:
        hop = time.spell(window.hop)
        raise BadFeature(
            f'every="{asked}" is no multiple of the hop {hop} of over="{window.suffix}"; take longer steps'
        )
    steps = window.length // each.length
    if steps > MOST_STEPS:
        raise BadFeature(f'every="{asked}" makes {steps} steps of over="{window.suffix}"; {MOST_STEPS} is the most')


def _check_change(given: Mapping[str, Setting], window: Window | None) -> None:
    if given["by"] not in {"difference", "ratio"}:
        raise BadFeature(f'by="{given["by"]}" is none of difference, ratio')
    if window is None:
        raise BadFeature('a change needs a window; add over="…"')


def named(naming: Naming, measure: str) -> str:
    """`purchases_change_30d`, or `purchase_amount_change_30d` for a property."""
    if naming.property:
        return naming.joined(naming.noun, naming.property, measure)
    return naming.joined(naming.plural, measure)


def _compared(kind: str | None, _: Mapping[str, Setting]) -> str:
    return "integer" if kind is None else value_type(kind)


AGGREGATES = (
    Aggregate(
        "slope",
        ADDABLE,
        always("double"),
        lambda n: named(n, f"slope_per_{n.settings['every']}"),
        empty=0,
        check=_check_steps,
        ordered=False,
    ),
    Aggregate(
        "change", ADDABLE, _compared, lambda n: named(n, "change"), empty=0, check=_check_change, spans=2, ordered=False
    ),
    Aggregate(
        "change_ratio",
        ADDABLE,
        always("double"),
        lambda n: named(n, "change_ratio"),
        unit=lambda _, __: "1",
        check=_check_change,
        spans=2,
        lacks=lambda _: "no {noun} in the window before",
        ordered=False,
    ),
)
WORDS = (slope, change)
