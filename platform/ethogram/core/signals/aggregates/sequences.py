"""Sequences of behaviors: the last ones, what follows what, how long ago each was, how far down a funnel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ethogram.core.signals.aggregates.aggregate import ANY, Aggregate, BadFeature, Naming, always, value_type
from ethogram.core.signals.aggregates.basic import in_unit, known_unit, one
from ethogram.core.signals.declaration import Feature, Setting, settings, windows

if TYPE_CHECKING:
    from ethogram.core.signals.sessions import Sessions

# More than this in one value of one feature is a table, not a feature.
MOST = 1000
_LONGEST = 5
_TEXT = frozenset({"string"})


def sequence(
    k: int = 10,
    *,
    property: str = "behavior",
    over: str | Sequence[str] | None = None,
    of: str | Sessions | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The last `k` behaviors, or values of a property, oldest first: `last_10_engagement_events`. Empty if none.

    A list, for models of sequences. Events without the property are left out; ties go as in `last`.

    >>> sequence(5, property="category").property
    'category'
    """
    return Feature("sequence", property, windows(over), of, where, name, settings=settings(k=k))


def sequence_gaps(
    k: int = 10,
    *,
    property: str = "behavior",
    over: str | Sequence[str] | None = None,
    of: str | Sessions | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Seconds from each item of `sequence` to the next one, and from the last one to the instant.

    As long as the `sequence` of the same arguments, item by item. Empty if there are no events.

    >>> dict(sequence_gaps(3).settings)
    {'k': 3}
    """
    return Feature("sequence_gaps", property, windows(over), of, where, name, settings=settings(k=k))


def transitions(
    k: int = 2,
    *,
    as_: str = "probability",
    top: int = 20,
    property: str = "behavior",
    over: str | Sequence[str] | None = None,
    of: str | Sessions | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """How often what follows what: a map "a > b" of the `top` most frequent steps.

    A Markov chain of order k - 1 (Markov, 1913): with `as_="probability"`, the share of b among all that followed a;
    with `as_="count"`, how often. Of sessions, only steps within one count; of events, also those across a pause.
    Equally frequent ones go by the order of their text. Shares are of all steps, also of those that `top` leaves out,
    so they need not add up to 1. Empty with fewer than `k` events.

    >>> dict(transitions(over="90d").settings)
    {'k': 2, 'as': 'probability', 'top': 20}
    """
    given = (("k", k), ("as", as_), ("top", top))
    return Feature("transitions", property, windows(over), of, where, name, settings=given)


def ngrams(
    n: int = 3,
    *,
    top: int = 20,
    property: str = "behavior",
    over: str | Sequence[str] | None = None,
    of: str | Sessions | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """How often each run of `n` behaviors occurs: a map "a > b > c" of the `top` most frequent; runs overlap.

    Of sessions, only runs within one count. Empty with fewer than `n` events.

    >>> ngrams(3, over="30d").aggregate
    'ngrams'
    """
    return Feature("ngrams", property, windows(over), of, where, name, settings=settings(n=n, top=top))


def time_since_each(
    *,
    unit: str = "days",
    property: str = "behavior",
    over: str | Sequence[str] | None = None,
    of: str | Sessions | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """Time since the latest event of each behavior, or of each value of a property, in `unit`: a map; empty if none.

    >>> time_since_each(unit="hours").settings
    (('unit', 'hours'),)
    """
    return Feature("time_since_each", property, windows(over), of, where, name, settings=settings(unit=unit))


def funnel(
    steps: Sequence[str],
    *,
    over: str | Sequence[str] | None = None,
    of: str | Sessions | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """How many `steps` were reached one after the other, with anything in between: 0 to as many as there are.

    The same within a session is its property `steps('first', 'second')`, as in `mean("steps('first', 'second')")`.

    >>> funnel(["commerce.product_viewed", "commerce.cart_add", "commerce.purchase"], over="30d").aggregate
    'funnel'
    """
    return Feature("funnel", "behavior", windows(over), of, where, name, settings=settings(steps=tuple(steps)))


def _whole(**bounds: tuple[int, int]) -> Callable[[Mapping[str, Setting], object], None]:
    """Refuses settings that are no whole numbers within their bounds."""

    def check(given: Mapping[str, Setting], _: object) -> None:
        for name, (least, most) in bounds.items():
            value = given.get(name)
            if type(value) is not int or not least <= value <= most:
                raise BadFeature(f"{name}={value!r} is no whole number from {least} to {most:,}")
        if given.get("as", "count") not in ("probability", "count"):
            raise BadFeature(f'as_="{given["as"]}" is neither probability nor count')

    return check


def _check_steps(given: Mapping[str, Setting], _: object) -> None:
    steps = given.get("steps")
    if not isinstance(steps, tuple) or len(steps) < 2:
        raise BadFeature("a funnel has two steps or more, each a behavior")


def _last(naming: Naming, *more: str) -> str:
    what = (naming.plural,) if naming.property == "behavior" else (naming.noun, naming.property)
    return naming.joined("last", naming.settings["k"], *what, *more)


def _each(naming: Naming, what: str) -> str:
    """`purchase_transitions`, or `purchase_category_transitions`; without the window."""
    parts = (naming.noun, "" if naming.property == "behavior" else naming.property, what)
    return "_".join(part for part in parts if part)


def _seconds(_: str, __: Mapping[str, Setting]) -> str:
    return "s"


def _items(kind: str | None, _: Mapping[str, Setting]) -> str:
    assert kind is not None
    return f"list<{value_type(kind)}>"


def _shares(_: str | None, given: Mapping[str, Setting]) -> str:
    return "map<integer>" if given["as"] == "count" else "map<double>"


AGGREGATES = (
    Aggregate("sequence", ANY, _items, _last, check=_whole(k=(1, MOST))),
    Aggregate(
        "sequence_gaps",
        ANY,
        always("list<double>"),
        lambda n: _last(n, "gaps"),
        unit=_seconds,
        check=_whole(k=(1, MOST)),
    ),
    Aggregate(
        "transitions",
        _TEXT,
        _shares,
        lambda n: n.joined(_each(n, "transitions"), n.settings["k"] if n.settings["k"] != 2 else ""),
        unit=one,
        check=_whole(k=(2, _LONGEST), top=(1, MOST)),
        inside=True,
    ),
    Aggregate(
        "ngrams",
        _TEXT,
        always("map<integer>"),
        lambda n: n.joined(_each(n, f"{n.settings['n']}grams")),
        unit=one,
        check=_whole(n=(1, _LONGEST), top=(1, MOST)),
        inside=True,
    ),
    Aggregate(
        "time_since_each",
        _TEXT,
        always("map<double>"),
        lambda n: n.joined(n.settings["unit"], "since_each", _each(n, "")),
        unit=in_unit,
        check=known_unit,
    ),
    Aggregate(
        "funnel", _TEXT, always("integer"), lambda n: n.joined(n.noun, "funnel"), unit=one, empty=0, check=_check_steps
    ),
)
WORDS = (sequence, sequence_gaps, transitions, ngrams, time_since_each, funnel)
