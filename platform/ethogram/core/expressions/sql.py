"""The walk by which an expression becomes SQL: what all engines write alike. Each engine's adapter says the rest.

A writer has a method for each operation of `typed`, named after it; what is one function call stands in `calls`.
Nothing of an expression's text reaches the SQL except names that the caller's types know and texts, both quoted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

from ethogram.core.expressions.meaning import resolve
from ethogram.core.expressions.syntax import AGGREGATES, COMPARISONS, Expression
from ethogram.core.expressions.typed import Typed
from ethogram.core.expressions.types import WHOLE_DIGITS, Type

UPPER, LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
FARTHEST_DAYS = 4_000_000
"""More days than the calendar has."""

_CALENDAR = {
    "date": ("DATE '0001-01-01'", "DATE '9999-12-31'"),
    "timestamp": ("TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"),
}
_INTEGERS_END = float(2**63)


def quoted(name: str) -> str:
    """A name as standard SQL reads it, whatever characters it has.

    >>> print(quoted('the "odd" name'))
    "the ""odd"" name"
    """
    return '"' + name.replace('"', '""') + '"'


def mixed(nodes: Sequence[Typed]) -> bool:
    """Whether integers meet doubles, which compare exactly, as a common type of both could not do."""
    return {node.type.kind for node in nodes} == {"integer", "double"}


class SqlWriter(ABC):
    """One engine's SQL.

    Args:
        expression: What is written.
        column: SQL of a name.
        order: SQL that orders the rows of a group, without ties: `first` and `last` need it.
    """

    types: ClassVar[Mapping[str, str]]
    """The engine's type by kind; decimals aside."""
    calls: ClassVar[Mapping[str, str]]
    """The engine's function by operation, where it takes the same arguments and can neither overflow nor surprise."""

    def __init__(self, expression: Expression, column: Callable[[str], str], order: str | None) -> None:
        self.expression, self.column, self.order = expression, column, order

    @classmethod
    def sql_type(cls, type_: Type) -> str:
        """The engine's type of an expression's value."""
        if type_.kind == "decimal":
            return f"DECIMAL({WHOLE_DIGITS + type_.scale}, {type_.scale})"
        return cls.types[type_.kind]

    @classmethod
    def emit(
        cls,
        expression: Expression,
        types: Mapping[str, Type],
        column: Callable[[str], str],
        *,
        to: Type | None = None,
        order: str | None = None,
    ) -> str:
        """SQL of the expression's value; a double that is not finite is an error, as in the Python function."""
        writer = cls(expression, column, order)
        resolved = resolve(expression, types, to=to)
        root = writer.prepared(resolved)
        return writer.finite(root) if root.type.kind == "double" and not resolved.literal else writer.sql(root)

    def prepared(self, root: Typed) -> Typed:
        """The operation as the engine should see it."""
        return root

    def sql(self, node: Typed) -> str:
        """SQL of one operation and all below it."""
        if node.literal:
            return self.literal(node)
        if node.op == "name":
            return self.name(node) if node.type.kind != "null" else "NULL"
        if node.op in AGGREGATES or node.op == "count_rows":
            return self.aggregate(node)
        special = getattr(self, f"_{node.op.replace(' ', '_')}", None)
        if special is not None:
            return str(special(node))
        if node.op in COMPARISONS:
            return self.comparison(node)
        if node.op in ("and", "or"):
            return "(" + f" {node.op.upper()} ".join(self.sql(arg) for arg in node.args) + ")"
        return f"{self.calls[node.op]}({self.args(node)})"

    @abstractmethod
    def finite(self, node: Typed) -> str:
        """The double, or an error."""

    @abstractmethod
    def text(self, value: str) -> str:
        """A text in quotes that it cannot leave."""

    def args(self, node: Typed) -> str:
        return ", ".join(self.sql(arg) for arg in node.args)

    def alike(self, nodes: Sequence[Typed]) -> list[str]:
        """SQL of what is compared."""
        return [self.sql(node) for node in nodes]

    def name(self, node: Typed) -> str:
        return f"CAST({self.column(str(node.value))} AS {self.sql_type(node.type)})"

    def literal(self, node: Typed) -> str:
        value, kind = node.value, node.type.kind
        if value is None:
            return "NULL" if kind == "null" else f"CAST(NULL AS {self.sql_type(node.type)})"
        match kind:
            case "boolean":
                return "TRUE" if value else "FALSE"
            case "string":
                return self.text(value)
            case "double":
                return self.constant(repr(value), node.type)
            case "decimal":
                return self.constant(f"{Decimal(value):f}", node.type)
        return self.constant(f"{value:d}", node.type)

    def constant(self, written: str, type_: Type) -> str:
        """A number."""
        return f"{self.sql_type(type_)} '{written}'"

    def checked(self, sql: str, type_: Type) -> str:
        """Engines widen decimals as they grow; casting back is what finds the overflow."""
        return f"CAST({sql} AS {self.sql_type(type_)})" if type_.kind == "decimal" else sql

    def comparison(self, node: Typed) -> str:
        left, right = self.alike(node.args)
        return f"({left} {node.op} {right})"

    def _between(self, node: Typed) -> str:
        x, low, high = self.alike(node.args)
        return f"({x} BETWEEN {low} AND {high})"

    def _in(self, node: Typed) -> str:
        x, *items = self.alike(node.args)
        return f"({x} IN ({', '.join(items)}))"

    def _is_null(self, node: Typed) -> str:
        return f"({self.sql(node.args[0])} IS NULL)"

    def _not(self, node: Typed) -> str:
        return f"(NOT {self.sql(node.args[0])})"

    def _if(self, node: Typed) -> str:
        condition, then, otherwise = (self.sql(arg) for arg in node.args)
        return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"

    def _negate(self, node: Typed) -> str:
        return f"(- {self.sql(node.args[0])})"

    def _concat(self, node: Typed) -> str:
        return "(" + " || ".join(self.sql(arg) for arg in node.args) + ")"

    def _substring(self, node: Typed) -> str:
        start, length = node.value
        return f"substring({self.sql(node.args[0])}, {start:d}, {length:d})"

    def _to_date(self, node: Typed) -> str:
        return f"CAST({self.sql(node.args[0])} AS DATE)"

    def _to_timestamp(self, node: Typed) -> str:
        return f"CAST({self.sql(node.args[0])} AS TIMESTAMP)"

    def aggregate(self, node: Typed) -> str:
        if node.op == "count_rows":
            return "count(*)"
        x = self.sql(node.args[0])
        match node.op:
            case "count_distinct":
                return f"count(DISTINCT {x})"
            case "sum":
                return f"CAST(coalesce({self.total(x, node.type)}, 0) AS {self.sql_type(node.type)})"
            case "first" | "last":
                if self.order is None:
                    raise ValueError(f"{node.op} needs the SQL of the rows' order")
                return self.outermost(node.op, x, self.order)
            case "any_true":
                return f"bool_or({x})"
            case "all_true":
                return f"bool_and({x})"
        return f"{node.op}({x})"

    def total(self, x: str, type_: Type) -> str:  # noqa: ARG002 - for engines that overflow on the way
        return f"sum({x})"

    @abstractmethod
    def outermost(self, op: str, x: str, order: str) -> str:
        """The first or last value that is not null."""


