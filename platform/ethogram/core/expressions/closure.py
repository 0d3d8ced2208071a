"""An expression as a Python function: what one row is answered with online, and what engines are compared with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from ethogram.core.expressions import values
from ethogram.core.expressions.errors import EvaluationError, ExpressionError
from ethogram.core.expressions.meaning import resolve
from ethogram.core.expressions.syntax import AGGREGATES, COMPARISONS, Expression
from ethogram.core.expressions.typed import Typed
from ethogram.core.expressions.types import Type

Row = Mapping[str, Any]
Rows = Sequence[Row]
_Function = Callable[..., Any]


def compile(expression: Expression, types: Mapping[str, Type], *, to: Type | None = None) -> Callable[[Row], Any]:
    """A function from a row to the expression's value; null is None, in and out.

    Rows map names to int, Decimal, float, str, bool, datetime (with a time zone), date or None, as `types` says; any
    other value is refused rather than converted. All of a row's names have to be there. `to` makes the result a
    type, as in `resolve`.

    >>> from ethogram.core.expressions import INTEGER, compile, parse
    >>> rate = compile(parse("refunds / nullif(purchases, 0)"), {"refunds": INTEGER, "purchases": INTEGER})
    >>> rate({"refunds": 1, "purchases": 4}), rate({"refunds": 1, "purchases": 0})
    (0.25, None)
    """
    if expression.aggregates:
        raise ValueError("the expression sums up many rows: use compile_aggregate")
    root = resolve(expression, types, to=to)
    return _finished(_Builder(expression).build(root), root, expression)


def compile_aggregate(
    expression: Expression, types: Mapping[str, Type], *, to: Type | None = None
) -> Callable[[Rows], Any]:
    """A function from the rows of one group, in their order, to the expression's value.

    Aggregates leave nulls out; `first` and `last` go by the order of the rows.

    >>> from ethogram.core.expressions import INTEGER, compile_aggregate, decimal, parse
    >>> total = compile_aggregate(parse("sum(n * price)", aggregates=True), {"n": INTEGER, "price": decimal(2)})
    >>> total([{"n": 2, "price": Decimal("1.25")}, {"n": None, "price": Decimal("9.99")}])
    Decimal('2.50')
    """
    root = resolve(expression, types, to=to)
    if expression.names and not expression.aggregates:
        name = next(node for node in root.walk() if node.op == "name")
        raise ExpressionError(
            expression.text,
            position=name.position,
            what=f"{name.value!r} stands outside an aggregate",
            hint=f"write first({name.value})",
            where=expression.where,
        )
    return _finished(_Builder(expression).build(root), root, expression)


def constant_value(node: Typed, expression: Expression) -> Any:
    """The value of an operation that has no names below it: for engines that would compute it too early."""
    return _Builder(expression).build(node)(None)


def _finished(run: _Function, root: Typed, expression: Expression) -> Callable[[Any], Any]:
    """The function with the last rules: a double is finite, a decimal has all its digits."""
    finish: _Function
    if root.type.kind == "double":
        finish = values.finite
    elif root.type.kind == "decimal":
        finish = partial(values.rescale, scale=root.type.scale)
    else:
        return run
    return _strict(finish, [run], root, expression)


def _failed(problem: values.OutOfRange, node: Typed, expression: Expression) -> EvaluationError:
    return EvaluationError(
        expression.text,
        position=node.position,
        what=problem.what,
        hint=problem.hint,
        where=expression.where,
    )


def _strict(function: _Function, parts: Sequence[_Function], node: Typed, expression: Expression) -> _Function:
    """`function` of all parts' values, null if one of them is null; what is out of range is an error with its place."""

    def one(row: Any) -> Any:
        value = first(row)
        try:
            return None if value is None else function(value)
        except values.OutOfRange as problem:
            raise _failed(problem, node, expression) from None

    def two(row: Any) -> Any:
        left, right = first(row), second(row)
        try:
            return None if left is None or right is None else function(left, right)
        except values.OutOfRange as problem:
            raise _failed(problem, node, expression) from None

    def many(row: Any) -> Any:
        found = [part(row) for part in parts]
        try:
            return None if None in found else function(*found)
        except values.OutOfRange as problem:
            raise _failed(problem, node, expression) from None

    first = parts[0]
    if len(parts) == 1:
        return one
    if len(parts) == 2:
        second = parts[1]
        return two
    return many


