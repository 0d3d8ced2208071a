"""A signal after its names were resolved against the taxonomy: what every engine computes."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ethogram.core import time
from ethogram.core.expressions import Expression, Type, check, decimal, parse
from ethogram.core.signals.aggregates import AGGREGATES
from ethogram.core.signals.aggregates.aggregate import Aggregate, BadFeature, Naming
from ethogram.core.signals.condition import Condition, condition
from ethogram.core.signals.declaration import EVERYONE, Feature, Setting, Signal
from ethogram.core.signals.identity import Identity, plan_identity
from ethogram.core.signals.numbers import SCALE
from ethogram.core.signals.reconciled import Reconciled, Reconciliation, matched, plan_reconciled
from ethogram.core.signals.sessions import SessionPlan, Sessions, as_behavior, plan_sessions, session_condition
from ethogram.core.signals.window import Window, window
from ethogram.errors import AskedWrongly, EthogramError, Problems, did_you_mean

if TYPE_CHECKING:
    from ethogram.core.taxonomy import Behavior, Taxonomy

_FRESHNESS = ("live", "hourly", "daily")
_STABILITY = ("development", "stable", "deprecated")
# What every event has beside its properties, by the name that a feature calls it by.
OF_EVERY_EVENT = {"behavior": "string", "channel": "string", "occurred_at": "timestamp"}


@dataclass(frozen=True, slots=True)
class Stream:
    """Which events a feature looks at; features with the same stream are computed in one pass.

    Attributes:
        behaviors: Ids whose events count.
        where: Which of the events count; None for all.
        sessions: What makes sessions of these events, where features look at those in place of the events.
        kept: Which of the sessions count; None for all.
        identity: Whose events count too, once it is known whose they are; None for the entity's own alone.
        reconciled: How several channels' events of one happening are told; None where each event is one.
    """

    behaviors: tuple[str, ...]
    where: Condition | None = None
    sessions: SessionPlan | None = None
    kept: Condition | None = None
    identity: Identity | None = None
    reconciled: Reconciliation | None = None


@dataclass(frozen=True, slots=True)
class Derivation:
    """An expression over other features, which are computed for it whether they are served or not."""

    expression: Expression
    inputs: tuple[FeaturePlan, ...]

    @property
    def types(self) -> dict[str, Type]:
        """Types of its names."""
        return {feature.name: feature.value_type for feature in self.inputs}

    @property
    def to(self) -> Type:
        """What its value is made: fixed-point values leave with six digits."""
        found = check(self.expression, self.types)
        return decimal(SCALE) if found.kind == "decimal" else found


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """One column of a signal.

    Attributes:
        aggregate: A name in `aggregates.AGGREGATES`.
        stream: Which events it looks at.
        property: What is aggregated: a property of the events, or one of `OF_EVERY_EVENT`; None for counts and such.
        property_type: Its taxonomy type.
        scale: Digits after the point of a fixed-point property.
        window: None for the whole life.
        type: Type of the value: "integer", "decimal" (38, 6), "double", "string", "boolean", "timestamp", "date", or a
            "list<…>" or "map<…>" (from texts) of these.
        unit: What the value counts.
        settings: What else the aggregate was given.
        empty: Value over no events.
        exact: Whether engines agree to the bit; else within a relative 1e-9.
        via: Whose events, where not the entity's own: see `Feature.via`.
        also: Other properties that it reads, each with its type and scale: the divisor, or what buckets are of.
        derivation: What a derived feature is computed from; its aggregate is "derived".
    """

    name: str
    aggregate: str
    stream: Stream
    property: str | None
    property_type: str | None
    scale: int
    window: Window | None
    type: str
    unit: str
    settings: tuple[tuple[str, Setting], ...] = ()
    empty: int | None = None
    exact: bool = True
    via: str | None = None
    derivation: Derivation | None = None
    also: tuple[tuple[str, str, int], ...] = ()

    @builtins.property  # `property` is a field here
    def behaviors(self) -> tuple[str, ...]:
        return self.stream.behaviors

    @builtins.property
    def where(self) -> Condition | None:
        return self.stream.where

    @builtins.property
    def span(self) -> Window | None:
        """Where what it looks at comes from: the window, and those before it for what looks at them too."""
        if self.window is None:
            return None
        return Window(self.window.length * AGGREGATES[self.aggregate].spans, self.window.hop)

    @builtins.property
    def reach(self) -> Window | None:
        """Where its events come from; a session in the window may hang on any event before it."""
        return None if self.stream.sessions else self.span

    @builtins.property
    def inside(self) -> bool:
        """Whether it looks at the events inside of sessions."""
        return self.stream.sessions is not None and AGGREGATES[self.aggregate].inside

    @builtins.property
    def measures(self) -> set[str]:
        """Properties of sessions that it looks at."""
        if self.stream.sessions is None or self.inside:
            return set()
        return {name for name in (self.property, *(name for name, _, _ in self.also)) if name is not None}

    @builtins.property
    def reads(self) -> dict[str, tuple[str, int]]:
        """Properties of events that computing it needs, each with its type and scale."""
        own = {} if self.property is None else {self.property: (self.property_type or "", self.scale)}
        own |= {name: (kind, scale) for name, kind, scale in self.also}
        if self.stream.sessions is None:
            return own
        kept = self.stream.kept.expression.names if self.stream.kept else set()
        return self.stream.sessions.reads(self.measures | kept) | (own if self.inside else {})

    @builtins.property
    def value_type(self) -> Type:
        """Its type in expressions over features, which read single values only."""
        if self.type.endswith(">"):
            hint = "aggregate to one value instead, or read it with `lookup`"
            raise AskedWrongly(f"{self.name} is a {self.type}, and expressions read single values; {hint}")
        return decimal(SCALE) if self.type == "decimal" else Type(self.type)  # type: ignore[arg-type]  # the others have the same names

    @builtins.property
    def lacks(self) -> str:
        """Why it is null where it is, with {noun}, {plural} and {span} to fill in."""
        aggregate = AGGREGATES.get(self.aggregate)
        return aggregate.lacks(dict(self.settings)) if aggregate else "no {noun} {span}"

    def setting(self, name: str) -> Any:
        """A setting by name; None where it was not given."""
        return dict(self.settings).get(name)

    def facts(self) -> dict[str, Any]:
        """Everything that decides its values, ready for JSON."""
        return {
            "name": self.name,
            "aggregate": self.aggregate,
            "behaviors": list(self.behaviors),
            "where": self.where.text if self.where else None,
            "property": self.property,
            "property_type": self.property_type,
            "scale": self.scale,
            "window": self.window.suffix if self.window else None,
            "hop": time.spell(self.window.hop) if self.window and self.window.hop else None,
            "type": self.type,
            "unit": self.unit,
            "settings": dict(self.settings),
            "via": self.via,
            "also": [name for name, _, _ in self.also],
            "identity": self.stream.identity.facts() if self.stream.identity else None,
            "reconciled": self.stream.reconciled.facts() if self.stream.reconciled else None,
            "sessions": self.stream.sessions.facts() if self.stream.sessions else None,
            "kept": self.stream.kept.text if self.stream.kept else None,
            "inputs": [each.facts() for each in self.derivation.inputs] if self.derivation else [],
        }


@dataclass(frozen=True, slots=True)
class SignalPlan:
    """What an engine needs to compute a signal, and nothing else."""

    name: str
    version: int
    entity: str
    freshness: str
    delay: timedelta
    features: tuple[FeaturePlan, ...]

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def view(self) -> str:
        """Its name in Feast and online: `purchase_rhythm_v4`."""
        return f"{self.name}_v{self.version}"

    @property
    def behaviors(self) -> tuple[str, ...]:
        """Every behavior that it reads, sorted."""
        read = {behavior for feature in self.computed for behavior in feature.behaviors}
        return tuple(sorted(read.union(*(each.told_by for each in self.identities))))

    @property
    def identities(self) -> tuple[Identity, ...]:
        """What tells whose events count too; nearly always none."""
        streams = dict.fromkeys(feature.stream for feature in self.computed)
        return tuple(dict.fromkeys(each.identity for each in streams if each.identity is not None))

    @property
    def computed(self) -> tuple[FeaturePlan, ...]:
        """All features that have to be computed, served or not, each after what it is derived from."""
        found: dict[str, FeaturePlan] = {}

        def add(feature: FeaturePlan) -> None:
            if feature.derivation:
                for each in feature.derivation.inputs:
                    add(each)
            found.setdefault(feature.name, feature)

        for feature in self.features:
            add(feature)
        return tuple(found.values())

    @property
    def step(self) -> timedelta:
        """Distance of the boundaries at which it is published; for hourly and daily signals."""
        return timedelta(days=1) if self.freshness == "daily" else timedelta(hours=1)

    def only(self, names: Collection[str]) -> SignalPlan:
        """The same signal with these features alone: what is not asked for is not computed."""
        return replace(self, features=tuple(feature for feature in self.features if feature.name in names))

    def moment(self, as_of: datetime) -> tuple[datetime, datetime]:
        """(at, known) of a read at `as_of`: the value is a function of events with `occurred_at < at` and
        `available_at <= known`, and of nothing else."""
        if self.freshness == "live":
            return as_of, as_of
        boundary = time.floor(as_of - self.delay, self.step)
        return boundary, boundary + self.delay


def plan_signal(signal: Signal, taxonomy: Taxonomy) -> SignalPlan:
    """Resolve `signal`; raises `Problems` with every problem and its line."""
    problems: list[str] = []

    def problem(origin: object, message: str) -> None:
        problems.append(f"{origin}: {message}")

    if signal.entity not in taxonomy.entities:
        hint = did_you_mean(signal.entity, taxonomy.entities, otherwise="see `ethogram taxonomy`")
        problem(signal.origin, f"no entity named {signal.entity!r}; {hint}")
    if signal.freshness not in _FRESHNESS:
        problem(signal.origin, f'freshness="{signal.freshness}" is none of {", ".join(_FRESHNESS)}')
    if signal.stability not in _STABILITY:
        problem(signal.origin, f'stability="{signal.stability}" is none of {", ".join(_STABILITY)}')
    if signal.version < 1:
        problem(signal.origin, f"version={signal.version}: versions count from 1")
    delay = timedelta(0)
    try:
        delay = time.duration(signal.delay, what="delay")
    except EthogramError as error:
        problem(signal.origin, str(error))
    if delay and signal.freshness == "live":
        problem(signal.origin, "a live signal has no delay; drop it, or make it hourly or daily")
    try:
        plan_identity(signal.identity, signal.entity, taxonomy)
    except EthogramError as error:
        problem(signal.origin, str(error))
        signal = replace(signal, identity=None)  # Said once, for the whole signal.
    features: list[FeaturePlan | Feature] = []
    inputs: list[FeaturePlan] = []
    for feature in signal.features:
        try:
            for each in feature.inputs:
                inputs.extend(_resolve(replace(each, origin=feature.origin), signal, taxonomy))
            features.extend([feature] if feature.aggregate == "derived" else _resolve(feature, signal, taxonomy))
        except Problems as several:
            problems.extend(several.problems)
        except EthogramError as error:
            problem(feature.origin, str(error))
    names = [str(feature.name) for feature in features]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problem(signal.origin, f"two features are named {name}; give one a name=")
    if not features and not problems:
        problem(signal.origin, f"signal {signal.name} has no features")
    if problems:
        raise Problems(list(dict.fromkeys(problems)))
    planned = _derived(features, inputs)
    return SignalPlan(signal.name, signal.version, signal.entity, signal.freshness, delay, planned)


def _derived(features: Sequence[FeaturePlan | Feature], inputs: Sequence[FeaturePlan]) -> tuple[FeaturePlan, ...]:
    """The features with every derived one resolved; problems are raised all at once."""
    known = {each.name: each for each in (*inputs, *features) if isinstance(each, FeaturePlan)}
    open_ = {str(each.name): each for each in features if isinstance(each, Feature)}
    problems: list[str] = []
    path: list[str] = []

    def resolve(name: str) -> FeaturePlan | None:
        if name in known:
            return known[name]
        feature = open_[name]
        if name in path:
            circle = " → ".join([*path[path.index(name) :], name])
            problems.append(f"{feature.origin}: {name} is derived from itself: {circle}; leave one of them out")
            return None
        path.append(name)
        found: FeaturePlan | None = None
        try:
            found = _derive(feature, resolve, [*known, *open_])
        except Problems as several:
            problems.extend(several.problems)
        except EthogramError as error:
            said = str(error)
            problems.append(said if said.startswith(str(feature.origin)) else f"{feature.origin}: {said}")
        path.pop()
        if found is not None:
            known[name] = found
        return found

    resolved = [each if isinstance(each, FeaturePlan) else resolve(str(each.name)) for each in features]
    if problems:
        raise Problems(list(dict.fromkeys(problems)))
    return tuple(each for each in resolved if each is not None)


def _derive(feature: Feature, resolve: Callable[[str], FeaturePlan | None], known: Sequence[str]) -> FeaturePlan | None:
    """A derived feature; None if one of its inputs has a problem, which is said there."""
    expression = parse(str(dict(feature.settings)["expression"]), where=str(feature.origin))
    inputs = []
    for name in sorted(expression.names):
        if name not in known:
            hint = did_you_mean(name, known, otherwise="derived features are made of others of the same signal")
            raise Problems([f"{feature.origin}: {feature.name} names {name!r}, which is no feature here; {hint}"])
        inputs.append(resolve(name))
    found = [each for each in inputs if each is not None]
    if len(found) < len(inputs):
        return None
    derivation = Derivation(expression, tuple(found))
    kind = derivation.to.kind
    if kind == "null":
        raise Problems([f"{feature.origin}: {feature.name} is always null"])
    return FeaturePlan(
        name=str(feature.name),
        aggregate="derived",
        stream=Stream(tuple(sorted({behavior for each in found for behavior in each.behaviors}))),
        property=None,
        property_type=None,
        scale=0,
        window=None,
        type=kind,
        unit="1",
        settings=feature.settings,
        exact=all(each.exact for each in found),
        derivation=derivation,
    )


def _resolve(feature: Feature, signal: Signal, taxonomy: Taxonomy) -> list[FeaturePlan]:
    if len(feature.keys) > 1:
        alone = (replace(feature, keys=(key,)) for key in feature.keys)
        return [plan for each in alone for plan in _resolve(each, signal, taxonomy)]
    feature, key = _bucket(feature) if feature.keys else (feature, "")
    source = feature.of or signal.of
    if signal.entity not in taxonomy.entities:
        return []  # Said once, for the whole signal.
    sessions: SessionPlan | None = None
    if isinstance(source, Sessions):
        sessions = _sessions(source, feature, signal, taxonomy)
        pattern, behaviors = source.name, [taxonomy.behavior(id) for id in sessions.behaviors]
    elif isinstance(source, Reconciled):
        if feature.via is not None:
            raise Problems([f"{feature.origin}: {source.name} are reconciled for each {signal.entity}; drop via="])
        pattern, behaviors = source.name, matched(source, taxonomy, signal.entity)
    else:
        pattern = source
        behaviors = taxonomy.match(pattern, entity=None if feature.via == EVERYONE else signal.entity)
    for entity in _entities(feature, signal, taxonomy):
        wrong = [b for b in behaviors if entity not in b.entities]
        if wrong:
            has = ", ".join(wrong[0].entities)
            raise Problems([f"{feature.origin}: {wrong[0].id} has no entity {entity!r}; it has {has}"])
    aggregate = AGGREGATES[feature.aggregate]
    here = str(feature.origin)
    looks_at = behaviors
    if sessions and not aggregate.inside:
        looks_at = [as_behavior(sessions, feature.property, origin=here)]
        if "behavior" in (feature.property, feature.by):
            has = ", ".join(looks_at[0].properties)
            raise Problems([f"{here}: {feature.aggregate} of {sessions.name} has no one behavior; they have {has}"])
    kind, scale, unit = _property(feature, aggregate, looks_at)
    also = _also(feature, aggregate, looks_at)
    if sessions:
        kept = session_condition(feature.where, sessions, origin=here)
        stream = Stream(sessions.behaviors, sessions.where, sessions, kept)
        noun, plural = sessions.noun, sessions.name
    else:
        stream = Stream(tuple(behavior.id for behavior in behaviors), condition(feature.where, behaviors, origin=here))
        noun, plural = _nouns(pattern, behaviors)
    if isinstance(source, Reconciled):
        stream = replace(stream, reconciled=plan_reconciled(source, behaviors, taxonomy))
        noun, plural = source.noun or source.name.removesuffix("s"), source.name
    if feature.via is None:
        stream = replace(stream, identity=plan_identity(signal.identity, signal.entity, taxonomy))
    if "(" in (feature.property or "") and not feature.name:
        raise Problems([f"{here}: a feature of {feature.property} needs a name="])
    spans: list[Window | None] = [window(length, signal.hop) for length in feature.over] or [None]
    if feature.name and len(spans) > 1:
        many = f"{feature.origin}: name={feature.name!r} would name {len(spans)} features; give one window each"
        raise Problems([many])
    given = dict(feature.settings)
    steps = given["steps"] if feature.aggregate == "funnel" else ()
    for step in steps if isinstance(steps, tuple) else ():
        if step not in stream.behaviors:
            hint = did_you_mean(str(step), stream.behaviors, otherwise="its steps are behaviors that the feature is of")
            raise Problems([f"{here}: a funnel over {pattern} never meets {step!r}; {hint}"])
    made = []
    for span in spans:
        try:
            aggregate.check(given, span)
        except BadFeature as bad:
            raise Problems([f"{feature.origin}: {bad}"]) from bad
        suffix = span.suffix if span else ""
        naming = Naming(noun, plural, feature.property or "", suffix, given, feature.by or "", key)
        made.append(
            FeaturePlan(
                name=feature.name or aggregate.label(naming),
                aggregate=feature.aggregate,
                stream=stream,
                property=feature.property,
                property_type=kind,
                scale=scale,
                window=span,
                type=aggregate.type(kind, given),
                unit=aggregate.unit(unit, given),
                settings=feature.settings,
                empty=aggregate.empty,
                exact=aggregate.exact,
                via=feature.via,
                also=also,
            )
        )
    return made


def _bucket(feature: Feature) -> tuple[Feature, str]:
    """The feature of one bucket as one with a condition, and what the bucket is called in names."""
    (key,) = feature.keys
    slug = "_".join(re.findall(r"[a-z0-9]+", key.lower()))
    if feature.by is None:
        raise Problems([f"{feature.origin}: keys= are values of a property; name it in by="])
    if not slug:
        raise Problems([f"{feature.origin}: no name can be made of the key {key!r}; write one with where= for it"])
    quoted = key.replace("'", "''")
    mine = f"{feature.by} = '{quoted}'"
    where = mine if feature.where is None else f"({feature.where}) and {mine}"
    name = f"{feature.name}_{slug}" if feature.name else None
    return replace(feature, by=None, keys=(), where=where, name=name), slug


def _also(feature: Feature, aggregate: Aggregate, behaviors: list[Behavior]) -> tuple[tuple[str, str, int], ...]:
    """Other properties that are read: what settings name, and what buckets are of."""
    given = dict(feature.settings)
    wanted = [(str(given[name]), aggregate.accepts) for name in aggregate.also]
    if feature.by is not None:
        wanted.append((feature.by, frozenset({"string"})))
    found = []
    for name, accepts in wanted:
        kind, scale, _ = _property(replace(feature, property=name), replace(aggregate, accepts=accepts), behaviors)
        found.append((name, kind or "", scale))
    return tuple(found)


def _sessions(declared: Sessions, feature: Feature, signal: Signal, taxonomy: Taxonomy) -> SessionPlan:
    if declared.entity != signal.entity:
        what = f"{declared.name} are sessions of a {declared.entity}, and {signal.name} is about a {signal.entity}"
        raise Problems([f"{feature.origin}: {what}; declare sessions of a {signal.entity}"])
    return plan_sessions(declared, taxonomy)


def _entities(feature: Feature, signal: Signal, taxonomy: Taxonomy) -> list[str]:
    """Whom each event has to name: the signal's entity, and the larger unit if it is that one's feature."""
    if feature.via is None:
        return [signal.entity]
    if feature.via == EVERYONE:
        return []
    if feature.via not in taxonomy.entities:
        hint = did_you_mean(feature.via, taxonomy.entities, otherwise="see `ethogram taxonomy`")
        raise Problems([f"{feature.origin}: no entity named {feature.via!r}; {hint}"])
    if not feature.name:
        raise Problems([f"{feature.origin}: a feature of {feature.via} needs a name="])
    return [signal.entity, feature.via]


def _property(feature: Feature, aggregate: Aggregate, behaviors: list[Behavior]) -> tuple[str | None, int, str]:
    """Type, scale and unit of what is aggregated."""
    if aggregate.accepts is None or feature.property is None:
        return None, 0, "1"
    name = feature.property
    if name in OF_EVERY_EVENT:
        found = [(OF_EVERY_EVENT[name], 0, "1")]
    else:
        for behavior in behaviors:
            if name not in behavior.properties:
                hint = did_you_mean(name, behavior.properties, otherwise="see its page in the taxonomy")
                raise Problems([f"{feature.origin}: {behavior.id} has no property {name!r}; {hint}"])
        declared = [behavior.properties[name] for behavior in behaviors]
        found = [(each.type, each.scale, each.unit or "1") for each in declared]
    kinds = {kind for kind, _, _ in found}
    if len(kinds) > 1:
        both = " here and ".join(sorted(kinds))
        raise Problems([f"{feature.origin}: {name} is {both} there; pick one behavior"])
    kind, scale, unit = max(found, key=lambda each: each[1])
    if kind not in aggregate.accepts:
        unscaled = "an unscaled double, whose sum depends on order; declare it as number"
        why = unscaled if kind == "double" else f"a {kind}"
        raise Problems([f"{feature.origin}: {feature.aggregate} of {name}, which is {why}"])
    return kind, scale, unit


def _nouns(pattern: str, behaviors: list[Behavior]) -> tuple[str, str]:
    if "*" not in pattern:
        return behaviors[0].noun, behaviors[0].plural
    # Named after the pattern even where it matches one behavior today: a name may not change when the taxonomy grows.
    return "event", f"{pattern.split('.')[0]}_events"
