"""The one vocabulary: entities, channels, behaviors and constructs, looked up by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import TypeVar

from ethogram.core.taxonomy.behavior import Behavior, Retirement, UnknownBehavior, read_behavior, read_retirement
from ethogram.core.taxonomy.channel import Channel, UnknownChannel, read_channel
from ethogram.core.taxonomy.construct import Construct, read_construct
from ethogram.core.taxonomy.entity import Entity, UnknownEntity, read_entity
from ethogram.core.taxonomy.lint import lint, matches
from ethogram.core.yaml_content import Findings, Items, Node, Section, read_yaml, shown
from ethogram.errors import Problems, did_you_mean

_Read = TypeVar("_Read")

_FILES = ("entities.yaml", "channels.yaml", "constructs.yaml")


@dataclass(frozen=True)
class Taxonomy:
    """Everything that can be named, by name; in the order of the files."""

    entities: Mapping[str, Entity] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    behaviors: Mapping[str, Behavior] = field(default_factory=dict)
    constructs: Mapping[str, Construct] = field(default_factory=dict)
    retired: Mapping[str, Retirement] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Behavior]:
        return iter(self.behaviors.values())

    def __len__(self) -> int:
        return len(self.behaviors)

    @property
    def domains(self) -> tuple[str, ...]:
        return tuple(sorted({behavior.domain for behavior in self}))

    def behavior(self, id: str, *, where: str = "") -> Behavior:
        """The behavior, or UnknownBehavior with the nearest id; `where` is the place that asked."""
        if id not in self.behaviors:
            raise UnknownBehavior(id, known=self.behaviors, where=where)
        return self.behaviors[id]

    def entity(self, name: str, *, where: str = "") -> Entity:
        """The entity, or UnknownEntity with the nearest name."""
        if name not in self.entities:
            raise UnknownEntity(name, known=self.entities, where=where)
        return self.entities[name]

    def channel(self, id: str, *, where: str = "") -> Channel:
        """The channel, or UnknownChannel with the nearest id."""
        if id not in self.channels:
            raise UnknownChannel(id, known=self.channels, where=where)
        return self.channels[id]

    def match(self, pattern: str, *, entity: str | None = None, where: str = "") -> list[Behavior]:
        """Behaviors of an id or a pattern such as "engagement.*", in the order of their ids.

        With `entity`, a pattern gives only those that the entity takes part in; an id gives its behavior all the same.

        Raises:
            UnknownBehavior: nothing matches.
        """
        if "*" not in pattern:
            return [self.behavior(pattern, where=where)]
        found = [b for b in self if matches(pattern, b.id) and (entity is None or entity in b.entities)]
        if not found or "*" in pattern[:-1]:
            raise UnknownBehavior(pattern, known=[*self.behaviors, *(f"{d}.*" for d in self.domains)], where=where)
        return sorted(found, key=lambda behavior: behavior.id)

    def ancestors(self, entity: str) -> tuple[str, ...]:
        """What an entity rolls up to, nearest first: enrolment gives ("student",)."""
        path: list[str] = []
        parent = self.entity(entity).rolls_up_to
        while parent is not None:
            path.append(parent)
            parent = self.entities[parent].rolls_up_to
        return tuple(path)

    def digest(self) -> str:
        """SHA-256 of what is declared; where it stands and how it is laid out do not matter."""
        return hashlib.sha256(json.dumps(_plain(self), sort_keys=True).encode()).hexdigest()


def load_taxonomy(files: Mapping[str, str]) -> Taxonomy:
    """The taxonomy in `files`: path below the workspace → text.

    A file counts by its name: entities.yaml, channels.yaml, constructs.yaml, and behaviors/<domain>.yaml.

    Raises:
        Problems: everything wrong with all of them at once, `path:line: message` each, by file and line.
    """
    findings = {path: Findings(path) for path in sorted(files)}
    unreadable: dict[str, Sequence[str]] = {}
    entities: list[Entity] = []
    channels: list[Channel] = []
    constructs: list[Construct] = []
    behaviors: list[Behavior] = []
    retired: list[Retirement] = []
    for path, text in sorted(files.items()):
        name, folder = PurePosixPath(path).name, PurePosixPath(path).parent.name
        if folder != "behaviors" and name not in _FILES:
            hint = did_you_mean(name, _FILES, otherwise=f"it has {', '.join(_FILES)} and behaviors/<domain>.yaml")
            findings[path].add(1, f"{name} is no file of the taxonomy; {hint}")
            continue
        if not name.endswith(".yaml"):
            findings[path].add(1, f"{name} is not read; name it <domain>.yaml")
            continue
        try:
            node = read_yaml(text, path)
        except Problems as exc:
            unreadable[path] = exc.problems
            continue
        here = findings[path]
        if folder == "behaviors":
            for line, item in _items(node, here):
                if isinstance(item, Section) and "retired" in item:
                    retired.append(read_retirement(item, here))
                else:
                    behaviors.append(read_behavior(item, here, line))
        elif name == "entities.yaml":
            entities = _each(node, here, read_entity)
        elif name == "channels.yaml":
            channels = _each(node, here, read_channel)
        else:
            constructs = _each(node, here, read_construct)
    # What an unreadable file declares is unknown: complaining that it is missing would only hide the real problem.
    if not unreadable:
        for origin, message in lint(entities, channels, behaviors, retired, constructs):
            findings[origin.path].add(origin.line, message)
    if problems := [line for path, found in findings.items() for line in unreadable.get(path, found.told())]:
        raise Problems(problems, nothing_was="read")
    return Taxonomy(
        entities={e.name: e for e in entities},
        channels={c.id: c for c in channels},
        behaviors={b.id: b for b in behaviors},
        constructs={c.name: c for c in constructs},
        retired={r.id: r for r in retired},
    )


def _items(node: Node, findings: Findings) -> list[tuple[int, Node]]:
    if node is None:
        return []
    if not isinstance(node, Items):
        findings.add(1, f"the file must be a list, one item each, not {shown(node)}")
        return []
    return [(node.line_of(i), item) for i, item in enumerate(node)]


def _each(node: Node, findings: Findings, read: Callable[[Node, Findings, int], _Read]) -> list[_Read]:
    return [read(item, findings, line) for line, item in _items(node, findings)]


def _plain(value: object) -> object:
    """A declared value as JSON can hold it, without where it was written."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.compare}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