class _Builder:
    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    def build(self, node: Typed) -> _Function:
        if node.op == "literal":
            return _always(node.value)
        if node.op == "name":
            return self.name(node)
        if node.op == "count_rows":
            return len
        if node.op in AGGREGATES:
            return self.aggregate(node)
        parts = [self.build(arg) for arg in node.args]
        if node.op in _LAZY:
            return _LAZY[node.op](parts)
        if node.op in _ORDERING:
            return _ORDERING[node.op](parts, _order(node))
        return _strict(_function(node), parts, node, self.expression)

    def name(self, node: Typed) -> _Function:
        name, expression = str(node.value), self.expression
        if node.type.kind == "null":
            return _always(None)
        read = values.READERS.get(node.type.kind) or partial(values.read_decimal, scale=node.type.scale)

        def run(row: Row) -> Any:
            try:
                value = row[name]
                return None if value is None else read(value)
            except values.OutOfRange as problem:
                raise _failed(problem, node, expression) from None
            except KeyError:
                missing = values.OutOfRange(f"the row has no {name!r}", "a value that is not known is None")
                raise _failed(missing, node, expression) from None
            except TypeError:
                hint = "times carry a time zone" if node.type.kind == "timestamp" else "convert it before"
                # The value itself may be somebody's: it stays out of messages and logs.
                wrong = values.OutOfRange(f"{name!r} is a {type(value).__name__}, and {node.type.noun} is needed", hint)
                raise _failed(wrong, node, expression) from None

        return run

    def aggregate(self, node: Typed) -> _Function:
        part = self.build(node.args[0])
        expression, summary = self.expression, _summary(node)

        def run(rows: Rows) -> Any:
            found = [value for value in map(part, rows) if value is not None]
            try:
                return summary(found)
            except values.OutOfRange as problem:
                raise _failed(problem, node, expression) from None

        return run


def _always(value: Any) -> _Function:
    return lambda _row: value


def _and(parts: Sequence[_Function]) -> _Function:
    def run(row: Any) -> bool | None:
        found = [part(row) for part in parts]
        return False if False in found else None if None in found else True

    return run


def _or(parts: Sequence[_Function]) -> _Function:
    def run(row: Any) -> bool | None:
        found = [part(row) for part in parts]
        return True if True in found else None if None in found else False

    return run


def _if(parts: Sequence[_Function]) -> _Function:
    condition, then, otherwise = parts
    return lambda row: then(row) if condition(row) else otherwise(row)


def _coalesce(parts: Sequence[_Function]) -> _Function:
    def run(row: Any) -> Any:
        for part in parts:
            if (value := part(row)) is not None:
                return value
        return None

    return run


def _is_null(parts: Sequence[_Function]) -> _Function:
    (part,) = parts
    return lambda row: part(row) is None


# Of `and` and `or` every part runs, though engines may skip one that cannot matter: what works here works everywhere.
_LAZY: dict[str, Callable[[Sequence[_Function]], _Function]] = {
    "and": _and,
    "or": _or,
    "if": _if,
    "coalesce": _coalesce,
    "is null": _is_null,
}


@dataclass(frozen=True, slots=True)
class _Order:
    """How values of a type compare."""

    equal: Callable[[Any, Any], bool]
    less: Callable[[Any, Any], bool]

    def greater(self, a: Any, b: Any) -> bool:
        return self.less(b, a)


_PLAIN = _Order(operator.eq, operator.lt)
_DOUBLE = _Order(values.double_equal, values.double_less)


def _order(node: Typed) -> _Order:
    """How the operation's arguments compare."""
    return _DOUBLE if any(arg.type.kind == "double" for arg in node.args) else _PLAIN


def _between(parts: Sequence[_Function], order: _Order) -> _Function:
    part, low, high = parts

    def run(row: Any) -> bool | None:
        value, least, most = part(row), low(row), high(row)
        if value is None:
            return None
        above = None if least is None else not order.less(value, least)
        below = None if most is None else not order.less(most, value)
        return False if above is False or below is False else None if above is None or below is None else True

    return run


def _in(parts: Sequence[_Function], order: _Order) -> _Function:
    part, *rest = parts

    def run(row: Any) -> bool | None:
        value, items = part(row), [item(row) for item in rest]
        if value is None:
            return None
        if any(item is not None and order.equal(value, item) for item in items):
            return True
        return None if None in items else False

    return run


def _nullif(parts: Sequence[_Function], order: _Order) -> _Function:
    left, right = parts

    def run(row: Any) -> Any:
        value, other = left(row), right(row)
        return None if value is None or (other is not None and order.equal(value, other)) else value

    return run


def _least(parts: Sequence[_Function], order: _Order) -> _Function:
    return lambda row: _extreme([part(row) for part in parts], order.less)


def _greatest(parts: Sequence[_Function], order: _Order) -> _Function:
    return lambda row: _extreme([part(row) for part in parts], order.greater)


def _extreme(found: Sequence[Any], better: Callable[[Any, Any], bool]) -> Any:
    best = None
    for value in found:
        if best is None or (value is not None and better(value, best)):
            best = value
    return best


_ORDERING: dict[str, Callable[[Sequence[_Function], _Order], _Function]] = {
    "between": _between,
    "in": _in,
    "nullif": _nullif,
    "least": _least,
    "greatest": _greatest,
}


