"""An expression with its types worked out: what closures are made of and engines' SQL is written from.

All implicit conversions are explicit here, and what is only a shorter way of writing is gone, so an engine has to know
these operations and nothing else:

    literal, name (`value`)      to_integer, to_decimal, to_double, to_text, to_date, to_timestamp
    add, subtract, multiply, modulo, negate, abs    both arguments of one kind; decimals may differ in scale
    divide (doubles)             round (`value`: digits), floor, ceil
    =, !=, <, <=, >, >=          one kind, decimals of any scale with integers, or integers with doubles
    between, in, nullif          compare their first argument with the others in the same way
    and, or, not, is null        if, coalesce, least, greatest
    concat, lower, upper, trim, length, starts_with, ends_with, contains, replace, substring (`value`: start, length)
    year, month, day, make_date, add_days, days_between (dates)
    count_rows, count, count_distinct, sum, min, max, first, last, any_true, all_true
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ethogram.core.expressions.types import DOUBLE, NULL, Type, decimal

EXACT_DOUBLE = 2**53
"""Every integer up to here is a double too."""


@dataclass(frozen=True, slots=True)
class Typed:
    """One operation, with the type of its result and its place in the text."""

    op: str
    type: Type
    args: tuple[Typed, ...] = ()
    value: Any = None
    position: int = 0

    @property
    def literal(self) -> bool:
        return self.op == "literal"

    def walk(self) -> Iterator[Typed]:
        """This operation and all below it, outermost first."""
        yield self
        for arg in self.args:
            yield from arg.walk()


class Mismatch(Exception):
    """Types that do not fit, at a place; users meet it as an ExpressionError."""

    def __init__(self, position: int, what: str, hint: str = "") -> None:
        self.position, self.what, self.hint = position, what, hint
        super().__init__(what)


def convert(node: Typed, to: Type) -> Typed:
    """`node` as a value of the type; a literal becomes a literal of that type, once."""
    if node.type == to:
        return node
    value = node.value
    if node.type == NULL:
        return Typed("literal", to, position=node.position)
    if node.literal and to.kind == "double" and isinstance(value, int | Decimal):
        return Typed("literal", to, value=float(value), position=node.position)
    if node.literal and to.kind == "decimal" and isinstance(value, int | Decimal) and node.type.scale <= to.scale:
        return Typed("literal", to, value=Decimal(value), position=node.position)
    return Typed(f"to_{'text' if to.kind == 'string' else to.kind}", to, (node,), position=node.position)


def common(nodes: Sequence[Typed]) -> tuple[Typed, ...]:
    """The nodes as values of one type: the one that holds them all, or the nearest double beside a double."""
    to = NULL
    for node in nodes:
        to = _wider(to, node)
    return tuple(convert(node, to) for node in nodes)


def _wider(to: Type, node: Typed) -> Type:
    if NULL in (to, node.type):
        return node.type if to == NULL else to
    if not _alike(to, node.type):
        raise Mismatch(node.position, f"{node.type} and {to} do not go together", conversion_hint(node.type, to))
    kinds = {to.kind, node.type.kind}
    if "double" in kinds:
        return DOUBLE
    return decimal(max(to.scale, node.type.scale)) if "decimal" in kinds else to


def comparable(first: Typed, others: Sequence[Typed]) -> tuple[Typed, ...]:
    """What compares with `first`, all in the form in which the comparison happens.

    Integers and decimals compare exactly, integers and doubles too. A decimal beside a double is the nearest double, so
    that `price = 0.1` is true of a price of 0.1.
    """
    for other in others:
        if not _alike(first.type, other.type):
            what = f"{first.type} and {other.type} cannot be compared"
            raise Mismatch(other.position, what, conversion_hint(other.type, first.type))
    nodes = (first, *others)
    if not any(node.type == DOUBLE for node in nodes):
        return nodes

    def plain(node: Typed) -> bool:
        return node.type.kind == "decimal" or (node.literal and abs(node.value or 0) <= EXACT_DOUBLE)

    return tuple(convert(node, DOUBLE) if plain(node) else node for node in nodes)


def _alike(one: Type, other: Type) -> bool:
    return one.kind == other.kind or (one.numeric and other.numeric)


def conversion_hint(have: Type, need: Type) -> str:
    """How to turn a value of one type into another, if the language can."""
    functions = {"integer": "integer(x)", "decimal": "decimal(x)", "double": "number(x)", "string": "text(x)"}
    if have.kind == "double" and need.kind == "string":
        return "text(decimal(x, 2)) writes a double with two digits"
    if {have.kind, need.kind} == {"date", "timestamp"}:
        return "convert with timestamp(x) or date(x)"
    if (need.numeric and have.kind in ("string", "boolean")) or (need.kind == "string" and have.kind != "null"):
        if have.kind == "boolean" and need.kind != "integer":
            return ""
        return f"convert with {functions[need.kind]}"
    return ""
