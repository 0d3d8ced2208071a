"""What can be wrong with an expression: its text or types, or a value that it meets when it runs."""

from __future__ import annotations

from ethogram.errors import AskedWrongly, EthogramError

_SHOWN = 60


class ExpressionError(AskedWrongly):
    """The text is not an expression of the language, or its types do not fit.

    `position` counts characters of `text` from 0; the message counts from 1.

    >>> print(ExpressionError("a >", position=3, what="the expression ends early", hint="a value is missing"))
    the expression ends early; a value is missing (at character 4 of "a >")
    """

    code = "bad-expression"

    def __init__(self, text: str, *, position: int, what: str, hint: str = "", where: str = "") -> None:
        self.text, self.position, self.what, self.hint, self.where = text, position, what, hint, where
        super().__init__(_message(text, position, what, hint, where))


class EvaluationError(EthogramError):
    """A value has no answer: an integer overflow, a number that is not finite, a day that does not exist.

    The engines fail on the same rows, with their own wording.
    """

    code = "expression-failed"

    def __init__(self, text: str, *, position: int, what: str, hint: str = "", where: str = "") -> None:
        self.text, self.position, self.what, self.hint, self.where = text, position, what, hint, where
        super().__init__(_message(text, position, what, hint, where))


def _message(text: str, position: int, what: str, hint: str, where: str) -> str:
    start = 0 if len(text) <= _SHOWN else max(0, min(position - _SHOWN // 2, len(text) - _SHOWN))
    shown = text[start : start + _SHOWN]
    shown = "".join(character if character.isprintable() else " " for character in shown)
    shown = ("…" if start else "") + shown + ("…" if start + _SHOWN < len(text) else "")
    said = "; ".join(part for part in (what, hint) if part)
    return f'{f"{where}: " if where else ""}{said} (at character {position + 1} of "{shown}")'
