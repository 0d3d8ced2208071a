"""The expression language in DuckDB's SQL.

Integers are BIGINT, decimals DECIMAL(20 + scale, scale), timestamps TIMESTAMP in UTC. Nothing of an expression's text
reaches the SQL except names that the caller's types know and texts, both quoted. Three habits of DuckDB shape it:

- its optimizer solves `x + 1 > 10` for x and folds `x * 0`, which would hide an overflow; add(), subtract() and
  multiply() are left alone;
- SQL has no names for intermediate values, and writing a part twice doubles the text at every level: what is needed
  twice and is more than a column goes through a lambda over a one-element list (10 ns a row);
- casts of doubles to decimals and of large decimals to doubles are inexact, so they go through text where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from ethogram.core.expressions import Expression, Type, Typed, decimal, resolve
from ethogram.core.expressions.syntax import AGGREGATES, COMPARISONS
from ethogram.core.expressions.types import MAX_SCALE, WHOLE_DIGITS
from ethogram.core.expressions.values import DECIMAL_TEXT, INTEGER_TEXT, NUMBER_TEXT, SPACE

_SQL_TYPES = {
    "integer": "BIGINT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
}
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
_CALLS = {
    *("starts_with", "ends_with", "contains", "replace", "length"),
    *("least", "greatest", "coalesce", "abs", "year", "month", "day"),
}
_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_FIRST_DAY, _LAST_DAY = "DATE '0001-01-01'", "DATE '9999-12-31'"
_FIRST_INSTANT, _LAST_INSTANT = "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"
_NEAR_A_TIE = "0.001"
_SAFELY_ROUNDED = 2**40
_EXACT_DOUBLE = 2**53
_FARTHEST_DAYS = 4_000_000  # more than the calendar has


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
    root = resolve(expression, types, to=to)
    emitter = _Emitter(column or quoted, order)
    if root.type.kind == "double" and not root.literal:
        return emitter.let(
            [root],
            lambda x: f"CASE WHEN NOT isfinite({x}) THEN {_error('the number is not finite', root.type)} ELSE {x} END",
        )
    return emitter.sql(root)


def quoted(name: str) -> str:
    """A name as SQL reads it, whatever characters it has.

    >>> print(quoted('the "odd" name'))
    "the ""odd"" name"
    """
    return '"' + name.replace('"', '""') + '"'


def sql_type(type_: Type) -> str:
    """The SQL type of an expression's value."""
    if type_.kind == "decimal":
        return f"DECIMAL({WHOLE_DIGITS + type_.scale}, {type_.scale})"
    return _SQL_TYPES[type_.kind]


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


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _error(what: str, type_: Type) -> str:
    """A cast that fails, and not error(): around what calls error(), DuckDB allows no TRY."""
    return f"CAST({_text(f'ethogram: {what}')} AS {sql_type(type_)})"


