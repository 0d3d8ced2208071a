"""The expression language in DuckDB's SQL.

Integers are BIGINT, decimals DECIMAL(20 + scale, scale), timestamps TIMESTAMP in UTC. Three habits of DuckDB shape it:

- its optimizer solves `x + 1 > 10` for x and folds `x * 0`, which would hide an overflow; add(), subtract() and
  multiply() are left alone;
- what is needed twice and is more than a column goes through a lambda over a one-element list (10 ns a row);
- casts of doubles to decimals and of large decimals to doubles are inexact, so they go through text where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import ClassVar

from ethogram.core.expressions import Expression, Type, Typed, decimal
from ethogram.core.expressions.sql import LOWER, UPPER, LambdaWriter, quoted
from ethogram.core.expressions.types import MAX_SCALE, WHOLE_DIGITS
from ethogram.core.expressions.values import DECIMAL_TEXT, INTEGER_TEXT, NUMBER_TEXT, SPACE

__all__ = ["emit", "quoted", "sql_type", "type_of"]

_KINDS = {
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "UTINYINT": "integer",
    "USMALLINT": "integer",
    "UINTEGER": "integer",
    "FLOAT": "double",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
_NEAR_A_TIE = "0.001"
_SAFELY_ROUNDED = 2**40
_EXACT_DOUBLE = 2**53


def emit(
    expression: Expression,
    types: Mapping[str, Type],
    column: Callable[[str], str] | None = None,
    *,
    to: Type | None = None,
    order: str | None = None,
) -> str:
    """SQL of an expression's value over one row, or over a group if it has aggregates.

    A row for which the Python function fails makes the query fail, except where DuckDB finds that the failing part does
    not matter. `TRY(…)` around the whole turns a failure into null.

    Args:
        expression: What `parse` gave.
        types: The type of every name that may be used. A column of another type is cast; times with a zone are cast to
            UTC only if the session's TimeZone is UTC.
        column: SQL of a name; by default the name itself, quoted.
        to: Make the value this type, as in `resolve`.
        order: SQL of the rows' order inside a group, without ties: needed for `first` and `last`.

    >>> from ethogram.core.expressions import DOUBLE, INTEGER, parse
    >>> types = {"Quantity": INTEGER, "UnitPrice": DOUBLE}
    >>> emit(parse("Quantity > 0 and UnitPrice > 0.5"), types)
    '((CAST("Quantity" AS BIGINT) > BIGINT \\'0\\') AND (CAST("UnitPrice" AS DOUBLE) > DOUBLE \\'0.5\\'))'
    """
    return _Writer.emit(expression, types, column or quoted, to=to, order=order)


def sql_type(type_: Type) -> str:
    """The SQL type of an expression's value."""
    return _Writer.sql_type(type_)


def type_of(declared: str) -> Type | None:
    """The language's type for a column of DuckDB's type `declared`, None if expressions cannot use such a column.

    Nanoseconds, 128-bit and unsigned 64-bit integers, more than 20 digits before a decimal's point, and nested values
    are not for expressions.

    >>> str(type_of("DECIMAL(18,6)")), str(type_of("INTEGER")), type_of("HUGEINT")
    ('decimal(6)', 'integer', None)
    """
    if declared.startswith("DECIMAL("):
        width, scale = (int(part) for part in declared[8:-1].split(","))
        return decimal(scale) if scale <= MAX_SCALE and width - scale <= WHOLE_DIGITS else None
    if declared.startswith("ENUM("):
        return Type("string")
    kind = _KINDS.get(declared)
    return Type(kind) if kind else None  # type: ignore[arg-type]  # the values of _KINDS are kinds


