"""The functions of the language: how each is written, and what its arguments' types make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ethogram.core.expressions.typed import Mismatch, Typed, common, comparable, conversion_hint, convert
from ethogram.core.expressions.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MAX_SCALE,
    STRING,
    TIMESTAMP,
    Kind,
    Type,
    decimal,
)

MONEY = decimal(6)
"""What doubles are rounded to before they are added up, so that their order never matters."""

_NUMERIC: tuple[Kind, ...] = ("integer", "decimal", "double")
_ORDERED: tuple[Kind, ...] = (*_NUMERIC, "string", "timestamp", "date")
_ANY: tuple[Kind, ...] = (*_ORDERED, "boolean")
_DOUBLE_DIGITS = 15
_LONGEST = 1_000_000

Rule = Callable[["Call"], Typed]


@dataclass(frozen=True, slots=True)
class Function:
    """`form` as a message shows it, and the rule that types a call. `most` is None where any number will do."""

    form: str
    least: int
    most: int | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its function's name, its arguments and its place."""

    name: str
    args: Sequence[Typed]
    position: int

    def arg(self, index: int, *kinds: Kind) -> Typed:
        """The argument, if its type is one of these."""
        node = self.args[index]
        if node.type.kind in kinds:
            return node
        hint = conversion_hint(node.type, Type(kinds[0])) or f"write {FUNCTIONS[self.name].form}"
        raise Mismatch(node.position, f"{self.name} takes {_listed(kinds)} here, not {node.type.noun}", hint)

    def all(self, *kinds: Kind) -> tuple[Typed, ...]:
        return tuple(self.arg(index, *kinds) for index in range(len(self.args)))

    def constant(self, index: int, least: int, most: int) -> int:
        """The argument as a whole number that is written out: it decides the type, so it cannot depend on the row."""
        node = self.args[index]
        if node.literal and node.type == INTEGER and least <= node.value <= most:
            return int(node.value)
        what = f"{self.name} takes a number from {least} to {most:,} written out here"
        raise Mismatch(node.position, what, f"write {FUNCTIONS[self.name].form}")

    def makes(self, type_: Type, args: Sequence[Typed] = (), *, op: str = "", value: object = None) -> Typed:
        return Typed(op or self.name, type_, tuple(args), value, self.position)


def _listed(kinds: Sequence[Kind]) -> str:
    """For messages: a string; a number or a string."""
    words = ["an integer" if kind == "integer" else f"a {kind}" for kind in kinds]
    if set(_NUMERIC) <= set(kinds):
        words = ["a number", *words[len(_NUMERIC) :]]
    return ", ".join(words[:-1]) + (" or " if len(words) > 1 else "") + words[-1]


def _abs(call: Call) -> Typed:
    x = call.arg(0, *_NUMERIC)
    return call.makes(x.type, [x])


def _round(call: Call) -> Typed:
    x = call.arg(0, *_NUMERIC)
    most = _DOUBLE_DIGITS if x.type == DOUBLE else MAX_SCALE
    digits = call.constant(1, 0, most) if len(call.args) == 2 else 0
    if x.type == DOUBLE:
        return call.makes(DOUBLE, [x], value=digits)
    return call.makes(decimal(digits), [x], value=digits) if digits < x.type.scale else x


def _floor_or_ceil(call: Call) -> Typed:
    x = call.arg(0, *_NUMERIC)
    if x.type.kind == "integer":
        return x
    return call.makes(DOUBLE if x.type == DOUBLE else decimal(0), [x])


def _least_or_greatest(call: Call) -> Typed:
    nodes = common(call.args)
    if not nodes[0].type.ordered:
        raise Mismatch(call.position, f"{call.name} needs an order, and a {nodes[0].type} has none")
    return call.makes(nodes[0].type, nodes)


def _coalesce(call: Call) -> Typed:
    nodes = common(call.args)
    return call.makes(nodes[0].type, nodes)


def _if(call: Call) -> Typed:
    condition = call.arg(0, "boolean")
    then, otherwise = common(call.args[1:])
    return call.makes(then.type, [condition, then, otherwise])


def _nullif(call: Call) -> Typed:
    for index in (0, 1):
        call.arg(index, *_ANY)
    first, second = comparable(call.args[0], call.args[1:])
    return call.makes(first.type, [first, second])


def _strings(result: Type) -> Rule:
    return lambda call: call.makes(result, call.all("string"))


def _substring(call: Call) -> Typed:
    place = (call.constant(1, 1, _LONGEST), call.constant(2, 0, _LONGEST))
    return call.makes(STRING, [call.arg(0, "string")], value=place)


def _to(result: Type, *kinds: Kind) -> Rule:
    return lambda call: convert(call.arg(0, *kinds), result)


def _decimal(call: Call) -> Typed:
    scale = call.constant(1, 0, MAX_SCALE) if len(call.args) == 2 else MONEY.scale
    return convert(call.arg(0, *_NUMERIC, "string"), decimal(scale))


