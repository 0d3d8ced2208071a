"""The expression language in PostgreSQL's SQL, for databases of our states: functions of schema `ethogram` help.

Integers are BIGINT, decimals DECIMAL(20 + scale, scale), timestamps TIMESTAMP in UTC, texts of collation "C". Some
habits of PostgreSQL shape it:

- arithmetic of doubles fails where others go on with infinity or zero, and there is no `%` of them;
- doubles round half to even, and casts of doubles to numeric keep 15 digits;
- the planner computes constants, even of a branch that no row takes: they are computed here, and fail at a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import ClassVar

from ethogram.core.expressions import EvaluationError, Expression, Type, Typed
from ethogram.core.expressions.closure import constant_value
from ethogram.core.expressions.sql import SqlWriter, mixed, quoted
from ethogram.core.expressions.syntax import AGGREGATES
from ethogram.core.expressions.values import SPACE

__all__ = ["emit", "quoted", "sql_type"]

_DECIDING = {"if": 0, "coalesce": 0, "and": 0, "or": 0, "least": 0, "greatest": 0, "between": 1, "in": 1, "nullif": 1}
"""How many of an operation's arguments, from the first, make it null by being null; all of any other's."""


def emit(
    expression: Expression,
    types: Mapping[str, Type],
    column: Callable[[str], str] | None = None,
    *,
    to: Type | None = None,
    order: str | None = None,
) -> str:
    """SQL of an expression's value over one row, or over a group if it has aggregates.

    A row for which the Python function fails makes the query fail, except where PostgreSQL finds that the failing part
    does not matter. A `%` in the SQL is one: give no parameters to psycopg beside it, or double it.

    Args:
        expression: What `parse` gave.
        types: The type of every name that may be used. A column of another type is cast; times have a zone.
        column: SQL of a name; by default the name itself, quoted.
        to: Make the value this type, as in `resolve`.
        order: SQL of the rows' order inside a group, without ties: needed for `first` and `last`.

    >>> from ethogram.core.expressions import DOUBLE, INTEGER, parse
    >>> types = {"Quantity": INTEGER, "UnitPrice": DOUBLE}
    >>> print(emit(parse("Quantity > 0 and Quantity * UnitPrice > 0.5"), types))  # doctest: +NORMALIZE_WHITESPACE
    ((CAST("Quantity" AS BIGINT) > BIGINT '0')
      AND (ethogram.times(CAST(CAST("Quantity" AS BIGINT) AS DOUBLE PRECISION), CAST("UnitPrice" AS DOUBLE PRECISION))
      > DOUBLE PRECISION '0.5'))
    """
    return _Writer.emit(expression, types, column or quoted, to=to, order=order)


def sql_type(type_: Type) -> str:
    """The SQL type of an expression's value."""
    return _Writer.sql_type(type_)


