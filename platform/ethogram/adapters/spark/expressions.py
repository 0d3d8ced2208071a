"""The expression language in Spark's SQL, for sessions of `adapters.spark.session`, which have the settings it needs.

Integers are BIGINT, decimals DECIMAL(20 + scale, scale), timestamps TIMESTAMP in UTC. Some habits of Spark shape it:

- floor() of a double is a BIGINT, and round() goes by way of its decimal text;
- that text is not always the shortest one before Java 19, which decimals of doubles are made of;
- a part that is written twice may be computed before the condition of AND or OR in front of it, but not of CASE;
- sums of BIGINT overflow on the way, even if the whole would not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

from ethogram.core.expressions import Expression, Type, Typed
from ethogram.core.expressions.sql import LOWER, UPPER, LambdaWriter
from ethogram.core.expressions.types import MAX_SCALE
from ethogram.core.expressions.values import DECIMAL_TEXT, INTEGER_TEXT, NUMBER_TEXT, SPACE

__all__ = ["emit", "quoted", "sql_type"]

_WHOLE_DOUBLES = float(2**52)
"""From here on every double is whole."""
_WHOLE_16THS = float(2**56)
"""From here on every double is a whole multiple of 16."""
_TIES_OF_15_DIGITS = 1e14
_ZERO = "CAST(0 AS DECIMAL(1, 0))"
"""Less a decimal: Spark's minus of one keeps 34 digits, and so does its abs()."""
_EXACT_SCALE = 14
"""Up to here a decimal has 34 digits at most; a difference with more is rounded, and text is not."""
_SPARE_DIGITS = 8
"""A sum of decimals needs digits for what it reaches on the way; beyond this scale there are fewer of them."""


def emit(
    expression: Expression,
    types: Mapping[str, Type],
    column: Callable[[str], str] | None = None,
    *,
    to: Type | None = None,
    order: str | None = None,
) -> str:
    r"""SQL of an expression's value over one row, or over a group if it has aggregates.

    A row for which the Python function fails makes the query fail, except where Spark finds that the failing part does
    not matter.

    Args:
        expression: What `parse` gave.
        types: The type of every name that may be used. A column of another type is cast.
        column: SQL of a name; by default the name itself, quoted.
        to: Make the value this type, as in `resolve`.
        order: SQL of the rows' order inside a group, without ties: needed for `first` and `last`.

    >>> from ethogram.core.expressions import DOUBLE, INTEGER, parse
    >>> types = {"Quantity": INTEGER, "UnitPrice": DOUBLE}
    >>> emit(parse("Quantity > 0 and UnitPrice > 0.5"), types).split(" AND ")[1]
    "((CAST(`UnitPrice` AS DOUBLE) + 0D) > CAST('0.5' AS DOUBLE)))"
    """
    return _Writer.emit(expression, types, column or quoted, to=to, order=order)


def quoted(name: str) -> str:
    """A name as Spark reads it, whatever characters it has.

    >>> print(quoted("the `odd` name"))
    `the ``odd`` name`
    """
    return "`" + name.replace("`", "``") + "`"


def sql_type(type_: Type) -> str:
    """The SQL type of an expression's value."""
    return _Writer.sql_type(type_)


def _text(value: str) -> str:
    r"""A literal; `$` is escaped because `${…}` would be replaced in a session that is not ours.

    >>> print(_text("it's ${HOME}"))
    'it\'s \u0024{HOME}'
    """
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\u0024") + "'"


