"""A signal after its names were resolved against the taxonomy: what every engine computes."""

from __future__ import annotations

import builtins
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ethogram.core import time
from ethogram.core.expressions import Type, decimal
from ethogram.core.signals.condition import Condition, condition
from ethogram.core.signals.declaration import Feature, Signal
from ethogram.core.signals.numbers import SCALE
from ethogram.core.signals.window import Window, window
from ethogram.errors import EthogramError, Problems, did_you_mean

if TYPE_CHECKING:
    from ethogram.core.taxonomy import Behavior, Property, Taxonomy

SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_PER_PROPERTY = {"sum", "mean", "min", "max", "last"}
_ADDABLE = {"integer", "number", "money"}
_ORDERED = {"integer", "number", "money", "double", "timestamp", "date"}
_FRESHNESS = ("live", "hourly", "daily")
_STABILITY = ("development", "stable", "deprecated")


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """One column of a signal.

    Attributes:
        aggregate: "count", "sum", "mean", "min", "max", "last" or "recency".
        behaviors: Ids whose events count.
        property: What is aggregated; None for count and recency.
        property_type: Its taxonomy type; None for count and recency.
        scale: Digits after the point of a fixed-point property.
        where: Which of the events count; None for all.
        window: None for the whole life.
        type: Type of the value: "integer", "decimal" (38, 6), "double", "string", "boolean", "timestamp" or "date".
        unit: What the value counts.
        unit_s: For recency, seconds in one unit.
    """

    name: str
    aggregate: str
    behaviors: tuple[str, ...]
    property: str | None
    property_type: str | None
    scale: int
    where: Condition | None
    window: Window | None
    type: str
    unit: str
    unit_s: int = 1

    @builtins.property  # `property` is a field here
    def value_type(self) -> Type:
        """Its type in expressions over features."""
        return decimal(SCALE) if self.type == "decimal" else Type(self.type)  # type: ignore[arg-type]  # the others have the same names

    @builtins.property
    def empty(self) -> int | None:
        """Value over no events: 0 for counts and sums, null for the rest."""
        return 0 if self.aggregate in {"count", "sum"} else None


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
        return tuple(sorted({behavior for feature in self.features for behavior in feature.behaviors}))

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
    features: list[FeaturePlan] = []
    for feature in signal.features:
        try:
            features.extend(_resolve(feature, signal, taxonomy))
        except Problems as several:
            problems.extend(several.problems)
        except EthogramError as error:
            problem(feature.origin, str(error))
    names = [feature.name for feature in features]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problem(signal.origin, f"two features are named {name}; give one a name=")
    if not features and not problems:
        problem(signal.origin, f"signal {signal.name} has no features")
    if problems:
        raise Problems(problems)
    return SignalPlan(signal.name, signal.version, signal.entity, signal.freshness, delay, tuple(features))


def _resolve(feature: Feature, signal: Signal, taxonomy: Taxonomy) -> list[FeaturePlan]:
    pattern = feature.of or signal.of
    if signal.entity not in taxonomy.entities:
        return []  # Said once, for the whole signal.
    behaviors = taxonomy.match(pattern, entity=signal.entity)
    wrong = [b for b in behaviors if signal.entity not in b.entities]
    if wrong:
        raise Problems(
            [f"{feature.origin}: {wrong[0].id} has no entity {signal.entity!r}; it has {', '.join(wrong[0].entities)}"]
        )
    declared = _property(feature, behaviors)
    where = condition(feature.where, behaviors, origin=str(feature.origin))
    noun, plural = _nouns(pattern, behaviors)
    windows: list[Window | None] = [window(length, signal.hop) for length in feature.over] or [None]
    if feature.name and len(windows) > 1:
        many = f"{feature.origin}: name={feature.name!r} would name {len(windows)} features; give one window each"
        raise Problems([many])
    seconds = SECONDS.get(feature.unit or "days")
    if seconds is None:
        raise Problems([f'{feature.origin}: unit="{feature.unit}" is none of {", ".join(SECONDS)}'])
    ids = tuple(behavior.id for behavior in behaviors)
    made = []
    for span in windows:
        suffix = f"_{span.suffix}" if span else ""
        if feature.aggregate == "count":
            default, kind, unit = f"{plural}{suffix}", "integer", "1"
        elif feature.aggregate == "recency":
            unit = feature.unit or "days"
            default, kind = f"{unit}_since_{noun}{suffix}", "double"
        else:
            assert declared is not None
            default = f"{noun}_{declared.name}_{feature.aggregate}{suffix}"
            kind = _value_type(feature.aggregate, declared.type)
            unit = declared.unit or "1"
        made.append(
            FeaturePlan(
                feature.name or default,
                feature.aggregate,
                ids,
                feature.property,
                declared.type if declared else None,
                declared.scale if declared else 0,
                where,
                span,
                kind,
                unit,
                seconds,
            )
        )
    return made


def _property(feature: Feature, behaviors: list[Behavior]) -> Property | None:
    if feature.aggregate not in _PER_PROPERTY:
        return None
    found = []
    for behavior in behaviors:
        declared = behavior.properties.get(feature.property or "")
        if declared is None:
            hint = did_you_mean(feature.property or "", behavior.properties, otherwise="see its page in the taxonomy")
            raise Problems([f"{feature.origin}: {behavior.id} has no property {feature.property!r}; {hint}"])
        found.append(declared)
    kinds = {declared.type for declared in found}
    if len(kinds) > 1:
        both = " here and ".join(sorted(kinds))
        raise Problems([f"{feature.origin}: {feature.property} is {both} there; pick one behavior"])
    kind = found[0].type
    if feature.aggregate in {"sum", "mean"} and kind not in _ADDABLE:
        unscaled = "an unscaled double, whose sum depends on order; declare it as number"
        why = unscaled if kind == "double" else f"a {kind}"
        raise Problems([f"{feature.origin}: {feature.aggregate} of {feature.property}, which is {why}"])
    if feature.aggregate in {"min", "max"} and kind not in _ORDERED:
        raise Problems([f"{feature.origin}: {feature.aggregate} of {feature.property}, which is a {kind}"])
    return max(found, key=lambda declared: declared.scale)


def _value_type(aggregate: str, kind: str) -> str:
    if aggregate == "mean":
        return "double"
    return "decimal" if kind in {"money", "number"} else kind


def _nouns(pattern: str, behaviors: list[Behavior]) -> tuple[str, str]:
    if "*" not in pattern:
        return behaviors[0].noun, behaviors[0].plural
    # Named after the pattern even where it matches one behavior today: a name may not change when the taxonomy grows.
    return "event", f"{pattern.split('.')[0]}_events"
