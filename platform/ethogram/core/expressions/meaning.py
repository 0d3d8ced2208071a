"""What an expression means once the types of its names are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ethogram.core.expressions.errors import ExpressionError
from ethogram.core.expressions.functions import FUNCTIONS, Call
from ethogram.core.expressions.syntax import COMPARISONS, Expression, Node
from ethogram.core.expressions.typed import Mismatch, Typed, common, comparable, conversion_hint, convert
from ethogram.core.expressions.types import BOOLEAN, DOUBLE, INTEGER, MAX_SCALE, NULL, STRING, Type, decimal
from ethogram.errors import did_you_mean

_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}
_MOST_NAMES = 8


def check(expression: Expression, types: Mapping[str, Type], *, expect: Type | None = None) -> Type:
    """The type of the expression's value; refused with the place if its parts do not fit together.

    Args:
        expression: What `parse` gave.
        types: The type of every name that may be used.
        expect: What the type has to be, as BOOLEAN for a filter.

    >>> from ethogram.core.expressions import DOUBLE, INTEGER, check, parse
    >>> str(check(parse("items * 1.5"), {"items": INTEGER})), str(check(parse("items / 2"), {"items": INTEGER}))
    ('decimal(1)', 'double')
    """
    found = resolve(expression, types).type
    if expect is not None and found != expect:
        raise _refused(expression, _unfit(found, expect))
    return found


def resolve(expression: Expression, types: Mapping[str, Type], *, to: Type | None = None) -> Typed:
    """The expression with all types and conversions worked out, for those who emit it.

    Args:
        expression: What `parse` gave.
        types: The type of every name that may be used.
        to: Make the value this type: numbers become decimals, rounded half away from zero, or doubles; whatever else
            is not of the type is refused.
    """
    try:
        root = _resolve(expression.root, types)
        if to is None or root.type == to:
            return root
        if root.type == NULL or (root.type.numeric and to.kind in ("decimal", "double")):
            return convert(root, to)
        raise _unfit(root.type, to)
    except Mismatch as problem:
        raise _refused(expression, problem) from None


def _unfit(found: Type, needed: Type) -> Mismatch:
    hint = "compare it with something, as in x > 0" if needed == BOOLEAN else conversion_hint(found, needed)
    return Mismatch(0, f"this is {found.noun}, and {needed.noun} is needed", hint)


def _refused(expression: Expression, problem: Mismatch) -> ExpressionError:
    return ExpressionError(
        expression.text,
        position=problem.position,
        what=problem.what,
        hint=problem.hint,
        where=expression.where,
    )


def _resolve(node: Node, types: Mapping[str, Type]) -> Typed:
    if node.op == "literal":
        return Typed("literal", _literal_type(node.value), value=node.value, position=node.position)
    if node.op == "name":
        return _name(node, types)
    args = tuple(_resolve(arg, types) for arg in node.args)
    if node.op == "call":
        return FUNCTIONS[node.value].rule(Call(node.value, args, node.position))
    if node.op in ("and", "or", "not"):
        return Typed(node.op, BOOLEAN, _conditions(node, args), position=node.position)
    if node.op == "is null":
        return Typed("is null", BOOLEAN, args, position=node.position)
    _refuse_null(node, args)
    if node.op in COMPARISONS or node.op in ("between", "in"):
        return _comparison(node, args)
    return _negation(node, args[0]) if node.op == "negate" else _arithmetic(node, args)


def _literal_type(value: object) -> Type:
    match value:
        case None:
            return NULL
        case bool():
            return BOOLEAN
        case int():
            return INTEGER
        case float():
            return DOUBLE
        case Decimal():
            return decimal(-int(value.as_tuple().exponent))
        case _:
            return STRING


def _name(node: Node, types: Mapping[str, Type]) -> Typed:
    name = str(node.value)
    if name in types:
        return Typed("name", types[name], value=name, position=node.position)
    known = sorted(types)
    listed = ", ".join(known[:_MOST_NAMES]) + (", …" if len(known) > _MOST_NAMES else "")
    otherwise = f"there is {listed}; text is written in single quotes" if known else "no names can be used here"
    raise Mismatch(node.position, f"nothing is named {name!r}", did_you_mean(name, known, otherwise=otherwise))


def _conditions(node: Node, args: Sequence[Typed]) -> tuple[Typed, ...]:
    for arg in args:
        if arg.type not in (BOOLEAN, NULL):
            what = f"{node.op} is for conditions, and this is {arg.type.noun}"
            raise Mismatch(arg.position, what, "compare it with something")
    return tuple(convert(arg, BOOLEAN) for arg in args)


def _refuse_null(node: Node, args: Sequence[Typed]) -> None:
    for arg in args:
        if arg.type == NULL:
            op = "-" if node.op == "negate" else node.op
            raise Mismatch(arg.position, f"{op} with null is always null", "leave it out, or test with is null")


def _comparison(node: Node, args: Sequence[Typed]) -> Typed:
    for arg in args:
        if node.op not in ("=", "!=", "in") and not arg.type.ordered:
            raise Mismatch(arg.position, f"{node.op} needs an order, and a {arg.type} has none", "use = or !=")
    return Typed(node.op, BOOLEAN, comparable(args[0], args[1:]), position=node.position)


def _negation(node: Node, arg: Typed) -> Typed:
    _number(node, arg)
    return Typed("negate", arg.type, (arg,), position=node.position)


def _number(node: Node, arg: Typed) -> None:
    if not arg.type.numeric:
        hint = conversion_hint(arg.type, INTEGER)
        if arg.type == STRING:
            hint = "join texts with concat(a, b), or convert with number(x)"
        elif arg.type.kind in ("date", "timestamp"):
            hint = "use add_days(a, n) or days_between(a, b)"
        op = "-" if node.op == "negate" else node.op
        raise Mismatch(arg.position, f"{op} is for numbers, and this is {arg.type.noun}", hint)


def _arithmetic(node: Node, args: Sequence[Typed]) -> Typed:
    for arg in args:
        _number(node, arg)
    op = _ARITHMETIC[node.op]
    left, right = args
    if op == "divide":
        args = [convert(arg, DOUBLE) for arg in args]
        return Typed(op, DOUBLE, tuple(args), position=node.position)
    kinds = {left.type.kind, right.type.kind}
    if "double" in kinds or (op == "multiply" and left.type.scale + right.type.scale > MAX_SCALE):
        return Typed(op, DOUBLE, (convert(left, DOUBLE), convert(right, DOUBLE)), position=node.position)
    if kinds == {"integer"}:
        return Typed(op, INTEGER, (left, right), position=node.position)
    if op == "modulo":
        left, right = common(args)
        return Typed(op, left.type, (left, right), position=node.position)
    scale = left.type.scale + right.type.scale if op == "multiply" else max(left.type.scale, right.type.scale)
    left, right = (convert(arg, decimal(arg.type.scale)) for arg in args)
    return Typed(op, decimal(scale), (left, right), position=node.position)
