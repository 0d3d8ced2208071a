"""One text for one meaning: what digests are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ethogram.core.expressions.lexer import is_plain
from ethogram.core.expressions.syntax import COMPARISONS, Expression, Node

_OR, _AND, _NOT, _TEST, _SUM, _PRODUCT, _UNARY, _PRIMARY = range(1, 9)
_LEVELS = {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PRODUCT}


def normalise(expression: Expression) -> str:
    """The expression with one spacing, lower-case keywords and functions, and no needless parentheses.

    Parsing it again gives the same expression; spelling, order and digits of numbers stay as they were meant.

    >>> from ethogram.core.expressions import normalise, parse
    >>> normalise(parse("((Quantity>0))  AND (NOT price IS NULL and not(x <> ABS( 1.50 )))"))
    'Quantity > 0 and price is not null and not x != abs(1.50)'
    """
    return _text(expression.root)


def _text(node: Node, least: int = _OR) -> str:
    """The node's text, in parentheses if it binds less tightly than `least`."""
    text, level = _plain(node)
    return text if level >= least else f"({text})"


def _plain(node: Node) -> tuple[str, int]:
    if node.op == "literal":
        return _literal(node.value)
    if node.op == "name":
        return (node.value if is_plain(node.value) else '"' + node.value.replace('"', '""') + '"'), _PRIMARY
    if node.op == "call":
        return f"{node.value}({', '.join(_text(arg) for arg in node.args)})", _PRIMARY
    if node.op == "negate":
        operand = node.args[0]
        return "-" + (f"({_text(operand)})" if operand.op == "literal" else _text(operand, _UNARY)), _UNARY
    if node.op == "not":
        operand = node.args[0]
        if operand.op in ("is null", "between", "in"):
            return _test(operand, "not "), _TEST
        return f"not {_text(operand, _NOT)}", _NOT
    if node.op in ("is null", "between", "in") or node.op in COMPARISONS:
        return _test(node, ""), _TEST
    level = _LEVELS[node.op]
    if node.op in ("and", "or"):
        return f" {node.op} ".join(_text(arg, level + 1) for arg in node.args), level
    left, right = node.args
    return f"{_text(left, level)} {node.op} {_text(right, level + 1)}", level


def _test(node: Node, negation: str) -> str:
    args = [_text(arg, _SUM) for arg in node.args]
    if node.op == "is null":
        return f"{args[0]} is {negation}null"
    if node.op == "between":
        return f"{args[0]} {negation}between {args[1]} and {args[2]}"
    if node.op == "in":
        return f"{args[0]} {negation}in ({', '.join(_text(arg) for arg in node.args[1:])})"
    return f"{args[0]} {node.op} {args[1]}"


def _literal(value: Any) -> tuple[str, int]:
    match value:
        case None:
            return "null", _PRIMARY
        case bool():
            return str(value).lower(), _PRIMARY
        case str():
            return "'" + value.replace("'", "''") + "'", _PRIMARY
        case float():
            text = repr(value) if "e" in repr(value) else f"{value!r}e0"
        case Decimal():
            text = format(value, "f")
        case _:
            text = str(value)
    return text, _UNARY if text.startswith("-") else _PRIMARY
