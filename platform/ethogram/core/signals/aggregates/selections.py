"""Which values there were: the first and last few, the largest, the most frequent, how many different, how spread."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from ethogram.core.signals.aggregates.aggregate import (
    ADDABLE,
    ANY,
    ORDERED,
    Aggregate,
    BadFeature,
    Naming,
    always,
    own_type,
    value_type,
)
from ethogram.core.signals.aggregates.basic import one
from ethogram.core.signals.declaration import Feature, Setting, bucketed, settings, windows

MOST = 1000  # items of a list, keys of a map, edges
NUMBERS = frozenset({*ADDABLE, "double"})
TEXTS = frozenset({"string"})
PRECISIONS = range(4, 17)


def first_k(
    property: str,
    k: int,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The first `k` values of a property, oldest first; nulls are left out, ties as in `first`. An empty list if none.

    >>> first_k("category", 3, over="90d").settings
    (('k', 3),)
    """
    return Feature("first_k", property, windows(over), of, where, name, settings=settings(k=k))


def last_k(
    property: str,
    k: int,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The last `k` values of a property, newest first; nulls are left out, ties as in `last`. An empty list if none.

    >>> last_k("category", 3, over="90d").settings
    (('k', 3),)
    """
    return Feature("last_k", property, windows(over), of, where, name, settings=settings(k=k))


def top_k(
    property: str,
    k: int,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The `k` largest values of a property, largest first, equal ones as often as they occur. An empty list if none.

    Texts are compared by code point.

    >>> top_k("amount", 3, over="90d").aggregate
    'top_k'
    """
    return Feature("top_k", property, windows(over), of, where, name, settings=settings(k=k))


def bottom_k(
    property: str,
    k: int,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The `k` smallest values of a property, smallest first, equal ones as often as they occur. An empty list if none.

    >>> bottom_k("amount", 3, over="90d").aggregate
    'bottom_k'
    """
    return Feature("bottom_k", property, windows(over), of, where, name, settings=settings(k=k))


def frequent(
    property: str,
    k: int,
    *,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The `k` most frequent values of a property, most frequent first; of equally frequent ones the smaller. An empty
    list if there are none.

    >>> frequent("category", 2, over="90d").aggregate
    'frequent'
    """
    return Feature("frequent", property, windows(over), of, where, name, settings=settings(k=k))


def distinct(
    property: str,
    *,
    at_most: int | None = None,
    sketch: int | None = None,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
    by: str | None = None,
    keys: Sequence[str] = (),
) -> Feature:
    """How many different values a property has; nulls are none. 0 where there are none.

    Args:
        at_most: Stop counting there: "ten or more" needs no more memory than ten.
        sketch: Estimate with 2^`sketch` registers (4 to 16) instead, whose state is small however many there are: a
            relative standard error of 1.04 / sqrt(2^sketch), 1.6 % at 12. HyperLogLog (Flajolet et al., 2007) over
            BLAKE2b of each value's text, read out as in Ertl (2017): the same for the same values, in whatever order.

    >>> distinct("category", over="90d").aggregate, distinct("category", sketch=12).aggregate
    ('distinct', 'distinct_sketch')
    """
    if at_most is not None and sketch is not None:
        raise BadFeature("at_most= and sketch= exclude each other; a bounded count is exact and small already")
    kind = "distinct" if sketch is None else "distinct_sketch"
    return bucketed(
        Feature(kind, property, windows(over), of, where, name, settings=settings(at_most=at_most, sketch=sketch)),
        by,
        keys,
    )


def histogram(
    property: str,
    *,
    edges: Sequence[int | float | str] | None = None,
    k: int | None = None,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """How often each value occurs: of texts a map from value to count, of numbers a list of counts between `edges`.

    Over nothing an empty map, or a list of zeros.

    Args:
        edges: For numbers, rising: below the first, from each edge (included) up to the next (excluded), from the last
            on; one count more than there are edges.
        k: Of texts only the `k` most frequent, of equally frequent ones the smaller; 1,000 if not given.

    >>> histogram("amount", edges=[10, 50, 100], over="90d").aggregate, histogram("category").aggregate
    ('histogram_edges', 'histogram')
    """
    if edges is None:
        return Feature("histogram", property, windows(over), of, where, name, settings=settings(k=k))
    if k is not None:
        raise BadFeature("k= is for texts and edges= for numbers; take one of them")
    return Feature("histogram_edges", property, windows(over), of, where, name, settings=settings(edges=tuple(edges)))


def quantile(
    property: str,
    q: float,
    *,
    sketch: float | None = None,
    over: str | Sequence[str] | None = None,
    of: str | None = None,
    where: str | None = None,
    name: str | None = None,
) -> Feature:
    """The value that a share `q` of the values does not exceed: the nearest rank, so it is one of them. Null if none.

    Args:
        q: From 0 (the least) to 1 (the largest); 0.5 is the lower median.
        sketch: Estimate within this relative error instead, as a double, from counts in buckets that grow with the
            value, whose state is small and merges: DDSketch (Masson, Rim and Lee, 2019), its buckets cut each power of
            two into equal parts, so that no logarithm is rounded.

    >>> quantile("amount", 0.9, over="90d").aggregate, quantile("amount", 0.9, sketch=0.01).aggregate
    ('quantile', 'quantile_sketch')
    """
    kind = "quantile" if sketch is None else "quantile_sketch"
    return Feature(kind, property, windows(over), of, where, name, settings=settings(q=q, sketch=sketch))


def share_of(q: Setting) -> Fraction:
    """`q` as it was written: 0.1 is a tenth, not the double next to it."""
    return Fraction(str(q))


def parts_per_octave(error: float) -> int:
    """Into how many equal parts each power of two is cut: the least power of two whose parts keep the relative error.

    >>> parts_per_octave(0.01), parts_per_octave(0.5)
    (64, 1)
    """
    parts = 1
    while parts * 2 * error < 1 - error:
        parts *= 2
    return parts


def edges_of(given: Mapping[str, Setting]) -> list[Decimal]:
    """Edges as they were written."""
    edges = given["edges"]
    assert isinstance(edges, tuple)
    return [Decimal(str(edge)) for edge in edges]


def _list_type(kind: str | None, _: Mapping[str, Setting]) -> str:
    assert kind is not None
    return f"list<{value_type(kind)}>"


def _check_k(given: Mapping[str, Setting], _: object) -> None:
    k = given.get("k", MOST)
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MOST:
        raise BadFeature(f"k={k!r}: take a whole number from 1 to {MOST:,}")


def _check_bound(given: Mapping[str, Setting], _: object) -> None:
    bound = given.get("at_most", 1)
    if not isinstance(bound, int) or isinstance(bound, bool) or bound < 1:
        raise BadFeature(f"at_most={bound!r}: take a whole number from 1 on")


def _check_precision(given: Mapping[str, Setting], _: object) -> None:
    precision = given["sketch"]
    if isinstance(precision, bool) or precision not in PRECISIONS:
        raise BadFeature(f"sketch={precision!r}: take from 4 (26 % error) to 16 (0.4 %), 12 for 1.6 %")


def _check_edges(given: Mapping[str, Setting], _: object) -> None:
    try:
        edges = edges_of(given)
    except ArithmeticError as wrong:
        raise BadFeature(f"edges={given['edges']!r}: take numbers") from wrong
    if not edges or len(edges) > MOST or not all(edge.is_finite() for edge in edges):
        raise BadFeature(f"edges=: take 1 to {MOST:,} finite numbers, not {len(edges)}")
    if any(left >= right for left, right in pairwise(edges)):
        raise BadFeature("edges= have to rise from each to the next")


def _check_q(given: Mapping[str, Setting], _: object) -> None:
    q, error = given["q"], given.get("sketch", 0.5)
    if not isinstance(q, int | float) or isinstance(q, bool) or not 0 <= q <= 1:
        raise BadFeature(f"q={q!r}: take a share from 0 to 1, as 0.5 for the median")
    if share_of(q).denominator > 10**9:
        raise BadFeature(f"q={q!r}: nine digits are the most")
    if not isinstance(error, float) or not 0.0001 <= error <= 0.5:
        raise BadFeature(f"sketch={error!r}: take a relative error from 0.0001 to 0.5, as 0.01")


def _percent(q: Setting) -> str:
    """0.5 as "50", 0.999 as "99_9"."""
    written = f"{Decimal(str(q)) * 100:f}"
    return re.sub(r"\.?0*$", "", written).replace(".", "_") if "." in written else written


def _quantile_name(naming: Naming) -> str:
    return naming.joined(naming.noun, naming.property, f"p{_percent(naming.settings['q'])}")


def _selection(name: str, accepts: frozenset[str], label: str, *, ordered: bool = False) -> Aggregate:
    return Aggregate(
        name,
        accepts,
        _list_type,
        lambda n: n.joined(n.noun, n.property, label.format(**n.settings)),
        check=_check_k,
        ordered=ordered,
    )


def _counting(
    name: str, accepts: frozenset[str], kind: str, label: str, check: Callable[[Mapping[str, Setting], object], None]
) -> Aggregate:
    return Aggregate(
        name,
        accepts,
        always(kind),
        lambda n: n.joined(n.noun, n.property, label),
        unit=one,
        empty=0 if kind == "integer" else None,
        check=check,
        ordered=False,
    )


AGGREGATES = (
    _selection("first_k", ANY, "first_{k}", ordered=True),
    _selection("last_k", ANY, "last_{k}", ordered=True),
    _selection("top_k", ORDERED | TEXTS, "top_{k}"),
    _selection("bottom_k", ORDERED | TEXTS, "bottom_{k}"),
    _selection("frequent", ANY, "frequent_{k}"),
    _counting("distinct", ANY, "integer", "distinct", _check_bound),
    _counting("distinct_sketch", ANY, "integer", "distinct", _check_precision),
    _counting("histogram", TEXTS, "map<integer>", "histogram", _check_k),
    _counting("histogram_edges", NUMBERS, "list<integer>", "histogram", _check_edges),
    Aggregate("quantile", ORDERED, own_type, _quantile_name, check=_check_q, ordered=False),
    Aggregate("quantile_sketch", NUMBERS, always("double"), _quantile_name, check=_check_q, ordered=False),
)
WORDS = (first_k, last_k, top_k, bottom_k, frequent, distinct, histogram, quantile)
