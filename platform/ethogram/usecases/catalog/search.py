"""Find anything that is declared by its name, owner or brief."""

from __future__ import annotations

from dataclasses import dataclass

from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.figures import texts

_ORDER = ("model", "signal", "outcome", "source", "behavior", "team", "agreement", "purpose", "entity")


@dataclass(frozen=True, slots=True)
class Hit:
    kind: str
    name: str
    owner: str
    brief: str


def search(reader: CatalogReader, query: str) -> tuple[Hit, ...]:
    """What holds every word of `query`; things whose name does come first. Nothing for an empty query."""
    words = query.lower().split()
    if not words:
        return ()
    hits = []
    for item in reader.declarations():
        brief = str(item.body.get("brief") or item.body.get("intent") or "")
        everything = " ".join([item.name, item.owner, brief, *texts(item.body, "behaviors")]).lower()
        if item.kind in _ORDER and all(word in everything for word in words):
            named = all(word in item.name.lower() for word in words)
            hits.append((not named, _ORDER.index(item.kind), item.name, Hit(item.kind, item.name, item.owner, brief)))
    return tuple(hit for *_, hit in sorted(hits, key=lambda found: found[:3]))
