"""What the operations do with values; None never gets here, and every engine's SQL has to agree with this file.

Doubles are compared as SQL engines do it: NaN, which only an overflow inside an expression can make, equals itself and
lies above everything else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation
from typing import Any

from ethogram.core.expressions.types import MAX_SCALE, WHOLE_DIGITS

LEAST_INTEGER, MOST_INTEGER = -(2**63), 2**63 - 1
SPACE = " \t\n\r\v\f"
INTEGER_TEXT = r"[+-]?[0-9]+"
DECIMAL_TEXT = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
NUMBER_TEXT = DECIMAL_TEXT + r"([eE][+-]?[0-9]+)?"

# Enough digits for any product of two decimals: nothing is ever rounded unless asked for.
_CONTEXT = Context(prec=100, rounding=ROUND_HALF_UP, traps=[InvalidOperation])
_EXACT = Context(prec=100, traps=[InvalidOperation, Inexact])
_UNITS = [Decimal(1).scaleb(-scale) for scale in range(MAX_SCALE + 1)]
_DECIMAL_LIMIT = Decimal(10**WHOLE_DIGITS)
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


class OutOfRange(Exception):
    """A value that the result's type cannot hold; users meet it as an EvaluationError."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what, self.hint = what, hint
        super().__init__(what)


def integer(value: int) -> int:
    """The value, if 64 bits hold it."""
    if LEAST_INTEGER <= value <= MOST_INTEGER:
        return value
    raise OutOfRange("integer overflow", "convert with decimal(x, 0) or number(x) first")


def fixed(value: Decimal) -> Decimal:
    """The value, if a decimal holds it."""
    if -_DECIMAL_LIMIT < value < _DECIMAL_LIMIT:
        return value
    raise OutOfRange("decimal overflow", f"decimals have up to {WHOLE_DIGITS} digits before the point")


def rescale(value: Decimal, scale: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """The value with exactly `scale` digits after the point, never a negative zero."""
    rounded = value.quantize(_UNITS[scale], rounding, _CONTEXT)
    return fixed(rounded) if rounded else rounded.copy_abs()


def exact_scale(value: Decimal, scale: int) -> Decimal:
    """The value with `scale` digits after the point; refused if it has more."""
    return fixed(value.quantize(_UNITS[scale], context=_EXACT))


def finite(value: float) -> float:
    if math.isfinite(value):
        return value
    raise OutOfRange("the number is not finite", "its parts are too large for a double")


def add_decimals(a: Decimal, b: Decimal) -> Decimal:
    return fixed(_CONTEXT.add(a, b))


def subtract_decimals(a: Decimal, b: Decimal) -> Decimal:
    return fixed(_CONTEXT.subtract(a, b))


def multiply_decimals(a: Decimal, b: Decimal) -> Decimal:
    return fixed(_CONTEXT.multiply(a, b))


def total(found: Iterable[Decimal]) -> Decimal:
    exact = Decimal(0)
    for value in found:
        exact = _CONTEXT.add(exact, value)
    return fixed(exact)


def divide(a: float, b: float) -> float | None:
    return None if b == 0 else a / b


def modulo_integers(a: int, b: int) -> int | None:
    if b == 0:
        return None
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


def modulo_decimals(a: Decimal, b: Decimal) -> Decimal | None:
    return None if b == 0 else _CONTEXT.remainder(a, b)


def modulo_doubles(a: float, b: float) -> float | None:
    if b == 0:
        return None
    return math.nan if math.isinf(a) else math.fmod(a, b)


def round_double(value: float, digits: int) -> float:
    """`value × 10^digits` rounded half away from zero, divided again: in double arithmetic, as databases do it."""
    factor = float(10**digits)
    scaled = abs(value * factor)
    if not math.isfinite(scaled):
        return value
    whole = math.floor(scaled)
    return math.copysign(float(whole + (scaled - whole >= 0.5)), value) / factor


def floor_double(value: float) -> float:
    return float(math.floor(value)) if math.isfinite(value) else value


def ceil_double(value: float) -> float:
    return float(math.ceil(value)) if math.isfinite(value) else value


def floor_decimal(value: Decimal) -> Decimal:
    return rescale(value, 0, ROUND_FLOOR)


def ceil_decimal(value: Decimal) -> Decimal:
    return rescale(value, 0, ROUND_CEILING)


def double_equal(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


def double_less(a: float, b: float) -> bool:
    return a < b or (b != b and a == a)


def lower(text: str) -> str:
    return text.translate(_LOWER)


def upper(text: str) -> str:
    return text.translate(_UPPER)


def replace(text: str, old: str, new: str) -> str:
    return text.replace(old, new) if old else text


def integer_of_double(value: float) -> int:
    return integer(int(round_double(finite(value), 0)))


def integer_of_decimal(value: Decimal) -> int:
    return integer(int(rescale(value, 0)))


def integer_of_text(text: str) -> int | None:
    if re.fullmatch(INTEGER_TEXT, text) is None:
        return None
    value = int(Decimal(text))
    return value if LEAST_INTEGER <= value <= MOST_INTEGER else None


def double_of_text(text: str) -> float | None:
    if re.fullmatch(NUMBER_TEXT, text) is None:
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def decimal_of_text(text: str, scale: int) -> Decimal | None:
    if re.fullmatch(DECIMAL_TEXT, text) is None:
        return None
    value = Decimal(text)
    try:
        return rescale(value, scale) if value.copy_abs() <= _DECIMAL_LIMIT else None
    except OutOfRange:
        return None


def decimal_of_double(value: float, scale: int) -> Decimal:
    """The shortest decimal that reads back as the same double, rounded half away from zero: 1.005 becomes 1.01."""
    shortest = Decimal(repr(finite(value)))
    return rescale(fixed(shortest), scale)


def text_of_decimal(value: Decimal, scale: int) -> str:
    return format(rescale(value, scale), "f")


def text_of_boolean(value: bool) -> str:
    return "true" if value else "false"


def text_of_timestamp(value: datetime) -> str:
    return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def make_date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        raise OutOfRange(f"there is no day {year}-{month}-{day}", "years run from 1 to 9999") from None


def add_days(moment: date, days: int) -> date:
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        raise OutOfRange("the day is out of range", "years run from 1 to 9999") from None


def days_between(start: date, end: date) -> int:
    return (end - start).days


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def read_integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return integer(value)
    raise TypeError


def read_double(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise TypeError


def read_decimal(value: Any, scale: int) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError
    try:
        return exact_scale(Decimal(value), scale)
    except (Inexact, InvalidOperation):
        raise OutOfRange(f"the value has more than {scale} digits after the point", "round it before") from None


def read_string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def read_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError


def read_timestamp(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    raise TypeError


def read_date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise TypeError


READERS: dict[str, Callable[[Any], Any]] = {
    "integer": read_integer,
    "double": read_double,
    "string": read_string,
    "boolean": read_boolean,
    "timestamp": read_timestamp,
    "date": read_date,
}
