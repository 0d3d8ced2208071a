"""An expression's text as tokens."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ethogram.core.expressions.errors import ExpressionError
from ethogram.core.expressions.syntax import KEYWORDS
from ethogram.core.expressions.types import MAX_SCALE, WHOLE_DIGITS

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_TOKEN = re.compile(
    rf"""(?P<space>[ \t\r\n]+)
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.]))
    |(?P<string>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<name>{_NAME}(?:\.{_NAME})*)
    |(?P<symbol><=|>=|<>|!=|=(?!=)|[-+*/%<>(),])""",
    re.VERBOSE,
)
_PLAIN_NAME = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_UNCLOSED = {"'": "the text is not closed", '"': "the name is empty or not closed"}
_HINTS = {
    "=": "equality is a single =",
    "!": "write not, or != for unequal",
    "&": "write and",
    "|": "write or; texts are joined by concat(a, b)",
    ";": "there is one expression and nothing else",
    ".": "a number starts with a digit, as in 0.5",
}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is name, literal, keyword, symbol or end; `value` a literal's value, a name, a keyword or a symbol."""

    kind: str
    value: Any
    position: int


def is_plain(name: str) -> bool:
    """Whether a name needs no double quotes.

    >>> is_plain("purchase_rhythm.purchases_180d"), is_plain("Unit Price"), is_plain("and")
    (True, False, False)
    """
    return _PLAIN_NAME.fullmatch(name) is not None and name.lower() not in KEYWORDS


def tokens(text: str, *, where: str) -> list[Token]:
    """All tokens of a text, an `end` token last."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position, where)
        kind, raw = str(match.lastgroup), match.group()
        if kind == "number":
            found.append(Token("literal", _number(raw, text, position, where), position))
        elif kind == "string":
            found.append(Token("literal", raw[1:-1].replace("''", "'"), position))
        elif kind == "quoted":
            found.append(Token("name", raw[1:-1].replace('""', '"'), position))
        elif kind == "name":
            keyword = raw.lower() in KEYWORDS
            found.append(Token("keyword" if keyword else "name", raw.lower() if keyword else raw, position))
        elif kind == "symbol":
            found.append(Token("symbol", "!=" if raw == "<>" else raw, position))
        position = match.end()
    return [*found, Token("end", "", len(text))]


def _unreadable(text: str, position: int, where: str) -> ExpressionError:
    start = text[position]
    if start.isdigit():
        what, hint = "this is not a number", "digits, then perhaps .digits and e5; a name does not start with a digit"
    elif start in _UNCLOSED:
        what, hint = _UNCLOSED[start], f"the closing {start} is missing"
    else:
        what = f"{start!r} is not part of the language"
        hint = _HINTS.get(start, "a name with other than letters, digits and underscores is written in double quotes")
    return ExpressionError(text, position=position, what=what, hint=hint, where=where)


def _number(raw: str, text: str, position: int, where: str) -> int | Decimal | float:
    if "e" in raw or "E" in raw:
        double = float(raw)
        if math.isinf(double):
            hint = "the greatest double is about 1.8e308"
            raise ExpressionError(text, position=position, what=f"{raw} is too large", hint=hint, where=where)
        return double
    if "." not in raw:
        return int(raw)
    fixed = Decimal(raw)
    if len(raw.split(".")[1]) > MAX_SCALE or fixed >= 10**WHOLE_DIGITS:
        what = f"a decimal has up to {WHOLE_DIGITS} digits before the point and {MAX_SCALE} after it"
        hint = f"write a double, as in {float(raw)!r}e0"
        raise ExpressionError(text, position=position, what=what, hint=hint, where=where)
    return fixed
