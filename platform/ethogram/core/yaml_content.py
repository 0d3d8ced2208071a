"""YAML content as plain values that remember their lines.

Content is read, never executed: the values are JSON's (text, numbers, true and false, null, sections, items), a file
cannot name a Python type, and neither its size, its depth nor its anchors can make the reading expensive. `yes`, `no`,
`on`, `12:30`, `007` and `2027-06-30` are text: only `true` and `false` are booleans, and whoever expects a date reads
it from the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from ethogram.errors import Problems, did_you_mean

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 40
MAX_VALUES = 200_000

Scalar: TypeAlias = str | int | float | bool | None
Node: TypeAlias = "Section | Items | Scalar"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*|(?=\.[0-9]))(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_TEXT_TAG, _PLAIN_TAGS = "tag:yaml.org,2002:str", {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!"}


class Section(dict[str, "Node"]):
    """A mapping that knows on which line it starts and on which line each of its keys stands."""

    def __init__(self, line: int = 1) -> None:
        super().__init__()
        self.line = line
        self.key_lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """Line of `key`, or of the section itself where the key is absent."""
        return self.key_lines.get(key, self.line)


class Items(list["Node"]):
    """A sequence that knows on which line it starts and on which line each of its items stands."""

    def __init__(self, line: int = 1) -> None:
        super().__init__()
        self.line = line
        self.item_lines: list[int] = []

    def line_of(self, index: int) -> int:
        """Line of the item, or of the sequence itself where there is no such item."""
        return self.item_lines[index] if 0 <= index < len(self.item_lines) else self.line


def line_at(node: Node, path: Sequence[str | int]) -> int:
    """Line of the deepest part of `path` that exists: what a validator's location becomes.

    >>> line_at(read_yaml("a:\\n- x: 1\\n- y: 2\\n", "f.yaml"), ["a", 1, "y", "absent"])
    3
    """
    line = node.line if isinstance(node, Section | Items) else 1
    for step in path:
        if isinstance(node, Section) and isinstance(step, str) and step in node:  # noqa: SIM114 (two branches, so that each narrows its types)
            line = node.line_of(step)
            node = node[step]
        elif isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node):
            line = node.line_of(step)
            node = node[step]
        else:
            break
    return line


@dataclass
class Findings:
    """Problems of one file, gathered while it is read and told in the order of its lines."""

    where: str
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        self.found.append((line, message))

    def told(self) -> list[str]:
        """One `path:line: message` for each problem.

        >>> findings = Findings("behaviors/commerce.yaml")
        >>> findings.add(7, "no brief")
        >>> findings.told()
        ['behaviors/commerce.yaml:7: no brief']
        """
        return [f"{self.where}:{line}: {message}" for line, message in sorted(self.found, key=lambda each: each[0])]


class Fields:
    """Typed access to the fields of a section; what is wrong goes to `findings`, and reading goes on.

    A field of the wrong type, and a required one that is missing, is reported and read as its default. Asking for a
    field makes its name known: call `done()` last and every name not asked for is reported, with the nearest known one.

    >>> findings = Findings("f.yaml")
    >>> fields = Fields(read_yaml("brief: Paid.\\nrequird: true\\n", "f.yaml"), findings, what="property amount")
    >>> fields.text("brief", required=True), fields.flag("required")
    ('Paid.', False)
    >>> fields.done()
    >>> findings.told()
    ["f.yaml:2: property amount has no field 'requird'; did you mean required?"]
    """

    def __init__(self, node: Node, findings: Findings, *, what: str, line: int = 1) -> None:
        self.findings, self.what = findings, what
        self.line = node.line if isinstance(node, Section | Items) else line
        self._asked: dict[str, None] = {}
        self._broken = not isinstance(node, Section)
        if isinstance(node, Section):
            self.section = node
        else:
            findings.add(self.line, f"{what} must be fields with values, not {shown(node)}")
            self.section = Section(self.line)

    def line_of(self, name: str) -> int:
        return self.section.line_of(name)

    def add(self, name: str, message: str) -> None:
        """Report a problem at the line of the field `name`."""
        self.findings.add(self.line_of(name), message)

    def has(self, name: str) -> bool:
        self._asked[name] = None
        return self.section.get(name) is not None

    def text(self, name: str, *, default: str = "", required: bool = False, among: Collection[str] = ()) -> str:
        """The text of a field, trimmed; `among` closes the list of allowed ones."""
        value = self._take(name, str, "text", default, required)
        assert isinstance(value, str)
        value = value.strip()
        if among and value not in among and self.has(name):
            hint = did_you_mean(value, among, otherwise=f"it is one of {', '.join(among)}")
            self.add(name, f"{self.what}: {name} cannot be {value!r}; {hint}")
            return default
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._take(name, bool, "true or false", default, False)
        return value is True

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        """An integer between `low` and `high`, bounds included."""
        value = self._take(name, int, "an integer", default, False)
        assert isinstance(value, int)
        if not low <= value <= high:
            self.add(name, f"{self.what}: {name} must be between {low} and {high}, not {value}")
            return default
        return value

    def texts(self, name: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts, each at most once."""
        items = self._take(name, Items, "a list", Items(), required)
        assert isinstance(items, Items)
        good: list[str] = []
        for i, item in enumerate(items):
            if not isinstance(item, str) or not item.strip():
                self.findings.add(items.line_of(i), f"{self.what}: {name} must list text, not {shown(item)}")
            elif item.strip() in good:
                self.findings.add(items.line_of(i), f"{self.what}: {name} lists {item.strip()!r} twice")
            else:
                good.append(item.strip())
        return tuple(good)

    def items(self, name: str) -> Items:
        """A list of anything."""
        items = self._take(name, Items, "a list", Items(), False)
        assert isinstance(items, Items)
        return items

    def inner(self, name: str) -> Section:
        """A section inside this one; empty where it is absent."""
        section = self._take(name, Section, "fields with values", Section(self.line), False)
        assert isinstance(section, Section)
        return section

    def done(self) -> None:
        """Report the fields nobody asked for."""
        for name in self.section:
            if name not in self._asked:
                hint = did_you_mean(name, list(self._asked), otherwise=f"its fields are {', '.join(self._asked)}")
                self.add(name, f"{self.what} has no field {name!r}; {hint}")

    def _take(self, name: str, kind: type, kind_name: str, default: Node, required: bool) -> Node:
        self._asked[name] = None
        value = self.section.get(name)
        if value is None or value == "":
            if required and not self._broken:
                self.add(name, f"{self.what} needs {name}")
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            quotes = f'; write "{value}" in quotes' if kind is str and isinstance(value, int | float) else ""
            self.add(name, f"{self.what}: {name} must be {kind_name}, not {shown(value)}{quotes}")
            return default
        return value


