"""What a thing is made of and what is made of it: sources, behaviors, signals, training sets, models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ethogram.core.catalog import Declaration, TrainingSetRow
from ethogram.core.models.promotion import AliasMove, ModelVersion
from ethogram.usecases.catalog.figures import mappings, texts

KINDS = ("source", "behavior", "signal", "training set", "model")
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """One thing; `more` counts the things that a column had no room for."""

    kind: str
    name: str
    label: str
    more: int = 0

    @property
    def key(self) -> Key:
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Lineage:
    """Columns from raw to model, with edges between keys of `Node`; `focus` is the thing asked about."""

    focus: Key
    columns: tuple[tuple[Node, ...], ...]
    edges: tuple[tuple[Key, Key], ...]


def signal_behaviors(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Behaviors that a signal's features read, sorted."""
    return tuple(sorted({name for feature in mappings(body, "features") for name in texts(feature, "behaviors")}))


def source_behaviors(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Behaviors that a source's rows are mapped onto, sorted."""
    return tuple(sorted({str(event["behavior"]) for event in mappings(body, "events") if event.get("behavior")}))


def newest_refs(signals: Iterable[str]) -> dict[str, str]:
    """`name@version` by name, the newest version of each.

    >>> newest_refs(["rhythm@9", "rhythm@10"])
    {'rhythm': 'rhythm@10'}
    """
    newest: dict[str, str] = {}
    for ref in sorted(signals, key=lambda ref: version_of(ref)):
        newest[ref.partition("@")[0]] = ref
    return newest


def feature_signals(declarations: Sequence[Declaration], refs: Iterable[str]) -> dict[str, str]:
    """Which of the signals `refs` publishes a feature, by feature, in the order in which they are declared."""
    bodies = {d.name: d.body for d in declarations if d.kind == "signal"}
    newest = newest_refs(bodies)
    found: dict[str, str] = {}
    for ref in (newest.get(name, name) for name in refs):
        for feature in mappings(bodies.get(ref, {}), "features"):
            found.setdefault(str(feature.get("name", "")), ref)
    return found


def version_of(ref: str) -> int:
    """The version in `name@version`; 0 without one."""
    tail = ref.partition("@")[2]
    return int(tail) if tail.isdigit() else 0


def edges(
    declarations: Sequence[Declaration],
    training_sets: Sequence[TrainingSetRow],
    versions: Sequence[ModelVersion],
) -> set[tuple[Key, Key]]:
    """Every direct dependency in the store, as (upstream, downstream)."""
    refs = newest_refs(d.name for d in declarations if d.kind == "signal")
    found: set[tuple[Key, Key]] = set()
    for declared in declarations:
        if declared.kind == "source":
            for name in source_behaviors(declared.body):
                found.add((("source", declared.name), ("behavior", name)))
        elif declared.kind == "signal":
            for name in signal_behaviors(declared.body):
                found.add((("behavior", name), ("signal", declared.name)))
    for made in training_sets:
        for name in texts(made.request, "signals"):
            ref = name if "@" in name else refs.get(name, name)
            found.add((("signal", ref), ("training set", made.version)))
    for version in versions:
        found.add((("training set", version.training_set), ("model", f"{version.model} {version.version}")))
    return found


def lineage(
    focus: Key,
    direct: Iterable[tuple[Key, Key]],
    *,
    aliases: Mapping[Key, str] | None = None,
    most: int = 6,
) -> Lineage:
    """What `focus` depends on and what depends on it; a column with more than `most` things says how many it left out.

    >>> raw, buy, fan = ("source", "receipts"), ("behavior", "commerce.purchase"), ("signal", "rhythm@1")
    >>> [[node.label for node in column] for column in lineage(buy, [(raw, buy), (buy, fan)]).columns]
    [['receipts'], ['commerce.purchase'], ['rhythm@1']]
    """
    direct = set(direct)
    kept = {focus} | _reach(focus, direct) | _reach(focus, {(b, a) for a, b in direct})
    columns: list[tuple[Node, ...]] = []
    shown: dict[Key, Key] = {}
    for kind in KINDS:
        names = sorted((key for key in kept if key[0] == kind), key=lambda key: (key != focus, _newest_first(key)))
        room = names if len(names) <= most else names[: most - 1]
        nodes = [Node(kind, name, _label((kind, name), aliases or {})) for _, name in room]
        shown.update({key: key for key in room})
        if len(names) > len(room):
            rest = Node(kind, "", f"{len(names) - len(room)} more", more=len(names) - len(room))
            nodes.append(rest)
            shown.update(dict.fromkeys(names[len(room) :], rest.key))
        if nodes:
            columns.append(tuple(nodes))
    seen = {(shown[a], shown[b]) for a, b in direct if a in kept and b in kept}
    return Lineage(focus, tuple(columns), tuple(sorted(seen)))


def current_aliases(moves: Sequence[AliasMove]) -> dict[str, dict[str, int]]:
    """Version by alias, by model; `moves` come newest first."""
    current: dict[str, dict[str, int | None]] = {}
    for move in moves:
        current.setdefault(move.model, {}).setdefault(move.alias, move.version)
    return {
        model: {alias: version for alias, version in held.items() if version is not None}
        for model, held in current.items()
    }


def alias_labels(moves: Sequence[AliasMove]) -> dict[Key, str]:
    """`@champion` by model node."""
    labels: dict[Key, str] = {}
    for model, held in current_aliases(moves).items():
        for alias, version in sorted(held.items()):
            key = ("model", f"{model} {version}")
            labels[key] = f"{labels[key]} @{alias}" if key in labels else f"@{alias}"
    return labels


def _label(key: Key, aliases: Mapping[Key, str]) -> str:
    return f"{key[1]} {aliases[key]}" if key in aliases else key[1]


def _newest_first(key: Key) -> tuple[str, int]:
    name, _, version = key[1].rpartition(" ")
    return (name, -int(version)) if key[0] == "model" and version.isdigit() else (key[1], 0)


def _reach(start: Key, direct: set[tuple[Key, Key]]) -> set[Key]:
    onward: dict[Key, list[Key]] = {}
    for a, b in direct:
        onward.setdefault(a, []).append(b)
    seen: set[Key] = set()
    todo = [start]
    while todo:
        for key in onward.get(todo.pop(), ()):
            if key not in seen:
                seen.add(key)
                todo.append(key)
    return seen