class LambdaWriter(SqlWriter):
    """An engine that has no names for intermediate values, but lambdas over lists.

    Writing a part twice doubles the text at every level, so what is needed twice and is more than a column is bound by
    a lambda over a list of one.
    """

    @abstractmethod
    def bind(self, value: str, body: Callable[[str], str]) -> str:
        """`body` of a name for the value."""

    @abstractmethod
    def record(self, values: Mapping[str, str]) -> str:
        """A struct of the values."""

    @abstractmethod
    def error(self, what: str, type_: Type) -> str:
        """What fails when it is evaluated, and not before."""

    @abstractmethod
    def later(self, moment: str, days: str, type_: Type) -> str:
        """A date or timestamp some days later; the days are a small integer."""

    def let(self, nodes: Sequence[Typed], body: Callable[..., str]) -> str:
        """`body` of the nodes' SQL, which it may write more than once: each is evaluated once."""
        if all(node.literal or node.op == "name" for node in nodes):
            return body(*(self.sql(node) for node in nodes))
        if len(nodes) == 1:
            return self.bind(self.sql(nodes[0]), body)
        parts = {f"p{index}": self.sql(node) for index, node in enumerate(nodes)}
        return self.bind(self.record(parts), lambda v: body(*(f"{v}.{name}" for name in parts)))

    def comparison(self, node: Typed) -> str:
        left, right = node.args
        if not mixed(node.args):
            return super().comparison(node)
        return self.let(node.args, lambda a, b: self.compared(node.op, a, left.type, b, right.type))

    def compared(self, op: str, a: str, a_type: Type, b: str, b_type: Type) -> str:
        """The integer's nearest double decides, unless it is equal: then the double is whole and has an exact integer.

        The one exception is 2^63, which is the nearest double of integers and no integer itself.
        """
        if a_type.kind == "double" and b_type.kind == "integer":
            turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
            return self.compared(turned, b, b_type, a, a_type)
        if not (a_type.kind == "integer" and b_type.kind == "double"):
            return f"({a} {op} {b})"
        near, end = f"CAST({a} AS {self.sql_type(b_type)})", self.constant(repr(_INTEGERS_END), b_type)
        exact = f"{a} {op} CAST({b} AS {self.sql_type(a_type)})"
        below = "TRUE" if op in ("<", "<=", "!=") else "FALSE"
        return (
            f"CASE WHEN {near} = {b} THEN CASE WHEN {b} < {end} THEN {exact} ELSE {below} END ELSE {near} {op} {b} END"
        )

    def _between(self, node: Typed) -> str:
        x, low, high = node.args
        if not mixed(node.args):
            return super()._between(node)

        def body(value: str, least: str, most: str) -> str:
            above = self.compared(">=", value, x.type, least, low.type)
            return f"({above} AND {self.compared('<=', value, x.type, most, high.type)})"

        return self.let(node.args, body)

    def _in(self, node: Typed) -> str:
        x, *items = node.args
        if not mixed(node.args):
            return super()._in(node)

        def body(value: str, *rest: str) -> str:
            pairs = zip(rest, items, strict=True)
            return "(" + " OR ".join(self.compared("=", value, x.type, text, item.type) for text, item in pairs) + ")"

        return self.let(node.args, body)

    def _nullif(self, node: Typed) -> str:
        a, b = node.args

        def body(value: str, other: str) -> str:
            return f"CASE WHEN {self.compared('=', value, a.type, other, b.type)} THEN NULL ELSE {value} END"

        return self.let(node.args, body)

    def _make_date(self, node: Typed) -> str:
        # Every part beyond this is no date, as 0 is none, but a cast to INTEGER would fail beside a null too.
        parts = [self.clamped(arg, 0, 9999, below="0", above="0") for arg in node.args]
        made, year = f"make_date({', '.join(parts)})", node.args[0]
        return made if year.literal and 1 <= year.value <= 9999 else self.in_calendar(made, node.type)

    def _add_days(self, node: Typed) -> str:
        moment, days = node.args
        far = FARTHEST_DAYS
        steps = self.clamped(days, -far, far, below=f"-{far}", above=f"{far}")
        return self.in_calendar(self.later(self.sql(moment), steps, node.type), node.type)

    def clamped(self, node: Typed, least: int, most: int, *, below: str, above: str) -> str:
        """The integer as INTEGER, which the functions of dates want."""
        if node.literal and node.value is not None and least <= node.value <= most:
            return str(node.value)
        return self.let(
            [node],
            lambda x: (
                f"CASE WHEN {x} < {least} THEN {below} WHEN {x} > {most} THEN {above} ELSE CAST({x} AS INTEGER) END"
            ),
        )

    def in_calendar(self, sql: str, type_: Type) -> str:
        first, last = _CALENDAR[type_.kind]
        wrong = self.error("years run from 1 to 9999", type_)
        return self.bind(sql, lambda v: f"CASE WHEN {v} NOT BETWEEN {first} AND {last} THEN {wrong} ELSE {v} END")