def read_yaml(text: str, where: str) -> Node:
    """The one document in `text`; sections and items remember their lines, an empty text is None.

    Args:
        text: The file's content; at most 1 MB, 40 levels deep, 200,000 values with every alias counted in full.
        where: The file's name, as it should stand in front of a problem.

    Raises:
        Problems: everything wrong with the text, one `where:line: message` each. A syntax error hides what follows it.

    >>> node = read_yaml("id: commerce.purchase\\nchannels: [web, store]\\n", "f.yaml")
    >>> node["channels"], node.line_of("channels")
    (['web', 'store'], 2)
    >>> read_yaml("a: 1\\nb: 2\\na: 3\\n", "f.yaml")
    Traceback (most recent call last):
    ethogram.errors.Problems: f.yaml:3: 'a' is given twice; first on line 1
    1 problem; nothing was read
    """
    findings = Findings(where)
    if len(text) > MAX_CHARACTERS:
        findings.add(1, f"the file has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
        raise Problems(findings.told(), nothing_was="read")
    builder = _Builder(findings)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _TooMuch:
        pass
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        said = " ".join(part for part in (exc.context, exc.problem) if part)
        # A text that ends too early is at fault on its last line, not on the one after it.
        findings.add(min(mark.line, text.count("\n")) + 1 if mark else 1, f"not YAML: {said}")
    except (yaml.YAMLError, UnicodeError) as exc:
        findings.add(_line_of_bad_character(text), f"not YAML: {str(exc).splitlines()[0]}")
    if findings.found:
        raise Problems(findings.told(), nothing_was="read")
    return builder.root


class _TooMuch(Exception):
    """The reading stops here; what is wrong is in the findings."""


@dataclass
class _Open:
    """A collection that is still being filled."""

    node: Section | Items
    anchor: str | None
    started: int  # values seen before it, so that an alias to it can be counted in full
    key: str | None = None
    key_line: int = 0
    at_key: bool = True


class _Builder:
    """Builds the value from the parser's events: no recursion, so depth costs nothing until it is refused."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.root: Node = None
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.values = 0
        self.documents = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.ScalarEvent):
            self._count(1, line)
            value = self._scalar(event, line)
            if event.anchor:
                self.anchors[event.anchor] = (value, 1)
            self._place(value, line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._count(1, line)
            if len(self.stack) >= MAX_DEPTH:
                self._stop(line, f"nested deeper than {MAX_DEPTH} levels")
            if event.tag is not None and event.tag not in _PLAIN_TAGS:
                self._refuse_tag(event.tag, line)
            node = Section(line) if isinstance(event, yaml.MappingStartEvent) else Items(line)
            self.stack.append(_Open(node, event.anchor, self.values - 1))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            closed = self.stack.pop()
            if closed.anchor:
                self.anchors[closed.anchor] = (closed.node, self.values - closed.started)
            self._place(closed.node, closed.node.line)
        elif isinstance(event, yaml.AliasEvent):
            anchored = self.anchors.get(event.anchor or "")
            if anchored is None or any(each.anchor == event.anchor for each in self.stack):
                self._stop(line, f"alias *{event.anchor} names nothing that is complete by here")
            assert anchored is not None
            self._count(anchored[1], line)
            self._place(anchored[0], line)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._stop(line, "a second document starts here; write one document a file")

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Scalar:
        text: str = event.value
        if event.tag is not None and event.tag not in (_TEXT_TAG, "!"):
            self._refuse_tag(event.tag, line)
        if event.tag is not None or not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if len(text) > 400:  # Beyond any number: Python refuses to convert very long ones.
            return text
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            number = float(text)
            if math.isinf(number):
                self.findings.add(line, f"{text} is beyond the range of a number")
            return number
        return text

    def _place(self, value: Node, line: int) -> None:
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        if isinstance(top.node, Items):
            top.node.append(value)
            top.node.item_lines.append(line)
        elif top.at_key:
            if not isinstance(value, str):
                self.findings.add(line, f"a key must be text, not {shown(value)}; put it in quotes")
            top.key, top.key_line, top.at_key = value if isinstance(value, str) else None, line, False
        else:
            top.at_key = True
            if top.key is None:
                return
            if top.key in top.node:
                first = top.node.line_of(top.key)
                self.findings.add(top.key_line, f"{top.key!r} is given twice; first on line {first}")
                return
            top.node[top.key] = value
            top.node.key_lines[top.key] = top.key_line

    def _count(self, more: int, line: int) -> None:
        self.values += more
        if self.values > MAX_VALUES:
            self._stop(line, f"more than {MAX_VALUES:,} values, aliases counted in full")

    def _refuse_tag(self, tag: str, line: int) -> None:
        self.findings.add(line, f"tag {tag!r} is not allowed; content holds plain values only")

    def _stop(self, line: int, message: str) -> None:
        self.findings.add(line, message)
        raise _TooMuch


def shown(value: Node) -> str:
    """A value as an error shows it: short, and in YAML's words."""
    if isinstance(value, Section):
        return "fields with values"
    if isinstance(value, Items):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:36]}…{shown[0]}"


def _line_of_bad_character(text: str) -> int:
    """Line of the first character that YAML does not allow."""
    bad = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    return text.count("\n", 0, bad.start()) + 1 if bad else 1
