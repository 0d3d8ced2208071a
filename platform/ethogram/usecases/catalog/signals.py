"""Signals as pages show them: what they say, how their values move, who reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ethogram.core.catalog import Declaration, FeatureProfile, Reads, TrainingSetRow
from ethogram.core.monitoring.psi import Histogram, psi, psi_bound
from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.errors import NotInCatalog
from ethogram.usecases.catalog.figures import histogram, mappings, number, text, texts, whole
from ethogram.usecases.catalog.lineage import (
    Lineage,
    alias_labels,
    edges,
    lineage,
    newest_refs,
    signal_behaviors,
    version_of,
)

READS_SINCE = timedelta(days=7)
NOTABLE_PSI = 0.1  # below it, a difference that large samples prove is still too small to act on


@dataclass(frozen=True, slots=True)
class SignalSummary:
    """One version of a signal; `profiled_at` and `rows` are None and 0 until values were computed."""

    ref: str
    name: str
    version: int
    newest: bool
    owner: str
    entity: str
    brief: str
    freshness: str
    stability: str
    features: int
    behaviors: tuple[str, ...]
    profiled_at: datetime | None
    online_at: datetime | None
    online_rows: int
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """A word and how grave it is: good, warn, bad or plain; `why` is a sentence."""

    word: str
    grade: str
    why: str


@dataclass(frozen=True, slots=True)
class FeatureView:
    """A column of the signal, with its newest profile."""

    name: str
    aggregate: str
    behaviors: tuple[str, ...]
    property: str
    window: str
    where: str
    type: str
    unit: str
    rows: int
    median: float | None
    null_share: float | None
    medians: tuple[tuple[datetime, float], ...]
    state: State


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a feature's newest values are from the earliest kept; both are over all entities known at the time."""

    since: datetime
    weeks: int
    reference: Histogram
    psi: float
    bound: float

    @property
    def above(self) -> bool:
        return self.psi > self.bound


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values of one feature now; `drift` is None where nothing earlier is kept."""

    feature: str
    as_of: datetime
    now: Histogram
    drift: Drift | None


@dataclass(frozen=True, slots=True)
class SignalView:
    summary: SignalSummary
    origin: str
    applied_at: datetime
    applied_by: str
    delay: str
    versions: tuple[int, ...]
    features: tuple[FeatureView, ...]
    join_key: str
    known: int
    distribution: Distribution | None
    reads: tuple[Reads, ...]
    training_sets: tuple[str, ...]
    purpose: str
    consumer: str
    lineage: Lineage


def signals(reader: CatalogReader, *, query: str = "", owner: str = "") -> tuple[SignalSummary, ...]:
    """Every version of every signal that matches, newest version of each first."""
    found = summaries(reader)
    words = query.lower().split()
    return tuple(
        s
        for s in found
        if (not owner or s.owner == owner)
        and all(word in f"{s.ref} {s.owner} {s.brief} {' '.join(s.behaviors)}".lower() for word in words)
    )


def signal(reader: CatalogReader, ref: str, *, now: datetime, feature: str = "") -> SignalView:
    """One signal by `name@version`, or by name for its newest version; `feature` picks the distribution shown."""
    declared = reader.declarations()
    bodies = {d.name: d for d in declared if d.kind == "signal"}
    ref = newest_refs(bodies).get(ref, ref)
    if ref not in bodies:
        raise NotInCatalog("signal", ref, known=[*bodies, *newest_refs(bodies)])
    own = bodies[ref]
    made, versions, moves = reader.training_sets(), reader.model_versions(), reader.alias_moves()
    profiles: dict[str, list[FeatureProfile]] = {}
    for profile in reader.profiles(ref):
        profiles.setdefault(profile.feature, []).append(profile)
    features = [_feature(body, profiles.get(text(body, "name"), [])) for body in mappings(own.body, "features")]
    summary = next(s for s in summaries(reader) if s.ref == ref)
    chosen = _choose(features, profiles, feature)
    using = [item for item in made if ref in _refs(item, bodies)]
    models = {d.name: d for d in declared if d.kind == "model"}
    example = next((models[name] for name in summary.models if name in models), None)
    return SignalView(
        summary=summary,
        origin=own.origin,
        applied_at=own.applied_at,
        applied_by=own.applied_by,
        delay=text(own.body, "delay", "0s"),
        versions=tuple(sorted((version_of(n) for n in bodies if n.partition("@")[0] == summary.name), reverse=True)),
        features=tuple(features),
        join_key=next(
            (text(d.body, "join_key") for d in declared if d.kind == "entity" and d.name == summary.entity), ""
        )
        or summary.entity,
        known=reader.entities().get(summary.entity, 0),
        distribution=_distribution(profiles[chosen]) if chosen else None,
        reads=tuple(r for r in reader.reads(since=now - READS_SINCE) if r.asset in {ref, summary.name}),
        training_sets=tuple(item.version for item in using),
        purpose=text(example.body, "purpose") if example else "",
        consumer=example.owner if example else summary.owner,
        lineage=lineage(("signal", ref), edges(declared, made, versions), aliases=alias_labels(moves)),
    )


def summaries(reader: CatalogReader) -> list[SignalSummary]:
    """Every version of every signal, by name, newest first."""
    declared = [d for d in reader.declarations() if d.kind in {"signal", "model"}]
    bodies = {d.name: d for d in declared if d.kind == "signal"}
    newest = newest_refs(bodies)
    profiled = reader.profiled()
    online = {item.view: item for item in reader.materializations()}
    users: dict[str, list[str]] = {}
    for item in declared:
        if item.kind == "model":
            for name in texts(item.body, "signals"):
                users.setdefault(name if "@" in name else newest.get(name, name), []).append(item.name)
    found = []
    for ref, item in sorted(bodies.items(), key=lambda pair: (pair[0].partition("@")[0], -version_of(pair[0]))):
        name, version = ref.partition("@")[0], version_of(ref)
        row = online.get(ref) or online.get(f"{name}_v{version}")
        found.append(
            SignalSummary(
                ref=ref,
                name=name,
                version=version,
                newest=newest[name] == ref,
                owner=item.owner,
                entity=text(item.body, "entity"),
                brief=text(item.body, "brief"),
                freshness=text(item.body, "freshness", "live"),
                stability=text(item.body, "stability", "development"),
                features=len(mappings(item.body, "features")),
                behaviors=signal_behaviors(item.body),
                profiled_at=profiled.get(ref),
                online_at=row.at if row else None,
                online_rows=row.rows if row else 0,
                models=tuple(users.get(ref, [])),
            )
        )
    return found


def _refs(made: TrainingSetRow, bodies: Mapping[str, Declaration]) -> set[str]:
    newest = newest_refs(bodies)
    return {name if "@" in name else newest.get(name, name) for name in texts(made.request, "signals")}


def _feature(body: Mapping[str, Any], own: Sequence[FeatureProfile]) -> FeatureView:
    newest = own[-1].profile if own else {}
    medians = [(p.as_of, value) for p in own if (value := number(p.profile, "quantiles", "p50")) is not None]
    return FeatureView(
        name=text(body, "name"),
        aggregate=aggregate_of(body),
        behaviors=texts(body, "behaviors"),
        property=text(body, "property"),
        window=text(body, "window"),
        where=text(body, "where"),
        type=text(body, "type"),
        unit=unit_of(body),
        rows=whole(newest, "count"),
        median=number(newest, "quantiles", "p50"),
        null_share=number(newest, "null_share"),
        medians=tuple(medians),
        state=_state(own),
    )


def aggregate_of(body: Mapping[str, Any]) -> str:
    """What is computed, and by which other property.

    >>> aggregate_of({"aggregate": "sum_by", "also": ["category"]}), aggregate_of({"aggregate": "last"})
    ('sum by category', 'last')
    """
    also = "".join(f" by {name}" for name in texts(body, "also"))
    return text(body, "aggregate").removesuffix("_by") + also


def unit_of(body: Mapping[str, Any]) -> str:
    """What the value counts; a plain number is said by what it is a number of, a list or a map by what is in it.

    >>> unit_of({"aggregate": "count", "unit": "1"}), unit_of({"unit": "1", "type": "list<string>"})
    ('count', 'list of string')
    """
    outer, _, inner = text(body, "type").rstrip(">").partition("<")
    if inner:
        return f"{outer} of {inner}"
    unit = text(body, "unit")
    if unit != "1":
        return unit
    if text(body, "aggregate") == "count":
        return "count"
    return "money" if text(body, "property_type") == "money" else text(body, "property", "number")


def _state(own: Sequence[FeatureProfile]) -> State:
    """What a feature's profiles, earliest first, say about it."""
    if not own:
        return State("no values", "plain", "nothing was computed yet")
    newest = own[-1].profile
    if number(newest, "null_share") == 1:
        return State("all null", "bad", "no entity has a value")
    shown = _distribution(own)
    if shown is None:
        return State("seen", "plain", "not a number, so no drift is computed")
    low, high = number(newest, "quantiles", "p01"), number(newest, "quantiles", "p99")
    if low is not None and low == high:
        return State("constant", "warn", "98 of 100 values are the same")
    if shown.drift is None:
        return State("seen", "plain", "nothing earlier to compare with")
    word, grade, side = ("drifting", "warn", "above") if shown.drift.above else ("steady", "good", "below")
    return State(word, grade, f"PSI {shown.drift.psi:.2f} is {side} {shown.drift.bound:.2f}")


def _choose(features: Sequence[FeatureView], profiles: Mapping[str, list[FeatureProfile]], asked: str) -> str:
    """The feature asked for, else one that drifts, else the first with a histogram."""
    drawable = [f for f in features if f.name in profiles and histogram(profiles[f.name][-1].profile)]
    order = sorted(drawable, key=lambda f: (f.name != asked, f.state.word != "drifting"))
    return order[0].name if order else ""


def _distribution(own: Sequence[FeatureProfile]) -> Distribution | None:
    """The newest values of a feature beside the earliest; None where the newest are no numbers."""
    *before, newest = own
    now = histogram(newest.profile)
    if now is None:
        return None
    earlier = ((p.as_of, shape) for p in before if (shape := histogram(p.profile)))
    since, reference = next(earlier, (newest.as_of, None))
    drift = None
    if reference:
        bound = max(psi_bound(now, reference), NOTABLE_PSI)
        drift = Drift(since, (newest.as_of - since).days // 7, reference, psi(now, reference), bound)
    return Distribution(newest.feature, newest.as_of, now, drift)
