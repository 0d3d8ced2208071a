"""What an expression says, before anything is known about the types of its names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_CHARACTERS = 4096
MAX_DEPTH = 50
MAX_NODES = 500

KEYWORDS = frozenset({"and", "or", "not", "is", "null", "in", "between", "true", "false"})
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
AGGREGATES = frozenset(
    {"sum", "count", "mean", "min", "max", "first", "last", "any_true", "all_true", "count_distinct"}
)


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: `op` is an operator, `call`, `name` or `literal`; `value` the function, the name or the value.

    A literal's value is an int, a Decimal (fixed-point), a float, a str, a bool or None. Positions do not take part in
    equality: the same meaning written with other spaces is the same node.
    """

    op: str
    args: tuple[Node, ...] = ()
    value: Any = None
    position: int = field(default=0, compare=False)

    def walk(self) -> Iterator[Node]:
        """This node and all below it, outermost first."""
        yield self
        for arg in self.args:
            yield from arg.walk()


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression: its text, the names that it reads, and whether it sums up many rows."""

    text: str
    root: Node = field(repr=False)
    names: frozenset[str]
    aggregates: bool = False
    where: str = ""