class _Writer(LambdaWriter):
    types: ClassVar[Mapping[str, str]] = {
        "integer": "BIGINT",
        "double": "DOUBLE",
        "string": "STRING",
        "boolean": "BOOLEAN",
        "timestamp": "TIMESTAMP",
        "date": "DATE",
    }
    calls: ClassVar[Mapping[str, str]] = {
        "starts_with": "startswith",
        "ends_with": "endswith",
        **{
            name: name
            for name in ("contains", "replace", "length", "least", "greatest", "coalesce", "year", "month", "day")
        },
    }
    operators: ClassVar[Mapping[str, str]] = {"add": "+", "subtract": "-", "multiply": "*"}

    def text(self, value: str) -> str:
        return _text(value)

    def constant(self, written: str, type_: Type) -> str:
        return f"CAST('{written}' AS {sql_type(type_)})"

    def bind(self, value: str, body: Callable[[str], str]) -> str:
        return f"transform(array({value}), v -> {body('v')})[0]"

    def record(self, values: Mapping[str, str]) -> str:
        return "named_struct(" + ", ".join(f"'{name}', {value}" for name, value in values.items()) + ")"

    def error(self, what: str, type_: Type) -> str:
        return f"CAST(raise_error({_text(f'ethogram: {what}')}) AS {sql_type(type_)})"

    def later(self, moment: str, days: str, type_: Type) -> str:
        return f"date_add({moment}, {days})" if type_.kind == "date" else f"({moment} + make_dt_interval({days}))"

    def outermost(self, op: str, x: str, order: str) -> str:
        return f"{'min_by' if op == 'first' else 'max_by'}({x}, {order}) FILTER (WHERE {x} IS NOT NULL)"

    def total(self, x: str, type_: Type) -> str:
        if type_.kind == "integer":
            return f"sum(CAST({x} AS DECIMAL(20, 0)))"
        if type_.scale <= _SPARE_DIGITS:
            return f"sum({x})"
        rest = f"CAST({x} - floor({x}) AS DECIMAL({MAX_SCALE}, {type_.scale}))"
        return f"sum(floor({x})) + sum({rest})"

    def name(self, node: Typed) -> str:
        # As a filter on Parquet, x = 0 passes files over that have only -0.0; a sum is no such filter, and never -0.0.
        return f"({super().name(node)} + 0D)" if node.type.kind == "double" else super().name(node)

    def finite(self, node: Typed) -> str:
        wrong = self.error("the number is not finite", node.type)
        return self.let([node], lambda x: f"CASE WHEN NOT {_is_finite(x)} THEN {wrong} ELSE {x} END")

    def _operator(self, node: Typed) -> str:
        left, right = (self.sql(arg) for arg in node.args)
        return self.checked(f"({left} {self.operators[node.op]} {right})", node.type)

    _add = _subtract = _multiply = _operator

    def _divide(self, node: Typed) -> str:
        return f"try_divide({self.args(node)})"

    def _modulo(self, node: Typed) -> str:
        return self.checked(f"try_mod({self.args(node)})", node.type)

    def _negate(self, node: Typed) -> str:
        if node.type.kind != "decimal":
            return super()._negate(node)
        return self.let(node.args, lambda x: self._turned(x, node.type))

    def _turned(self, x: str, type_: Type) -> str:
        """`-x` of a decimal, with every digit."""
        if type_.scale <= _EXACT_SCALE:
            return self.checked(f"{_ZERO} - {x}", type_)
        text = f"CAST({x} AS STRING)"
        return (
            f"CASE WHEN {x} < 0 THEN CAST(substr({text}, 2) AS {sql_type(type_)}) WHEN {x} = 0 THEN {x} "
            f"ELSE CAST(concat('-', {text}) AS {sql_type(type_)}) END"
        )

    def _abs(self, node: Typed) -> str:
        if node.type.kind != "decimal":
            return f"abs({self.sql(node.args[0])})"
        return self.let(node.args, lambda x: f"CASE WHEN {x} < 0 THEN {self._turned(x, node.type)} ELSE {x} END")

    def _floor(self, node: Typed) -> str:
        (arg,) = node.args
        if arg.type.kind == "decimal":
            return self.checked(f"{node.op}({self.sql(arg)})", node.type)
        return self.let(
            [arg],
            lambda x: (
                f"CASE WHEN abs({x}) < {_double(_WHOLE_DOUBLES)} THEN CAST({node.op}({x}) AS DOUBLE) ELSE {x} END"
            ),
        )

    _ceil = _floor

    def _round(self, node: Typed) -> str:
        (arg,) = node.args
        if arg.type.kind == "decimal":
            return f"CAST({self.sql(arg)} AS {sql_type(node.type)})"
        return self.rounded(arg, node.value)

    def rounded(self, node: Typed, digits: int) -> str:
        """`x × 10^digits` rounded half away from zero, divided again."""
        factor = _double(float(10**digits))

        def body(x: str) -> str:
            scaled = f"abs({x} * {factor})"
            whole = f"floor({scaled})"
            up = f"CASE WHEN {scaled} - {whole} >= 0.5D THEN 1 ELSE 0 END"
            return (
                f"CASE WHEN {scaled} < {_double(_WHOLE_DOUBLES)} THEN signum({x}) * ({whole} + {up}) / {factor} "
                f"WHEN {_is_finite(scaled)} THEN {x} * {factor} / {factor} ELSE {x} END"
            )

        return self.let([node], body)

    def _lower(self, node: Typed) -> str:
        return f"translate({self.sql(node.args[0])}, '{UPPER}', '{LOWER}')"

    def _upper(self, node: Typed) -> str:
        return f"translate({self.sql(node.args[0])}, '{LOWER}', '{UPPER}')"

    def _trim(self, node: Typed) -> str:
        return f"btrim({self.sql(node.args[0])}, {_text(SPACE)})"

    def _days_between(self, node: Typed) -> str:
        start, end = (self.sql(arg) for arg in node.args)
        return f"CAST(datediff({end}, {start}) AS BIGINT)"

    def _part(self, node: Typed) -> str:
        return f"CAST({node.op}({self.sql(node.args[0])}) AS BIGINT)"

    _year = _month = _day = _length = _part

    def _to_integer(self, node: Typed) -> str:
        (arg,) = node.args
        match arg.type.kind:
            case "string":
                return self.let([arg], lambda x: _read(x, INTEGER_TEXT, "BIGINT"))
            case "double":
                # Spark's cast makes 2^63, which is one too many, the greatest BIGINT.
                wrong = self.error("integer overflow", node.type)
                return self.bind(
                    self.rounded(arg, 0),
                    lambda v: f"CASE WHEN {v} >= {_double(2.0**63)} THEN {wrong} ELSE CAST({v} AS BIGINT) END",
                )
            case "decimal":
                return f"CAST(round({self.sql(arg)}, 0) AS BIGINT)"
        return f"CAST({self.sql(arg)} AS BIGINT)"

    def _to_double(self, node: Typed) -> str:
        (arg,) = node.args
        if arg.type.kind != "string":
            return f"CAST({self.sql(arg)} AS DOUBLE)"
        # Read as a double, 1e999 is infinite: no number at all.
        read = self.let([arg], lambda x: _read(x, NUMBER_TEXT, "DOUBLE"))
        return self.bind(read, lambda v: f"CASE WHEN {_is_finite(v)} THEN {v} END")

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
            return f"date_format({self.sql(arg)}, 'yyyy-MM-dd\\'T\\'HH:mm:ss.SSSSSS\\'Z\\'')"
        return f"CAST({self.sql(arg)} AS STRING)"