class _Writer(SqlWriter):
    types: ClassVar[Mapping[str, str]] = {
        "integer": "BIGINT",
        "double": "DOUBLE PRECISION",
        "string": "TEXT",
        "boolean": "BOOLEAN",
        "timestamp": "TIMESTAMP",
        "date": "DATE",
    }
    calls: ClassVar[Mapping[str, str]] = {
        **{name: name for name in ("starts_with", "replace", "least", "greatest", "coalesce", "lower", "upper", "abs")},
        "make_date": "ethogram.day_of",
        "add_days": "ethogram.days_later",
        "divide": "ethogram.over",
    }

    def prepared(self, root: Typed) -> Typed:
        return self.without_constants(root)

    def without_constants(self, node: Typed) -> Typed:
        """The operation with everything computed that the planner would compute, which fails there and not at a row."""
        if not node.args:
            return node
        node = replace(node, args=tuple(self.without_constants(arg) for arg in node.args))
        if node.op in AGGREGATES:
            return node
        match node.op:
            case "if" if node.args[0].literal:
                return node.args[1] if node.args[0].value else node.args[2]
            case "coalesce":
                args = [arg for arg in node.args if not (arg.literal and arg.value is None)]
                found = next((index for index, arg in enumerate(args) if arg.literal), len(args))
                args = args[: found + 1] or [_literal(node, None)]
                return args[0] if len(args) == 1 else replace(node, args=tuple(args))
            case "and" | "or" if any(arg.literal and arg.value is (node.op == "or") for arg in node.args):
                return _literal(node, node.op == "or")
        if all(arg.literal for arg in node.args):
            try:
                return _literal(node, constant_value(node, self.expression))
            except EvaluationError as problem:
                return Typed("fail", node.type, value=problem.what, position=node.position)
        deciding = node.args[: _DECIDING.get(node.op, len(node.args))]
        return _literal(node, None) if any(arg.literal and arg.value is None for arg in deciding) else node

    def _fail(self, node: Typed) -> str:
        return f"CAST(ethogram.fail({self.text(node.value)}) AS {sql_type(node.type)})"

    def literal(self, node: Typed) -> str:
        match node.value:
            case datetime():
                return f"TIMESTAMP '{node.value.replace(tzinfo=None).isoformat(sep=' ')}'"
            case date():
                return f"DATE '{node.value.isoformat()}'"
        return super().literal(node)

    def text(self, value: str) -> str:
        return f"""(TEXT {_quoted_text(value)} COLLATE "C")"""

    def name(self, node: Typed) -> str:
        column = self.column(str(node.value))
        if node.type.kind == "string":
            return f"""(CAST({column} AS TEXT) COLLATE "C")"""
        if node.type.kind == "timestamp":
            return f"(CAST({column} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
        return super().name(node)

    def finite(self, node: Typed) -> str:
        if not node.literal:
            return f"ethogram.finite({self.sql(node)})"
        if node.value is None or math.isfinite(node.value):
            return self.sql(node)
        return self._fail(replace(node, value="the number is not finite"))

    def outermost(self, op: str, x: str, order: str) -> str:
        ordered = order if op == "first" else f"{order} DESC"
        return f"(array_agg({x} ORDER BY {ordered}) FILTER (WHERE {x} IS NOT NULL))[1]"

    def alike(self, nodes: Sequence[Typed]) -> list[str]:
        if not mixed(nodes):
            return super().alike(nodes)
        return [
            f"ethogram.exact({self.sql(node)})" if node.type.kind == "double" else f"CAST({self.sql(node)} AS NUMERIC)"
            for node in nodes
        ]

    def _nullif(self, node: Typed) -> str:
        a, b = self.alike(node.args)
        # Beside another type the first argument becomes that type.
        return f"CAST(nullif({a}, {b}) AS {sql_type(node.type)})"

    def _add(self, node: Typed) -> str:
        left, right = (self.sql(arg) for arg in node.args)
        return self.arithmetic(node, "+", "plus", left, right)

    def _subtract(self, node: Typed) -> str:
        left, right = (self.sql(arg) for arg in node.args)
        return self.arithmetic(node, "-", "plus", left, f"(- {right})" if node.type.kind == "double" else right)

    def _multiply(self, node: Typed) -> str:
        left, right = (self.sql(arg) for arg in node.args)
        return self.arithmetic(node, "*", "times", left, right)

    def arithmetic(self, node: Typed, operator: str, function: str, left: str, right: str) -> str:
        if node.type.kind == "double":
            return f"ethogram.{function}({left}, {right})"
        return self.checked(f"({left} {operator} {right})", node.type)

    def _modulo(self, node: Typed) -> str:
        left, right = (self.sql(arg) for arg in node.args)
        if node.type.kind == "double":
            return f"ethogram.remainder({left}, {right})"
        return self.checked(f"mod({left}, nullif({right}, 0))", node.type)

    def _floor(self, node: Typed) -> str:
        return self.checked(f"{node.op}({self.sql(node.args[0])})", node.type)

    _ceil = _floor

    def _round(self, node: Typed) -> str:
        (arg,) = node.args
        if node.type.kind == "decimal":
            return self.checked(self.sql(arg), node.type)
        return f"ethogram.rounded({self.sql(arg)}, 1e{node.value:d})"

    def _length(self, node: Typed) -> str:
        return f"CAST(length({self.sql(node.args[0])}) AS BIGINT)"

    def _trim(self, node: Typed) -> str:
        return f"btrim({self.sql(node.args[0])}, {_quoted_text(SPACE)})"

    def _ends_with(self, node: Typed) -> str:
        text, end = (self.sql(arg) for arg in node.args)
        return f"starts_with(reverse({text}), reverse({end}))"

    def _contains(self, node: Typed) -> str:
        return f"(strpos({self.args(node)}) > 0)"

    def _part(self, node: Typed) -> str:
        return f"CAST(extract({node.op} FROM {self.sql(node.args[0])}) AS BIGINT)"

    _year = _month = _day = _part

    def _days_between(self, node: Typed) -> str:
        start, end = (self.sql(arg) for arg in node.args)
        return f"CAST({end} - {start} AS BIGINT)"

    def _to_integer(self, node: Typed) -> str:
        (arg,) = node.args
        x = self.sql(arg)
        match arg.type.kind:
            case "string":
                return f"ethogram.integer_of({x})"
            case "double":
                x = f"ethogram.rounded({x}, 1)"
            case "boolean":
                x = f"CAST({x} AS INTEGER)"
        return f"CAST({x} AS BIGINT)"

    def _to_double(self, node: Typed) -> str:
        (arg,) = node.args
        x = self.sql(arg)
        return f"ethogram.number_of({x})" if arg.type.kind == "string" else f"CAST({x} AS DOUBLE PRECISION)"

    def _to_decimal(self, node: Typed) -> str:
        (arg,) = node.args
        x = self.sql(arg)
        if arg.type.kind in ("string", "double"):
            x = f"ethogram.decimal_of({x}, {node.type.scale:d})"
        return self.checked(x, node.type)

    def _to_text(self, node: Typed) -> str:
        (arg,) = node.args
        x = self.sql(arg)
        if arg.type.kind == "timestamp":
            x = f"""to_char({x}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        elif arg.type.kind == "date":
            x = f"to_char(CAST({x} AS TIMESTAMP), 'YYYY-MM-DD')"
        return f"""(CAST({x} AS TEXT) COLLATE "C")"""


def _literal(node: Typed, value: object) -> Typed:
    return Typed("literal", node.type, value=value, position=node.position)


def _quoted_text(value: str) -> str:
    """A literal that means the same whether backslashes are special in this session or not."""
    quotes = "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return f"E{quotes}" if "\\" in value else quotes
