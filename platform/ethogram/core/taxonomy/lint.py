"""The rules that concern more than one declaration: what may not be said twice, reused or pointed at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TypeAlias

from ethogram.core.content.origin import Origin
from ethogram.core.events import RESERVED
from ethogram.core.taxonomy.behavior import Behavior, Retirement
from ethogram.core.taxonomy.channel import Channel
from ethogram.core.taxonomy.construct import Construct
from ethogram.core.taxonomy.entity import Entity
from ethogram.core.taxonomy.names import skeleton
from ethogram.core.taxonomy.property import Property
from ethogram.errors import did_you_mean

Found: TypeAlias = Iterator[tuple[Origin, str]]

# Words that `event(...)` takes for itself, words of the expression language, and what reads call their own columns.
_TAKEN = frozenset(
    {"where", "group_by", "time", "known_at", "op", "target"}
    | {"and", "or", "not", "is", "null", "in", "between", "true", "false"}
    | {"bucket", "occurred", "available"}
)


def lint(
    entities: Iterable[Entity],
    channels: Iterable[Channel],
    behaviors: Iterable[Behavior],
    retired: Iterable[Retirement],
    constructs: Iterable[Construct],
) -> Found:
    """Each problem with the place of the declaration that should change."""
    entities, channels, behaviors = list(entities), list(channels), list(behaviors)
    constructs, retired = list(constructs), list(retired)
    yield from _said_once("entity", [(e.name, e.origin) for e in entities])
    yield from _said_once("channel", [(c.id, c.origin) for c in channels])
    yield from _said_once("construct", [(c.name, c.origin) for c in constructs])
    yield from _said_once("behavior", [(b.id, b.origin) for b in behaviors], retired)
    yield from _entities(entities)
    yield from _identities(entities, {b.id: b for b in behaviors})
    yield from _retired(retired, behaviors)
    yield from _words(behaviors)
    yield from _properties(behaviors, {e.name for e in entities} | {e.join_key for e in entities})
    entity_names, channel_ids = {e.name: e for e in entities}, {c.id: c for c in channels}
    by_id = {b.id: b for b in behaviors}
    for behavior in behaviors:
        yield from _behavior(behavior, entity_names, channel_ids, by_id)
    yield from _constructs(constructs, behaviors)


def _said_once(kind: str, names: list[tuple[str, Origin]], retired: list[Retirement] | None = None) -> Found:
    first = {skeleton(each.id): (each.id, f"was retired at {each.origin}") for each in reversed(retired or [])}
    for name, origin in names:
        if not name:
            continue
        entry = (name, f"is already declared at {origin}")
        earlier, there = first.setdefault(skeleton(name), entry)
        if there is entry[1]:
            continue
        if earlier == name:
            yield origin, f"{kind} {name!r} {there}; a name is never given twice"
        else:
            yield origin, f"{kind} {name!r} looks like {earlier!r}, which {there}; choose a name that reads differently"


def _entities(entities: list[Entity]) -> Found:
    known = {e.name: e for e in entities}
    for entity in entities:
        if entity.name in RESERVED | _TAKEN:
            yield entity.origin, f"entity {entity.name!r} has a name that events or the language need; choose another"
        parent = entity.rolls_up_to
        if parent is not None and parent not in known:
            hint = did_you_mean(parent, known, otherwise=_listed("entities", known))
            yield entity.origin, f"entity {entity.name} rolls up to {parent!r}, which is no entity; {hint}"
            continue
        path = [entity.name]
        while parent is not None and parent in known and parent not in path:
            path.append(parent)
            parent = known[parent].rolls_up_to
        if parent == entity.name:
            yield entity.origin, f"entity {entity.name} rolls up to itself: {' → '.join([*path, entity.name])}"
    keys: dict[str, Entity] = {}
    for entity in entities:
        other = keys.setdefault(entity.join_key, entity)
        if other is not entity and other.name != entity.name:
            yield entity.origin, f"entity {entity.name} has the join key {entity.join_key!r} of entity {other.name}"


def _identities(entities: list[Entity], behaviors: Mapping[str, Behavior]) -> Found:
    names = [e.name for e in entities]
    for entity in entities:
        known = [name for name in names if name != entity.name]
        other, told_by = entity.identified_as, entity.identified_by
        if other is None:
            if told_by:
                yield entity.origin, f"entity {entity.name} is identified by behaviors, but as whom? add identified_as"
            continue
        if other not in known:
            hint = did_you_mean(other, known, otherwise=_listed("entities", known))
            yield entity.origin, f"entity {entity.name} is identified as {other!r}, which is no other entity; {hint}"
            continue
        if not told_by:
            hint = "add identified_by, with the behaviors whose events name both"
            yield entity.origin, f"entity {entity.name} is identified as {other}, but nothing tells; {hint}"
        for id in told_by:
            if id not in behaviors:
                hint = did_you_mean(id, behaviors, otherwise="see `ethogram taxonomy`")
                yield entity.origin, f"entity {entity.name} is identified by {id!r}, which is no behavior; {hint}"
            elif missing := [each for each in (entity.name, other) if each not in behaviors[id].entities]:
                yield entity.origin, f"entity {entity.name} is identified by {id}, whose events name no {missing[0]}"


def _retired(retired: list[Retirement], behaviors: list[Behavior]) -> Found:
    known = {b.id for b in behaviors}
    for each in retired:
        if each.replaced_by and each.replaced_by not in known:
            hint = did_you_mean(each.replaced_by, known, otherwise="see `ethogram taxonomy`")
            yield each.origin, f"retired {each.id} is replaced by {each.replaced_by!r}, which is no behavior; {hint}"


def _words(behaviors: list[Behavior]) -> Found:
    """Two behaviors with one noun would give two features one name. Deprecated ones leave theirs to their successor."""
    first: dict[str, Behavior] = {}
    for behavior in behaviors:
        if behavior.stability == "deprecated" or not behavior.noun:
            continue
        for word in dict.fromkeys((behavior.noun, behavior.plural)):
            other = first.setdefault(word, behavior)
            if other is not behavior and other.id != behavior.id:
                yield (
                    behavior.at("noun"),
                    f"{behavior.id}: {word!r} already names {other.id}; feature names would collide",
                )
                break


def _properties(behaviors: list[Behavior], entity_columns: set[str]) -> Found:
    first: dict[str, tuple[Behavior, Property]] = {}
    for behavior in behaviors:
        seen: dict[str, str] = {}
        for each in behavior.properties.values():
            if each.name in RESERVED | _TAKEN | entity_columns:
                yield each.origin, f"{behavior.id}: property {each.name!r} has a name that events or the language need"
            twin = seen.setdefault(skeleton(each.name), each.name)
            if twin != each.name:
                yield each.origin, f"{behavior.id}: property {each.name!r} looks like {twin!r}; choose another"
            if not each.type:
                continue
            owner, meant = first.setdefault(each.name, (behavior, each))
            if (meant.type, meant.unit, meant.scale) != (each.type, each.unit, each.scale):
                yield (
                    each.origin,
                    (
                        f"{behavior.id}: property {each.name} is {_said(each)} here but {_said(meant)} in {owner.id}; "
                        "one name has one type and unit everywhere"
                    ),
                )


def _said(each: Property) -> str:
    scale = f" with scale {each.scale}" if each.type == "number" else ""
    return f"{each.type}{scale}" + (f" in {each.unit}" if each.unit else "")


def _behavior(
    behavior: Behavior, entities: Collection[str], channels: Collection[str], known: Mapping[str, Behavior]
) -> Found:
    file = PurePosixPath(behavior.origin.path).stem
    if "." in behavior.id and behavior.domain != file:
        yield behavior.at("id"), f"{behavior.id} stands in {file}.yaml; it belongs in {behavior.domain}.yaml"
    for entity in filter(None, behavior.entities):
        if entity not in entities:
            hint = did_you_mean(entity, entities, otherwise=_listed("entities", entities))
            field = "actor" if entity == behavior.actor else "entities"
            yield behavior.at(field), f"{behavior.id}: no entity named {entity!r}; {hint}"
    for channel in behavior.channels:
        if channel not in channels:
            hint = did_you_mean(channel, channels, otherwise=_listed("channels", channels))
            yield behavior.at("channels"), f"{behavior.id}: no channel named {channel!r}; {hint}"
    replaced_by = behavior.deprecated.replaced_by if behavior.deprecated else None
    for what, id in (("reverses", behavior.reverses), ("deprecated", replaced_by)):
        if id is None:
            continue
        here = behavior.at(what)
        if id == behavior.id or id not in known:
            hint = did_you_mean(
                id, [other for other in known if other != behavior.id], otherwise="see `ethogram taxonomy`"
            )
            yield here, f"{behavior.id}: {what} names {id!r}, which is no other behavior; {hint}"
        elif known[id].stability == "deprecated" and what == "deprecated":
            yield here, f"{behavior.id}: deprecated names {id}, which is deprecated too; name its successor"
        elif known[id].stability == "deprecated" and behavior.stability == "stable":
            yield here, f"{behavior.id}: reverses {id}, which is deprecated; a stable behavior may not point at one"
    yield from _examples(behavior)


def _examples(behavior: Behavior) -> Found:
    here = behavior.at("examples")
    required = [p.name for p in behavior.properties.values() if p.required]
    for example in behavior.examples:
        if not any(example.get(entity) is not None for entity in behavior.entities):
            yield here, f"{behavior.id}: an example names nobody; give {' or '.join(behavior.entities)}"
        for name in required:
            if example.get(name) is None:
                yield here, f"{behavior.id}: an example lacks {name}, which is required"
        for name, value in example.items():
            if name in behavior.entities or value is None:
                continue
            if name == "channel":
                if behavior.channels and value not in behavior.channels:
                    yield here, f"{behavior.id}: an example has the channel {value!r}, which is not listed"
            elif name not in behavior.properties:
                hint = did_you_mean(name, behavior.properties, otherwise="it is neither entity nor property")
                yield here, f"{behavior.id}: an example says {name!r}; {hint}"
            elif problem := behavior.properties[name].problem_with(value):
                yield here, f"{behavior.id}: in an example, {problem}"


def _constructs(constructs: list[Construct], behaviors: list[Behavior]) -> Found:
    for construct in constructs:
        for indicator in construct.indicators:
            if not indicator.of:
                continue
            matching = [b for b in behaviors if matches(indicator.of, b.id)]
            if not matching:
                known = [*(b.id for b in behaviors), *(f"{b.domain}.*" for b in behaviors)]
                hint = did_you_mean(indicator.of, known, otherwise="see `ethogram taxonomy`")
                yield indicator.origin, f"construct {construct.name}: no behavior matches {indicator.of!r}; {hint}"
            elif construct.stability == "stable" and all(b.stability == "deprecated" for b in matching):
                yield indicator.origin, f"construct {construct.name} is stable but {indicator.of} is deprecated"


def matches(pattern: str, id: str) -> bool:
    """Whether a behavior is meant: its id itself, or everything that begins as `pattern` does before its final star.

    >>> matches("engagement.*", "engagement.search"), matches("engagement.search", "engagement.searched")
    (True, False)
    """
    return id.startswith(pattern[:-1]) if pattern.endswith("*") else id == pattern


def _listed(what: str, names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"the {what} are {listed}" if listed else f"declare it in {what}.yaml"
