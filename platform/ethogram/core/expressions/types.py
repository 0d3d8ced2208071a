"""The types of the expression language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["integer", "decimal", "double", "string", "boolean", "timestamp", "date", "null"]

MAX_SCALE = 18
WHOLE_DIGITS = 20
"""A decimal holds this many digits before the point, whatever its scale: with 18 after it that is decimal128."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type; `scale` is the number of digits after a decimal's point, 0 for every other kind.

    >>> str(decimal(6)), str(INTEGER)
    ('decimal(6)', 'integer')
    """

    kind: Kind
    scale: int = 0

    def __str__(self) -> str:
        return f"decimal({self.scale})" if self.kind == "decimal" else self.kind

    @property
    def noun(self) -> str:
        """For messages: an integer, a decimal(6)."""
        return f"an {self}" if self.kind == "integer" else str(self) if self.kind == "null" else f"a {self}"

    @property
    def numeric(self) -> bool:
        return self.kind in ("integer", "decimal", "double")

    @property
    def ordered(self) -> bool:
        return self.kind not in ("boolean", "null")


INTEGER = Type("integer")
DOUBLE = Type("double")
STRING = Type("string")
BOOLEAN = Type("boolean")
TIMESTAMP = Type("timestamp")
DATE = Type("date")
NULL = Type("null")


def decimal(scale: int) -> Type:
    """The fixed-point type with `scale` digits after the point; money is `decimal(6)`."""
    if not 0 <= scale <= MAX_SCALE:
        raise ValueError(f"a decimal's scale is 0 to {MAX_SCALE}, not {scale}")
    return Type("decimal", scale)
