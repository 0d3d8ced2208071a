"""A source's contract: an ODCS document, kept word for word, and the rules in it that a single row can break."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.expressions import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIMESTAMP,
    Expression,
    ExpressionError,
    Type,
    check,
    decimal,
    parse,
)
from ethogram.core.yaml_content import Findings, Items, Node, Section, line_at, read_yaml, shown
from ethogram.errors import Problems

ENGINE = "ethogram"
"""Engine of a `custom` quality rule whose implementation is an expression over the row."""

_TYPES: dict[str, Type] = {
    "string": STRING,
    "integer": INTEGER,
    "number": DOUBLE,
    "boolean": BOOLEAN,
    "date": DATE,
    "timestamp": TIMESTAMP,
}
_BOUNDS = {
    "minimum": (">=", "≥"),
    "maximum": ("<=", "≤"),
    "exclusiveMinimum": (">", ">"),
    "exclusiveMaximum": ("<", "<"),
}
_DECIMAL = re.compile(r"(?:decimal|numeric)\s*\(\s*\d+\s*,\s*(\d+)\s*\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the contract promises; `type` is None where expressions cannot use it (nested values, times).

    A column of the file that no contract promises cannot be mapped: that is how final values are kept out.
    """

    name: str
    type: Type | None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What every row must meet: `condition` may not be false (null passes), or the text must match `pattern`.

    Attributes:
        name: required, minimum, maximum, length, pattern, values, multiple or condition.
        column: The column it is about; "" for several.
        text: As people read it: "UnitPrice ≥ 0".
    """

    name: str
    column: str
    text: str
    condition: Expression | None = None
    pattern: str | None = None
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Contract:
    """An ODCS contract of one source.

    Attributes:
        id: As the document says.
        path: Where it stands in the workspace.
        text: The document, unchanged.
        columns: What its first schema object promises, by name.
        rules: What a single row can break.
        elsewhere: Its rules over whole tables or in other engines' words, which ingest cannot decide row by row.
    """

    id: str
    version: str
    path: str
    text: str = field(repr=False)
    columns: Mapping[str, Column] = field(hash=False)
    rules: tuple[Rule, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def types(self) -> dict[str, Type]:
        """Types of the columns that expressions can use."""
        return {name: column.type for name, column in self.columns.items() if column.type is not None}


def load_contract(text: str, path: str) -> Contract:
    """The contract in `text`, checked against the standard's own JSON schema.

    Raises:
        Problems: everything wrong with it at once, `path:line: message` each.
    """
    node = read_yaml(text, path)
    findings = Findings(path)
    if not isinstance(node, Section):
        raise Problems([f"{path}:1: a contract must be fields with values, not {shown(node)}"], nothing_was="read")
    for error in _validator().iter_errors(node):
        place = [step for step in error.absolute_path if isinstance(step, str | int)]
        message = error.message if len(error.message) <= 160 else error.message[:159] + "…"
        findings.add(line_at(node, place), f"{'.'.join(map(str, place)) or 'contract'}: {message}")
    if findings.found:
        raise Problems(findings.told(), nothing_was="read")
    schema = node.get("schema")
    table = schema[0] if isinstance(schema, Items) and schema else Section()
    assert isinstance(table, Section)  # the JSON schema has seen to it
    properties = [each for each in _items(table, "properties") if each.get("name")]
    columns = {str(each["name"]): _column(each) for each in properties}
    reading = _Rules(path, {n: c.type for n, c in columns.items() if c.type is not None}, findings)
    for each in properties:
        reading.of_column(each, columns[str(each["name"])])
    for quality in _items(table, "quality"):
        reading.of_quality(quality, "")
    if findings.found:
        raise Problems(findings.told(), nothing_was="read")
    return Contract(
        id=str(node["id"]),
        version=str(node["version"]),
        path=path,
        text=text,
        columns=columns,
        rules=tuple(reading.rules),
        elsewhere=tuple(reading.elsewhere),
    )


@cache
def _validator() -> Any:
    # Here and not at the top: a third of a second that only who reads contracts should pay.
    from jsonschema import Draft201909Validator

    schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8"))
    return Draft201909Validator(schema)


def _items(section: Section, name: str) -> list[Section]:
    found = section.get(name)
    return [each for each in found if isinstance(each, Section)] if isinstance(found, Items) else []


def _column(section: Section) -> Column:
    kind = _TYPES.get(str(section.get("logicalType", "string")))
    matched = _DECIMAL.fullmatch(str(section.get("physicalType", "")).strip())
    if kind == DOUBLE and matched:
        kind = decimal(int(matched[1]))
    return Column(str(section["name"]), kind, section.get("required") is True)


# Rules of a row whose text says what is promised, not what is wrong.
PROMISES = frozenset({"required", "minimum", "maximum", "length", "multiple", "values", "pattern", "condition"})


class _Rules:
    """Gathers the row rules of one table; what it cannot decide by row it names in `elsewhere`."""

    def __init__(self, path: str, types: Mapping[str, Type], findings: Findings) -> None:
        self.path, self.types, self.findings = path, types, findings
        self.rules: list[Rule] = []
        self.elsewhere: list[str] = []

    def of_column(self, section: Section, column: Column) -> None:
        name, line = column.name, section.line
        if column.required:
            self.add("required", name, f"{name} is there", f"{_quoted(name)} is not null", section.line_of("required"))
        options = section.get("logicalTypeOptions")
        if isinstance(options, Section):
            for option, value in options.items():
                self.of_option(column, option, value, options.line_of(option))
        values = [each.get("value") for each in _items(section, "enum")]
        if values:
            self.values(column, values, section.line_of("enum"))
        for quality in _items(section, "quality"):
            self.of_quality(quality, name)
        if section.get("unique") is True:
            self.elsewhere.append(f"{self.path}:{line}: {name} is unique")

    def of_option(self, column: Column, option: str, value: Node, line: int) -> None:
        name = column.name
        if option in _BOUNDS:
            sign, written = _BOUNDS[option]
            self.add(
                option.replace("exclusiveM", "m").lower(),
                name,
                f"{name} {written} {value}",
                f"{_quoted(name)} {sign} {_literal(value, column.type)}",
                line,
            )
        elif option in ("minLength", "maxLength"):
            sign, written = (">=", "≥") if option == "minLength" else ("<=", "≤")
            self.add(
                "length", name, f"length of {name} {written} {value}", f"length({_quoted(name)}) {sign} {value}", line
            )
        elif option == "pattern":
            self.pattern(name, str(value), line)
        elif option == "multipleOf" and column.type == INTEGER and isinstance(value, int):
            self.add("multiple", name, f"{name} is a multiple of {value}", f"{_quoted(name)} % {value} = 0", line)
        elif option not in ("format", "timezone", "defaultTimezone"):
            self.elsewhere.append(f"{self.path}:{line}: {name}: {option} {value}")

    def of_quality(self, quality: Section, column: str) -> None:
        arguments = quality.get("arguments")
        arguments = arguments if isinstance(arguments, Section) else Section()
        never = quality.get("mustBe") == 0 and quality.get("unit", "rows") == "rows"
        metric = quality.get("metric")
        implementation = quality.get("implementation")
        if quality.get("type") == "custom" and quality.get("engine") == ENGINE and isinstance(implementation, str):
            text = str(quality.get("description") or implementation)
            self.add("condition", column, text, implementation, quality.line_of("implementation"))
        elif never and column and metric == "nullValues":
            self.add("required", column, f"{column} is there", f"{_quoted(column)} is not null", quality.line)
        elif (
            never and column and metric == "invalidValues" and isinstance(valid := arguments.get("validValues"), Items)
        ):
            self.values(Column(column, self.types.get(column)), list(valid), quality.line)
        elif never and column and metric == "invalidValues" and isinstance(arguments.get("pattern"), str):
            self.pattern(column, str(arguments["pattern"]), quality.line)
        else:
            said = quality.get("name") or metric or quality.get("description") or quality.get("type") or "a rule"
            self.elsewhere.append(f"{self.path}:{quality.line}: {said}")

    def values(self, column: Column, values: list[Node], line: int) -> None:
        given = [value for value in values if value is not None]
        listed = ", ".join(str(value) for value in given[:6]) + (", …" if len(given) > 6 else "")
        literals = ", ".join(_literal(value, column.type) for value in given)
        self.add(
            "values", column.name, f"{column.name} is one of {listed}", f"{_quoted(column.name)} in ({literals})", line
        )

    def pattern(self, column: str, pattern: str, line: int) -> None:
        try:
            re.compile(pattern)
        except re.error as error:
            self.findings.add(line, f"{column}: the pattern is not a regular expression ({error})")
            return
        if self.types.get(column) != STRING:
            self.findings.add(line, f"{column}: only text has a pattern")
            return
        origin = Origin(self.path, line)
        self.rules.append(Rule("pattern", column, f"{column} matches {pattern}", pattern=pattern, origin=origin))

    def add(self, name: str, column: str, text: str, condition: str, line: int) -> None:
        origin = Origin(self.path, line)
        if name == "required" and column not in self.types:
            # A nested column: only whether it is there can be asked, and that the reader does by itself.
            self.rules.append(Rule(name, column, text, origin=origin))
            return
        try:
            parsed = parse(condition, where=str(origin))
            check(parsed, self.types, expect=BOOLEAN)
        except ExpressionError as error:
            self.findings.add(line, str(error).removeprefix(f"{origin}: "))
            return
        self.rules.append(Rule(name, column, text, condition=parsed, origin=origin))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Node, kind: Type | None) -> str:
    """A YAML value as the expression language writes it, a date where the column holds dates or instants."""
    if isinstance(value, str) and kind is not None and kind.kind in ("date", "timestamp"):
        try:
            day = date.fromisoformat(value.removesuffix("T00:00:00Z"))
        except ValueError:
            return _text(value)  # which the type check then refuses, with its place
        made = f"make_date({day.year}, {day.month}, {day.day})"
        return made if kind == DATE else f"timestamp({made})"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return _text(str(value))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