def _double(value: float) -> str:
    return f"{value!r}D"


def _is_finite(x: str) -> str:
    return f"(abs({x}) < CAST('Infinity' AS DOUBLE))"


def _read(x: str, form: str, target: str) -> str:
    whole = _text(r"\A(?:" + form + r")\z")  # Java's $ allows a line break after it
    return f"CASE WHEN {x} RLIKE {whole} THEN try_cast({x} AS {target}) END"


def _decimal_of_double(x: str, type_: Type) -> str:
    """The shortest decimal of the double, rounded half away from zero.

    A tie of up to 15 digits is its double's shortest decimal, so comparing with that double decides. Beyond, it is the
    roundest whole number or text that reads back as the same double.
    """
    power, target = float(10**type_.scale), sql_type(type_)
    scaled = f"(abs({x}) * {_double(power)})"
    whole = f"floor({scaled})"
    up = f"CASE WHEN abs({x}) >= (2 * {whole} + 1) / {_double(2 * power)} THEN 1 ELSE 0 END"
    unit = f"CAST('{Decimal(1).scaleb(-type_.scale):f}' AS DECIMAL({MAX_SCALE}, {type_.scale}))"
    texts = [f"format_string('%.{digits}e', {x})" for digits in (14, 15)]
    # 2^63 is no BIGINT, but the greatest double that has an answer is below 2^67.
    exact = f"(CAST({x} / 16 AS BIGINT) * CAST(16 AS DECIMAL(2, 0)))"
    wholes = [f"round({exact}, -{digits})" for digits in (5, 4, 3, 2, 1)]
    shortest, roundest = _reading_back(x, texts, f"CAST({x} AS STRING)"), _reading_back(x, wholes, exact)
    return (
        f"CASE WHEN {scaled} < {_double(_TIES_OF_15_DIGITS)} "
        f"THEN CAST(CAST(CAST(signum({x}) AS BIGINT) * ({whole} + {up}) AS DECIMAL(15, 0)) * {unit} AS {target}) "
        f"WHEN abs({x}) < {_double(_WHOLE_16THS)} THEN CAST({shortest} AS {target}) "
        f"WHEN abs({x}) < 1e20D THEN CAST({roundest} AS {target}) "
        f"ELSE CAST(CAST({x} AS STRING) AS {target}) END"
    )


def _reading_back(x: str, candidates: Sequence[str], otherwise: str) -> str:
    """The first candidate that is the double again."""
    tried = " ".join(f"WHEN CAST({candidate} AS DOUBLE) = {x} THEN {candidate}" for candidate in candidates)
    return f"CASE {tried} ELSE {otherwise} END"