def _part_of_date(call: Call) -> Typed:
    return call.makes(INTEGER, [call.arg(0, "timestamp", "date")])


def _make_date(call: Call) -> Typed:
    return call.makes(DATE, call.all("integer"))


def _add_days(call: Call) -> Typed:
    moment, days = call.arg(0, "date", "timestamp"), call.arg(1, "integer")
    return call.makes(moment.type, [moment, days])


def _days_between(call: Call) -> Typed:
    return call.makes(INTEGER, [convert(node, DATE) for node in call.all("date", "timestamp")])


def _count(call: Call) -> Typed:
    if not call.args:
        return call.makes(INTEGER, op="count_rows")
    return call.makes(INTEGER, [call.arg(0, *_ANY)])


def _sum(call: Call) -> Typed:
    x = call.arg(0, *_NUMERIC)
    x = convert(x, MONEY) if x.type == DOUBLE else x
    return call.makes(x.type, [x], op="sum")


def _mean(call: Call) -> Typed:
    count = call.makes(INTEGER, call.args, op="count")
    return call.makes(DOUBLE, [convert(_sum(call), DOUBLE), convert(count, DOUBLE)], op="divide")


def _same(*kinds: Kind) -> Rule:
    return lambda call: call.makes(call.arg(0, *kinds).type, call.args)


def _to_boolean(call: Call) -> Typed:
    return call.makes(BOOLEAN, [call.arg(0, "boolean")])


def _count_distinct(call: Call) -> Typed:
    return call.makes(INTEGER, [call.arg(0, *_ANY)])


FUNCTIONS: dict[str, Function] = {
    "abs": Function("abs(x)", 1, 1, _abs),
    "round": Function("round(x) or round(x, digits)", 1, 2, _round),
    "floor": Function("floor(x)", 1, 1, _floor_or_ceil),
    "ceil": Function("ceil(x)", 1, 1, _floor_or_ceil),
    "least": Function("least(a, b)", 2, None, _least_or_greatest),
    "greatest": Function("greatest(a, b)", 2, None, _least_or_greatest),
    "coalesce": Function("coalesce(a, b)", 2, None, _coalesce),
    "nullif": Function("nullif(a, b)", 2, 2, _nullif),
    "if": Function("if(condition, a, b)", 3, 3, _if),
    "concat": Function("concat(a, b)", 2, None, _strings(STRING)),
    "lower": Function("lower(text)", 1, 1, _strings(STRING)),
    "upper": Function("upper(text)", 1, 1, _strings(STRING)),
    "trim": Function("trim(text)", 1, 1, _strings(STRING)),
    "length": Function("length(text)", 1, 1, _strings(INTEGER)),
    "substring": Function("substring(text, 1, 3)", 3, 3, _substring),
    "starts_with": Function("starts_with(text, start)", 2, 2, _strings(BOOLEAN)),
    "ends_with": Function("ends_with(text, end)", 2, 2, _strings(BOOLEAN)),
    "contains": Function("contains(text, part)", 2, 2, _strings(BOOLEAN)),
    "replace": Function("replace(text, old, new)", 3, 3, _strings(STRING)),
    "text": Function("text(x)", 1, 1, _to(STRING, "string", "integer", "decimal", "boolean", "timestamp", "date")),
    "integer": Function("integer(x)", 1, 1, _to(INTEGER, *_NUMERIC, "string", "boolean")),
    "number": Function("number(x)", 1, 1, _to(DOUBLE, *_NUMERIC, "string")),
    "decimal": Function("decimal(x) or decimal(x, digits)", 1, 2, _decimal),
    "year": Function("year(date)", 1, 1, _part_of_date),
    "month": Function("month(date)", 1, 1, _part_of_date),
    "day": Function("day(date)", 1, 1, _part_of_date),
    "make_date": Function("make_date(year, month, day)", 3, 3, _make_date),
    "add_days": Function("add_days(date, days)", 2, 2, _add_days),
    "days_between": Function("days_between(from, to)", 2, 2, _days_between),
    "timestamp": Function("timestamp(date)", 1, 1, _to(TIMESTAMP, "date", "timestamp")),
    "date": Function("date(timestamp)", 1, 1, _to(DATE, "timestamp", "date")),
    "sum": Function("sum(x)", 1, 1, _sum),
    "count": Function("count() or count(x)", 0, 1, _count),
    "mean": Function("mean(x)", 1, 1, _mean),
    "min": Function("min(x)", 1, 1, _same(*_ORDERED)),
    "max": Function("max(x)", 1, 1, _same(*_ORDERED)),
    "first": Function("first(x)", 1, 1, _same(*_ANY)),
    "last": Function("last(x)", 1, 1, _same(*_ANY)),
    "any_true": Function("any_true(condition)", 1, 1, _to_boolean),
    "all_true": Function("all_true(condition)", 1, 1, _to_boolean),
    "count_distinct": Function("count_distinct(x)", 1, 1, _count_distinct),
}