def _comparisons(order: _Order) -> dict[str, _Function]:
    return {
        "=": order.equal,
        "!=": lambda a, b: not order.equal(a, b),
        "<": order.less,
        "<=": lambda a, b: not order.less(b, a),
        ">": order.greater,
        ">=": lambda a, b: not order.less(a, b),
    }


_COMPARISONS = {order: _comparisons(order) for order in (_PLAIN, _DOUBLE)}

_BY_KIND: dict[tuple[str, str], _Function] = {
    ("add", "integer"): lambda a, b: values.integer(a + b),
    ("add", "decimal"): values.add_decimals,
    ("add", "double"): operator.add,
    ("subtract", "integer"): lambda a, b: values.integer(a - b),
    ("subtract", "decimal"): values.subtract_decimals,
    ("subtract", "double"): operator.sub,
    ("multiply", "integer"): lambda a, b: values.integer(a * b),
    ("multiply", "decimal"): values.multiply_decimals,
    ("multiply", "double"): operator.mul,
    ("divide", "double"): values.divide,
    ("modulo", "integer"): values.modulo_integers,
    ("modulo", "decimal"): values.modulo_decimals,
    ("modulo", "double"): values.modulo_doubles,
    ("negate", "integer"): lambda a: values.integer(-a),
    ("negate", "decimal"): Decimal.copy_negate,
    ("negate", "double"): operator.neg,
    ("abs", "integer"): lambda a: values.integer(abs(a)),
    ("abs", "decimal"): Decimal.copy_abs,
    ("abs", "double"): abs,
    ("floor", "decimal"): values.floor_decimal,
    ("floor", "double"): values.floor_double,
    ("ceil", "decimal"): values.ceil_decimal,
    ("ceil", "double"): values.ceil_double,
    ("to_integer", "decimal"): values.integer_of_decimal,
    ("to_integer", "double"): values.integer_of_double,
    ("to_integer", "string"): values.integer_of_text,
    ("to_integer", "boolean"): int,
    ("to_double", "integer"): float,
    ("to_double", "decimal"): float,
    ("to_double", "string"): values.double_of_text,
    ("to_text", "integer"): str,
    ("to_text", "boolean"): values.text_of_boolean,
    ("to_text", "date"): lambda day: day.isoformat(),
    ("to_text", "timestamp"): values.text_of_timestamp,
    ("to_date", "timestamp"): lambda moment: moment.date(),
    ("to_timestamp", "date"): values.midnight,
}

_ANY_KIND: dict[str, _Function] = {
    "not": operator.not_,
    "concat": lambda *parts: "".join(parts),
    "lower": values.lower,
    "upper": values.upper,
    "trim": lambda text: text.strip(values.SPACE),
    "length": len,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": operator.contains,
    "replace": values.replace,
    "year": operator.attrgetter("year"),
    "month": operator.attrgetter("month"),
    "day": operator.attrgetter("day"),
    "make_date": values.make_date,
    "add_days": values.add_days,
    "days_between": values.days_between,
}


def _function(node: Typed) -> _Function:
    """What the operation does with its arguments' values, none of them null."""
    kind, scale = node.args[0].type.kind, node.type.scale
    if node.op in COMPARISONS:
        return _COMPARISONS[_order(node)][node.op]
    match node.op, kind:
        case "round", "double":
            return lambda value: values.round_double(value, node.value)
        case "round", _:
            return partial(values.rescale, scale=scale)
        case "to_decimal", "integer":
            return Decimal
        case "to_decimal", "decimal":
            return partial(values.rescale, scale=scale)
        case "to_decimal", "double":
            return partial(values.decimal_of_double, scale=scale)
        case "to_decimal", _:
            return partial(values.decimal_of_text, scale=scale)
        case "to_text", "decimal":
            return partial(values.text_of_decimal, scale=node.args[0].type.scale)
        case "substring", _:
            start, length = node.value
            return lambda text: text[start - 1 : start - 1 + length]
    return _BY_KIND.get((node.op, kind)) or _ANY_KIND[node.op]


_SUMMARIES: dict[str, _Function] = {
    "count": len,
    "count_distinct": lambda found: len({"NaN" if value != value else value for value in found}),
    "first": lambda found: found[0] if found else None,
    "last": lambda found: found[-1] if found else None,
    "any_true": lambda found: any(found) if found else None,
    "all_true": lambda found: all(found) if found else None,
}


def _summary(node: Typed) -> _Function:
    """What the aggregate makes of a group's values that are not null."""
    match node.op, node.type.kind:
        case "sum", "integer":
            return lambda found: values.integer(sum(found))
        case "sum", _:
            return values.total
        case "min", _:
            return partial(_extreme, better=_order(node).less)
        case "max", _:
            return partial(_extreme, better=_order(node).greater)
    return _SUMMARIES[node.op]
