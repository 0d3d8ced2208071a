"""Which events count: an expression over an event's properties and channel, with the types it was checked against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ethogram.core.expressions import BOOLEAN, STRING, Expression, Type, check, compile, decimal, parse

if TYPE_CHECKING:
    from ethogram.core.events import Event
    from ethogram.core.taxonomy import Behavior, Property


@dataclass(frozen=True, slots=True)
class Condition:
    """`expression`, and for each behavior that it meets the types of its names; an event counts where it is true."""

    expression: Expression
    types: Mapping[str, Mapping[str, Type]] = field(hash=False)

    @property
    def text(self) -> str:
        return self.expression.text

    def test(self) -> Callable[[Event], bool]:
        """Whether an event counts; null is not true."""
        compiled = {behavior: compile(self.expression, types) for behavior, types in self.types.items()}

        def holds(event: Event) -> bool:
            row: dict[str, Any] = {name: event.properties.get(name) for name in self.expression.names}
            return compiled[event.behavior](row | {"channel": event.channel}) is True

        return holds


def property_type(declared: Property) -> Type:
    """Type of a property in expressions; money is fixed-point like every number."""
    return decimal(declared.scale) if declared.type in {"money", "number"} else Type(declared.type)  # type: ignore[arg-type]  # the other types have the same names


def condition(text: str | None, behaviors: Sequence[Behavior], *, origin: str) -> Condition | None:
    """The filter in `text`, checked against every behavior that it will meet; None where there is none."""
    if text is None:
        return None
    parsed = parse(text, where=origin)
    types = {b.id: {"channel": STRING, **{n: property_type(p) for n, p in b.properties.items()}} for b in behaviors}
    for known in types.values():
        check(parsed, known, expect=BOOLEAN)
    return Condition(parsed, {id: {n: known[n] for n in sorted(parsed.names)} for id, known in types.items()})
