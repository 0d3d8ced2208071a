"""What is said about an event besides who, what and when: an amount, a category, a count."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.taxonomy.names import problem_with_name
from ethogram.core.yaml_content import Fields, Findings, Node, shown
from ethogram.errors import AskedWrongly, did_you_mean

TYPES = ("money", "integer", "number", "double", "string", "boolean", "timestamp", "date")
PRIVACY = ("none", "behavioral", "identifying", "sensitive")
DEFAULT_SCALE = 6
MAX_SCALE = 12

_UNIT = r"(1|%|ms|s|min|h|d|wk|mo|a|B|kB|MB|m|km|g|kg|\{[a-z][a-z ]*\})"
_UNITS = re.compile(rf"{_UNIT}(/{_UNIT})?")
_MEASURED = ("integer", "number", "double")
_WRITTEN = {"timestamp": "a UTC time such as 2026-05-01T09:30:00Z", "date": "a date such as 2026-05-01"}


@dataclass(frozen=True, slots=True)
class Property:
    """A typed property of a behavior.

    Attributes:
        name: Lower case; the column of the event and the name in expressions.
        type: money (fixed point, its currency is the source's), integer, number (fixed point), double (no fixed point,
            so it cannot be summed), string, boolean, timestamp (UTC), date.
        unit: UCUM text of integer, number and double: "1" for a plain count, "s", "d", "%", "{point}"; else "".
        required: An event without it is quarantined.
        privacy: none, behavioral, identifying (kept out of the lake) or sensitive.
        enum: The only values that it takes; empty for any.
        scale: Digits after the point of money and number; 0 for the other types.
        brief: One sentence.
    """

    name: str
    type: str
    unit: str = ""
    required: bool = False
    privacy: str = "behavioral"
    enum: tuple[str, ...] = ()
    scale: int = 0
    brief: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def summable(self) -> bool:
        """Whether a sum of it is exact in any order, and so allowed."""
        return self.type in ("money", "integer", "number")

    def problem_with(self, value: Node) -> str:
        """Why a value written in YAML cannot be this property's, or "" when it can.

        >>> Property("items", "integer", unit="1").problem_with("three")
        "items must be an integer, not 'three'"
        >>> Property("kind", "string", enum=("TMA", "Exam")).problem_with("exam")
        "kind cannot be 'exam'; did you mean Exam?"
        """
        good: bool
        wanted = _WRITTEN.get(
            self.type, {"integer": "an integer", "boolean": "true or false"}.get(self.type, self.type)
        )
        if self.type in ("money", "number", "double"):
            good, wanted = isinstance(value, int | float) and not isinstance(value, bool), "a number"
        elif self.type == "integer":
            good = isinstance(value, int) and not isinstance(value, bool)
        elif self.type == "boolean":
            good = isinstance(value, bool)
        elif self.type == "string":
            good, wanted = isinstance(value, str), "text"
        else:
            good = isinstance(value, str) and _is_time(value, whole_day=self.type == "date")
        if not good:
            return f"{self.name} must be {wanted}, not {shown(value)}"
        if self.enum and value not in self.enum:
            hint = did_you_mean(str(value), self.enum, otherwise=f"it is one of {', '.join(self.enum)}")
            return f"{self.name} cannot be {value!r}; {hint}"
        return ""


class UnknownProperty(AskedWrongly):
    code = "unknown-property"

    def __init__(self, name: str, *, behavior: str, known: Collection[str], where: str = "") -> None:
        self.name, self.behavior, self.where = name, behavior, where
        listed = f"its properties are {', '.join(known)}" if known else "it has none"
        hint = did_you_mean(name, known, otherwise=listed)
        super().__init__(f"{where + ': ' if where else ''}{behavior} has no property {name!r}; {hint}")


def read_property(name: str, node: Node, findings: Findings, *, behavior: str, line: int) -> Property:
    """The property that stands under `name`; problems go to `findings`."""
    what = f"{behavior}: property {name}"
    fields = Fields(node, findings, what=what, line=line)
    if problem := problem_with_name(name, like="amount"):
        findings.add(line, f"{behavior}: property {name!r}: {problem}")
    kind = fields.text("type", required=True, among=TYPES)
    unit = fields.text("unit")
    if kind in _MEASURED and not unit:
        fields.add("unit", f'{what}: a property of type {kind} needs a unit; "1" for a plain count')
    elif kind and kind not in _MEASURED and unit:
        why = "takes its currency from the source" if kind == "money" else f"is a {kind}"
        fields.add("unit", f"{what}: drop the unit; it {why}")
    elif unit and not _UNITS.fullmatch(unit):
        fields.add("unit", f'{what}: {unit!r} is no unit; write UCUM, as "s", "d", "%", "1" or "{{point}}"')
    scale = 0
    if kind == "number":
        scale = fields.integer("scale", default=DEFAULT_SCALE, low=0, high=MAX_SCALE)
    elif fields.has("scale"):
        why = f"money always has {DEFAULT_SCALE}" if kind == "money" else "only number has one"
        fields.add("scale", f"{what}: drop the scale; {why}")
    enum = fields.texts("enum")
    if enum and kind != "string":
        fields.add("enum", f"{what}: only a string has an enum")
    read = Property(
        name=name,
        type=kind,
        unit=unit,
        required=fields.flag("required"),
        privacy=fields.text("privacy", default="behavioral", among=PRIVACY),
        enum=enum,
        scale=DEFAULT_SCALE if kind == "money" else scale,
        brief=fields.text("brief"),
        origin=Origin(findings.where, line),
    )
    fields.done()
    return read


def _is_time(text: str, *, whole_day: bool) -> bool:
    try:
        if whole_day:
            date.fromisoformat(text)
            return True
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