class _Writer(LambdaWriter):
    types: ClassVar[Mapping[str, str]] = {
        "integer": "BIGINT",
        "double": "DOUBLE",
        "string": "VARCHAR",
        "boolean": "BOOLEAN",
        "timestamp": "TIMESTAMP",
        "date": "DATE",
    }
    calls: ClassVar[Mapping[str, str]] = {
        name: name
        for name in (
            *("starts_with", "ends_with", "contains", "replace", "length"),
            *("least", "greatest", "coalesce", "year", "month", "day"),
        )
    }

    def text(self, value: str) -> str:
        return _text(value)

    def bind(self, value: str, body: Callable[[str], str]) -> str:
        return f"list_transform([{value}], lambda v: {body('v')})[1]"

    def record(self, values: Mapping[str, str]) -> str:
        return "{" + ", ".join(f"'{name}': {value}" for name, value in values.items()) + "}"

    def error(self, what: str, type_: Type) -> str:
        # A cast that fails, and not error(): around what calls error(), DuckDB allows no TRY.
        return f"CAST({_text(f'ethogram: {what}')} AS {sql_type(type_)})"

    def later(self, moment: str, days: str, type_: Type) -> str:
        return f"({moment} + {days if type_.kind == 'date' else f'to_days({days})'})"

    def outermost(self, op: str, x: str, order: str) -> str:
        return f"{'arg_min' if op == 'first' else 'arg_max'}({x}, {order})"

    def finite(self, node: Typed) -> str:
        wrong = self.error("the number is not finite", node.type)
        return self.let([node], lambda x: f"CASE WHEN NOT isfinite({x}) THEN {wrong} ELSE {x} END")

    def _call(self, node: Typed) -> str:
        return self.checked(f"{node.op}({self.args(node)})", node.type)

    _add = _subtract = _multiply = _abs = _floor = _ceil = _call

    def _divide(self, node: Typed) -> str:
        return f"({self.sql(node.args[0])} / {self.divisor(node.args[1], 'WHEN 0 THEN NULL')})"

    def _modulo(self, node: Typed) -> str:
        # The least BIGINT % -1 overflows; % 1 gives the same 0.
        one = " WHEN -1 THEN 1" if node.type.kind == "integer" else ""
        left, right = node.args
        return f"mod({self.sql(left)}, {self.checked(self.divisor(right, f'WHEN 0 THEN NULL{one}'), right.type)})"

    def divisor(self, node: Typed, cases: str) -> str:
        if node.literal and node.value not in (0, -1, None):
            return self.sql(node)
        return self.let([node], lambda x: f"CASE {x} {cases} ELSE {x} END")

    def _round(self, node: Typed) -> str:
        return self.checked(f"round({self.sql(node.args[0])}, {node.value:d})", node.type)

    def _lower(self, node: Typed) -> str:
        return self.let(node.args, lambda x: _ascii_case(x, "lower", UPPER, LOWER))

    def _upper(self, node: Typed) -> str:
        return self.let(node.args, lambda x: _ascii_case(x, "upper", LOWER, UPPER))

    def _trim(self, node: Typed) -> str:
        return f"trim({self.sql(node.args[0])}, {_text(SPACE)})"

    def _days_between(self, node: Typed) -> str:
        start, end = (self.sql(arg) for arg in node.args)
        return f"date_diff('day', {start}, {end})"

    def _to_integer(self, node: Typed) -> str:
        (arg,) = node.args
        if arg.type.kind == "string":
            return self.let([arg], lambda x: _read(x, INTEGER_TEXT, "BIGINT"))
        # A cast rounds doubles half to even, round() rounds them half away from zero.
        x = f"round({self.sql(arg)})" if arg.type.kind == "double" else self.sql(arg)
        return f"CAST({x} AS BIGINT)"

    def _to_double(self, node: Typed) -> str:
        (arg,) = node.args
        if arg.type.kind == "string":
            # Read as a double, 1e999 is infinite: no number at all.
            read = self.let([arg], lambda x: _read(x, NUMBER_TEXT, "DOUBLE"))
            return f"list_filter([{read}], lambda v: isfinite(v))[1]"
        if arg.type.kind == "integer":
            return f"CAST({self.sql(arg)} AS DOUBLE)"
        return self.let([arg], lambda x: _double_of_decimal(x, arg.type.scale))

    def _to_decimal(self, node: Typed) -> str:
        (arg,), target = node.args, sql_type(node.type)
        if arg.type.kind == "string":
            return self.let([arg], lambda x: _read(x, DECIMAL_TEXT, target))
        if arg.type.kind == "double":
            return self.let([arg], lambda x: _decimal_of_double(x, node.type))
        return f"CAST({self.sql(arg)} AS {target})"

    def _to_text(self, node: Typed) -> str:
        (arg,) = node.args
        if arg.type.kind == "timestamp":
            return f"strftime({self.sql(arg)}, '%Y-%m-%dT%H:%M:%S.%fZ')"
        return f"CAST({self.sql(arg)} AS VARCHAR)"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _ascii_case(x: str, function: str, old: str, new: str) -> str:
    """Only A to Z change; for text of ASCII alone, where bytes and characters are as many, DuckDB's own is quicker."""
    return f"CASE WHEN strlen({x}) = length({x}) THEN {function}({x}) ELSE translate({x}, '{old}', '{new}') END"


def _read(x: str, form: str, target: str) -> str:
    return f"CASE WHEN regexp_full_match({x}, {_text(form)}) THEN TRY_CAST({x} AS {target}) END"


def _double_of_decimal(x: str, scale: int) -> str:
    """The nearest double: one division of exact doubles while the digits fit in 53 bits, else by way of the text."""
    limit = f"{Decimal(_EXACT_DOUBLE).scaleb(-scale):f}"
    cast = f"CAST({x} AS DOUBLE)"
    return f"CASE WHEN abs({x}) <= {limit} THEN {cast} ELSE CAST(CAST({x} AS VARCHAR) AS DOUBLE) END"


def _decimal_of_double(x: str, type_: Type) -> str:
    """The shortest decimal text of the double, rounded half away from zero.

    Going by way of the text is slow; a product that is not near a tie rounds in the same way, and most are not.
    """
    power = f"DOUBLE '1e{type_.scale}'"
    scaled = f"(abs({x}) * {power})"
    clear = f"abs({scaled} - floor({scaled}) - 0.5) > {_NEAR_A_TIE}"
    unit = f"{sql_type(type_)} '{Decimal(1).scaleb(-type_.scale):f}'"
    target = sql_type(type_)
    return (
        f"CASE WHEN {scaled} < {_SAFELY_ROUNDED} AND {clear} "
        f"THEN CAST(multiply(CAST(round({x} * {power}) AS BIGINT), {unit}) AS {target}) "
        f"ELSE CAST(CAST({x} AS VARCHAR) AS {target}) END"
    )
