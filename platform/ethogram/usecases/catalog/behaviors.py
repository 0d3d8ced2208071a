"""The taxonomy as pages show it, with what this store has seen of each behavior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ethogram.core.catalog import Declaration, Week
from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.errors import NotInCatalog
from ethogram.usecases.catalog.figures import mapping, mappings, text, texts
from ethogram.usecases.catalog.lineage import signal_behaviors, source_behaviors


@dataclass(frozen=True, slots=True)
class BehaviorSummary:
    """One behavior and its events.

    Attributes:
        tone: "wanted" when an outcome watches for its absence, "harm" when it takes another back or an outcome
            warns of it, else "plain".
        weeks: (start, events) of each week in which there were any.
    """

    id: str
    domain: str
    brief: str
    stability: str
    actor: str
    tone: str
    events: int
    weeks: tuple[tuple[datetime, int], ...]
    sources: tuple[str, ...]
    signals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaxonomyView:
    """Behaviors that match what was asked for, and what could be asked."""

    behaviors: tuple[BehaviorSummary, ...]
    total: int
    observed: int
    events: int
    domains: tuple[str, ...]
    entities: tuple[tuple[str, str, int], ...]
    query: str
    domain: str
    stability: str
    seen: bool


@dataclass(frozen=True, slots=True)
class PropertyView:
    name: str
    type: str
    unit: str
    privacy: str
    required: bool
    brief: str


@dataclass(frozen=True, slots=True)
class MappingView:
    """One rule of a source that makes events of the behavior."""

    source: str
    owner: str
    where: str
    time: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class UseView:
    """A signal that reads the behavior, and the features that do."""

    ref: str
    owner: str
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BehaviorView:
    summary: BehaviorSummary
    noun: str
    plural: str
    object: str
    since: str
    origin: str
    entities: tuple[str, ...]
    channels: tuple[str, ...]
    properties: tuple[PropertyView, ...]
    aliases: tuple[tuple[str, str], ...]
    reverses: str
    replaced_by: str
    deprecation: str
    mappings: tuple[MappingView, ...]
    uses: tuple[UseView, ...]
    outcomes: tuple[str, ...]


def taxonomy(
    reader: CatalogReader, *, query: str = "", domain: str = "", stability: str = "", seen: bool = False
) -> TaxonomyView:
    """Behaviors by domain; `query` looks into id, brief and aliases, `seen` leaves out those without events."""
    declared = reader.declarations()
    behaviors = summaries(declared, reader.weeks())
    words = query.lower().split()
    haystack = {d.name: _searchable(d) for d in declared if d.kind == "behavior"}
    kept = [
        b
        for b in behaviors
        if all(word in haystack[b.id] for word in words)
        and (not domain or b.domain == domain)
        and (not stability or b.stability == stability)
        and (b.events or not seen)
    ]
    counts = reader.entities()
    return TaxonomyView(
        behaviors=tuple(kept),
        total=len(behaviors),
        observed=sum(b.events > 0 for b in behaviors),
        events=sum(b.events for b in behaviors),
        domains=tuple(sorted({b.domain for b in behaviors})),
        entities=tuple((d.name, text(d.body, "brief"), counts.get(d.name, 0)) for d in declared if d.kind == "entity"),
        query=query,
        domain=domain,
        stability=stability,
        seen=seen,
    )


def behavior(reader: CatalogReader, id: str) -> BehaviorView:
    """Everything about one behavior; `NotInCatalog` when there is none of that id."""
    declared = reader.declarations()
    found = {d.name: d for d in declared if d.kind == "behavior"}
    if id not in found:
        raise NotInCatalog("behavior", id, known=list(found))
    own = found[id]
    summary = next(b for b in summaries(declared, reader.weeks(id)) if b.id == id)
    deprecated = mapping(own.body, "deprecated")
    properties = mapping(own.body, "properties")
    return BehaviorView(
        summary=summary,
        noun=text(own.body, "noun"),
        plural=text(own.body, "plural"),
        object=text(own.body, "object"),
        since=text(own.body, "since"),
        origin=own.origin,
        entities=texts(own.body, "entities"),
        channels=texts(own.body, "channels"),
        properties=tuple(
            sorted((_property(name, body) for name, body in properties.items()), key=lambda p: (not p.required, p.name))
        ),
        aliases=tuple(sorted((str(k), str(v)) for k, v in mapping(own.body, "aliases").items())),
        reverses=text(own.body, "reverses"),
        replaced_by=text(deprecated, "replaced_by"),
        deprecation=". ".join(part for part in (text(deprecated, "reason"), text(deprecated, "date")) if part),
        mappings=tuple(
            MappingView(
                d.name,
                d.owner,
                text(event, "where"),
                text(event, "time") or text(d.body, "time"),
                tuple((str(k), str(v)) for k, v in mapping(event, "columns").items()),
            )
            for d in declared
            if d.kind == "source"
            for event in mappings(d.body, "events")
            if event.get("behavior") == id
        ),
        uses=tuple(
            UseView(d.name, d.owner, names)
            for d in declared
            if d.kind == "signal"
            and (names := tuple(text(f, "name") for f in mappings(d.body, "features") if id in texts(f, "behaviors")))
        ),
        outcomes=tuple(d.name for d in declared if d.kind == "outcome" and _watches(d.body, id)),
    )


def summaries(declared: Sequence[Declaration], weeks: Sequence[Week]) -> list[BehaviorSummary]:
    """Every behavior that is declared or was seen, by id."""
    seen: dict[str, list[tuple[datetime, int]]] = {}
    for week in weeks:
        if week.events:
            seen.setdefault(week.behavior, []).append((week.week, week.events))
    sources: dict[str, list[str]] = {}
    signals: dict[str, list[str]] = {}
    for item in declared:
        if item.kind == "source":
            for name in source_behaviors(item.body):
                sources.setdefault(name, []).append(item.name)
        elif item.kind == "signal":
            for name in signal_behaviors(item.body):
                signals.setdefault(name, []).append(item.name)
    outcomes = [item.body for item in declared if item.kind == "outcome"]
    found = []
    bodies: dict[str, Mapping[str, Any]] = {name: {} for name in seen}
    bodies |= {item.name: item.body for item in declared if item.kind == "behavior"}
    for id, body in sorted(bodies.items()):
        own = tuple(sorted(seen.get(id, [])))
        found.append(
            BehaviorSummary(
                id=id,
                domain=id.partition(".")[0],
                brief=text(body, "brief"),
                stability=text(body, "stability", "development"),
                actor=text(body, "actor"),
                tone=_tone(id, body, outcomes),
                events=sum(events for _, events in own),
                weeks=own,
                sources=tuple(sources.get(id, [])),
                signals=tuple(signals.get(id, [])),
            )
        )
    return found


def _watches(outcome: Mapping[str, Any], id: str) -> bool:
    patterns = texts(outcome.get("happens"), "behaviors")
    return any(pattern == id or (pattern.endswith(".*") and id.startswith(pattern[:-1])) for pattern in patterns)


def _tone(id: str, body: Mapping[str, Any], outcomes: Sequence[Mapping[str, Any]]) -> str:
    kinds = {text(outcome.get("happens"), "kind") for outcome in outcomes if _watches(outcome, id)}
    if body.get("reverses") or "occurrence" in kinds:
        return "harm"
    return "wanted" if "absence" in kinds else "plain"


def _property(name: str, body: Any) -> PropertyView:
    body = body if isinstance(body, Mapping) else {}
    unit, privacy = text(body, "unit"), text(body, "privacy")
    required = bool(body.get("required"))
    return PropertyView(name, text(body, "type"), unit, privacy, required, text(body, "brief"))


def _searchable(item: Declaration) -> str:
    aliases = mapping(item.body, "aliases")
    return " ".join([item.name, text(item.body, "brief"), *(str(alias) for alias in aliases.values())]).lower()