class _Emitter:
    def __init__(self, column: Callable[[str], str], order: str | None) -> None:
        self.column, self.order = column, order

    def sql(self, node: Typed) -> str:
        if node.literal:
            return _literal(node)
        if node.op == "name":
            if node.type.kind == "null":
                return "NULL"
            return f"CAST({self.column(str(node.value))} AS {sql_type(node.type)})"
        if node.op in AGGREGATES or node.op == "count_rows":
            return self.aggregate(node)
        special = getattr(self, f"_{node.op.replace(' ', '_')}", None)
        if special is not None:
            return str(special(node))
        if node.op in COMPARISONS:
            return self.comparison(node)
        args = [self.sql(arg) for arg in node.args]
        if node.op in ("and", "or"):
            return "(" + f" {node.op.upper()} ".join(args) + ")"
        if node.op in _CALLS:
            return f"{node.op}({', '.join(args)})"
        return _checked(f"{node.op}({', '.join(args)})", node.type)

    def let(self, nodes: Sequence[Typed], body: Callable[..., str]) -> str:
        """`body` of the nodes' SQL, which it may write more than once: each is evaluated once."""
        if all(node.literal or node.op == "name" for node in nodes):
            return body(*(self.sql(node) for node in nodes))
        if len(nodes) == 1:
            return f"list_transform([{self.sql(nodes[0])}], lambda v: {body('v')})[1]"
        names = [f"p{index}" for index in range(len(nodes))]
        parts = ", ".join(f"'{name}': {self.sql(node)}" for name, node in zip(names, nodes, strict=True))
        return f"list_transform([{{{parts}}}], lambda v: {body(*(f'v.{name}' for name in names))})[1]"

    def comparison(self, node: Typed) -> str:
        left, right = node.args
        if not _mixed(node.args):
            return f"({self.sql(left)} {node.op} {self.sql(right)})"
        return self.let(node.args, lambda a, b: _compared(node.op, a, left.type, b, right.type))

    def _between(self, node: Typed) -> str:
        x, low, high = node.args
        if not _mixed(node.args):
            return f"({self.sql(x)} BETWEEN {self.sql(low)} AND {self.sql(high)})"

        def body(value: str, least: str, most: str) -> str:
            above = _compared(">=", value, x.type, least, low.type)
            return f"({above} AND {_compared('<=', value, x.type, most, high.type)})"

        return self.let(node.args, body)

    def _in(self, node: Typed) -> str:
        x, *items = node.args
        if not _mixed(node.args):
            return f"({self.sql(x)} IN ({', '.join(self.sql(item) for item in items)}))"

        def body(value: str, *rest: str) -> str:
            tests = (_compared("=", value, x.type, text, item.type) for text, item in zip(rest, items, strict=True))
            return "(" + " OR ".join(tests) + ")"

        return self.let(node.args, body)

    def _nullif(self, node: Typed) -> str:
        a, b = node.args

        def body(value: str, other: str) -> str:
            return f"CASE WHEN {_compared('=', value, a.type, other, b.type)} THEN NULL ELSE {value} END"

        return self.let(node.args, body)

    def _is_null(self, node: Typed) -> str:
        return f"({self.sql(node.args[0])} IS NULL)"

    def _not(self, node: Typed) -> str:
        return f"(NOT {self.sql(node.args[0])})"

    def _if(self, node: Typed) -> str:
        condition, then, otherwise = (self.sql(arg) for arg in node.args)
        return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"

    def _negate(self, node: Typed) -> str:
        return f"(- {self.sql(node.args[0])})"

    def _divide(self, node: Typed) -> str:
        return f"({self.sql(node.args[0])} / {self.divisor(node.args[1], 'WHEN 0 THEN NULL')})"

    def _modulo(self, node: Typed) -> str:
        # The least BIGINT % -1 overflows; % 1 gives the same 0.
        one = " WHEN -1 THEN 1" if node.type.kind == "integer" else ""
        left, right = node.args
        return f"mod({self.sql(left)}, {_checked(self.divisor(right, f'WHEN 0 THEN NULL{one}'), right.type)})"

    def divisor(self, node: Typed, cases: str) -> str:
        if node.literal and node.value not in (0, -1, None):
            return self.sql(node)
        return self.let([node], lambda x: f"CASE {x} {cases} ELSE {x} END")

    def _round(self, node: Typed) -> str:
        return _checked(f"round({self.sql(node.args[0])}, {node.value:d})", node.type)

    def _concat(self, node: Typed) -> str:
        return "(" + " || ".join(self.sql(arg) for arg in node.args) + ")"

    def _lower(self, node: Typed) -> str:
        return self.let(node.args, lambda x: _ascii_case(x, "lower", _UPPER, _LOWER))

    def _upper(self, node: Typed) -> str:
        return self.let(node.args, lambda x: _ascii_case(x, "upper", _LOWER, _UPPER))

    def _trim(self, node: Typed) -> str:
        return f"trim({self.sql(node.args[0])}, {_text(SPACE)})"

    def _substring(self, node: Typed) -> str:
        start, length = node.value
        return f"substring({self.sql(node.args[0])}, {start:d}, {length:d})"

    def _make_date(self, node: Typed) -> str:
        # Every part beyond this is no date, as 0 is none, but a cast to INTEGER would fail beside a null too.
        parts = [self.clamped(arg, 0, 9999, below="0", above="0") for arg in node.args]
        made, year = f"make_date({', '.join(parts)})", node.args[0]
        return made if year.literal and 1 <= year.value <= 9999 else _in_calendar(made, node.type)

    def _add_days(self, node: Typed) -> str:
        moment, days = node.args
        far = _FARTHEST_DAYS
        steps = self.clamped(days, -far, far, below=f"-{far}", above=f"{far}")
        steps = steps if node.type.kind == "date" else f"to_days({steps})"
        return _in_calendar(f"({self.sql(moment)} + {steps})", node.type)

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
                return f"CAST(coalesce(sum({x}), 0) AS {sql_type(node.type)})"
            case "first" | "last":
                if self.order is None:
                    raise ValueError(f"{node.op} needs the SQL of the rows' order")
                return f"{'arg_min' if node.op == 'first' else 'arg_max'}({x}, {self.order})"
            case "any_true":
                return f"bool_or({x})"
            case "all_true":
                return f"bool_and({x})"
        return f"{node.op}({x})"


def _literal(node: Typed) -> str:
    value, kind = node.value, node.type.kind
    if value is None:
        return "NULL" if kind == "null" else f"CAST(NULL AS {sql_type(node.type)})"
    match kind:
        case "boolean":
            return "TRUE" if value else "FALSE"
        case "string":
            return _text(value)
        case "double":
            return f"DOUBLE '{value!r}'"
        case "decimal":
            return f"{sql_type(node.type)} '{Decimal(value):f}'"
    return f"BIGINT '{value:d}'"


def _checked(sql: str, type_: Type) -> str:
    """DuckDB widens decimals as they grow; casting back is what finds the overflow."""
    return f"CAST({sql} AS {sql_type(type_)})" if type_.kind == "decimal" else sql


def _mixed(nodes: Sequence[Typed]) -> bool:
    return {node.type.kind for node in nodes} == {"integer", "double"}


def _compared(op: str, a: str, a_type: Type, b: str, b_type: Type) -> str:
    """A comparison; integers and doubles compare exactly, which a common type of both could not do.

    The integer's nearest double decides, unless it is equal: then the double is whole and has an exact integer.
    """
    if a_type.kind == "double" and b_type.kind == "integer":
        turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
        return _compared(turned, b, b_type, a, a_type)
    if not (a_type.kind == "integer" and b_type.kind == "double"):
        return f"({a} {op} {b})"
    near = f"CAST({a} AS DOUBLE)"
    exact = f"CAST({a} AS HUGEINT) {op} TRY_CAST({b} AS HUGEINT)"
    if op == "=":
        return f"({near} = {b} AND {exact})"
    return f"({near} {op.rstrip('=') if op != '!=' else op} {b} OR ({near} = {b} AND {exact}))"


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


def _in_calendar(sql: str, type_: Type) -> str:
    first, last = (_FIRST_DAY, _LAST_DAY) if type_.kind == "date" else (_FIRST_INSTANT, _LAST_INSTANT)
    outside = f"v NOT BETWEEN {first} AND {last}"
    checked = f"CASE WHEN {outside} THEN {_error('years run from 1 to 9999', type_)} ELSE v END"
    return f"list_transform([{sql}], lambda v: {checked})[1]"
