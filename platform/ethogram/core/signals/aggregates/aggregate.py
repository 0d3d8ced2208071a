"""What planning must know of an aggregate: which properties it takes, what it gives, what its features are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ethogram.core.signals.declaration import Setting
from ethogram.errors import AskedWrongly

ADDABLE = frozenset({"integer", "number", "money"})
ORDERED = frozenset({*ADDABLE, "double", "timestamp", "date"})
ANY = frozenset({*ORDERED, "string", "boolean"})
SECONDS = {"weeks": 7 * 86400, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


class BadFeature(AskedWrongly):
    """A feature whose settings make no sense; planning adds file and line."""

    code = "bad-feature"


@dataclass(frozen=True, slots=True)
class Naming:
    """What a default name is made of: `purchase`, `purchases`, the property, "30d" or "", and the settings; for buckets
    their property, and the key of one bucket alone."""

    noun: str
    plural: str
    property: str
    window: str
    settings: Mapping[str, Setting]
    by: str = ""
    key: str = ""

    def joined(self, *parts: object) -> str:
        """Parts, the bucket and the window, by underscores; empty ones are left out."""
        return "_".join(str(part) for part in (*parts, self.key, self.window) if part not in {"", None})


def value_type(kind: str) -> str:
    """Type of a feature that is one value of a property: fixed-point ones leave as decimal(38, 6)."""
    return "decimal" if kind in {"money", "number"} else kind


def own_type(kind: str | None, _: Mapping[str, Setting]) -> str:
    """The property's own type."""
    assert kind is not None
    return value_type(kind)


def always(kind: str) -> Callable[[str | None, Mapping[str, Setting]], str]:
    """The same type, whatever the property."""
    return lambda _property, _settings: kind


def _own_unit(own: str, _: Mapping[str, Setting]) -> str:
    return own


def no_check(_: Mapping[str, Setting], __: Any) -> None:
    """Every setting is good."""


def no_events(_: Mapping[str, Setting]) -> str:
    """There are none."""
    return "no {noun} {span}"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A primitive. Its value is defined by `reference` and computed by `kernel`, both under the same name.

    Attributes:
        accepts: Types of property that it takes; None for one that takes no property.
        type: Type of the value from the property's type and the settings: "integer", "decimal", "double", "string",
            "boolean", "timestamp", "date", or "list<…>" and "map<…>" of these.
        label: The default name.
        unit: Unit of the value from the property's unit and the settings.
        empty: Value over no events; None is null.
        exact: False for approximate ones: equal within a relative 1e-9.
        check: Raises BadFeature for settings that make no sense; is given the window too.
        ordered: Whether the order of events that occurred at the same instant can matter.
        spans: How many windows back it looks: 2 for one that also looks at the window before.
        lacks: Why a value is null, from the settings; {noun}, {plural} and {span} ("in the last 30d") are filled in.
        inside: Over sessions, it looks at the events inside of each.
        windowed: False for one that has no window: asking for one is refused; None for either.
        also: Settings that name other properties that it reads, of the types that it takes.
    """

    name: str
    accepts: frozenset[str] | None
    type: Callable[[str | None, Mapping[str, Setting]], str]
    label: Callable[[Naming], str]
    unit: Callable[[str, Mapping[str, Setting]], str] = _own_unit
    empty: int | None = None
    exact: bool = True
    check: Callable[[Mapping[str, Setting], Any], None] = no_check
    windowed: bool | None = None
    also: tuple[str, ...] = ()
    ordered: bool = True
    inside: bool = False
    spans: int = 1
    lacks: Callable[[Mapping[str, Setting]], str] = no_events
