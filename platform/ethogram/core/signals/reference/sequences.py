"""Definitions of `aggregates.sequences`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ethogram.core import time
from ethogram.core.events import Event
from ethogram.core.signals.aggregates.aggregate import SECONDS
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen, leaving, read
from ethogram.core.signals.reference.sessions import Session, steps_reached


def _having(feature: FeaturePlan, events: Sequence[Event]) -> list[Event]:
    return [event for event in events if read(event, feature.property) is not None]


def sequence(feature: FeaturePlan, seen: Seen) -> list[Any]:
    events = _having(feature, seen.inside(feature.window))
    return [leaving(read(event, feature.property)) for event in events[-feature.setting("k") :]]


def sequence_gaps(feature: FeaturePlan, seen: Seen) -> list[float]:
    instants = [event.occurred_at for event in _having(feature, seen.inside(feature.window))[-feature.setting("k") :]]
    pairs = zip(instants, [*instants[1:], seen.at], strict=False)  # none of an empty sequence
    return [float((later - sooner) // time.MICROSECOND) / 1_000_000.0 for sooner, later in pairs]


def _grams(feature: FeaturePlan, seen: Seen, n: int) -> Counter[tuple[str, ...]]:
    """Runs of `n` values: of the window's events, or, where these are sessions, within each of them."""
    found: Counter[tuple[str, ...]] = Counter()
    events = seen.inside(feature.window)
    for run in [e.inside for e in events if isinstance(e, Session)] if feature.stream.sessions else [events]:
        values = [read(event, feature.property) for event in _having(feature, run)]
        found.update(tuple(values[start : start + n]) for start in range(len(values) - n + 1))
    return found


def _most_frequent(counts: Mapping[tuple[str, ...], Any], grams: Counter[tuple[str, ...]], top: int) -> dict[str, Any]:
    texts = {" > ".join(gram): gram for gram in grams}
    chosen = sorted(texts, key=lambda text: (-grams[texts[text]], text))[:top]
    return {text: counts[texts[text]] for text in sorted(chosen)}


def ngrams(feature: FeaturePlan, seen: Seen) -> dict[str, int]:
    grams = _grams(feature, seen, feature.setting("n"))
    return _most_frequent(grams, grams, feature.setting("top"))


def transitions(feature: FeaturePlan, seen: Seen) -> dict[str, Any]:
    grams = _grams(feature, seen, feature.setting("k"))
    if feature.setting("as") == "count":
        return _most_frequent(grams, grams, feature.setting("top"))
    after: Counter[tuple[str, ...]] = Counter()
    for gram, many in grams.items():
        after[gram[:-1]] += many
    return _most_frequent({g: many / after[g[:-1]] for g, many in grams.items()}, grams, feature.setting("top"))


def time_since_each(feature: FeaturePlan, seen: Seen) -> dict[str, float]:
    latest = {read(event, feature.property): event for event in _having(feature, seen.inside(feature.window))}
    unit = float(SECONDS[feature.setting("unit")] * 1_000_000)
    return {value: float((seen.at - latest[value].occurred_at) // time.MICROSECOND) / unit for value in sorted(latest)}


def funnel(feature: FeaturePlan, seen: Seen) -> int:
    return steps_reached(feature.setting("steps"), seen.inside(feature.window))


REFERENCE: Mapping[str, Definition] = {
    "sequence": sequence,
    "sequence_gaps": sequence_gaps,
    "ngrams": ngrams,
    "transitions": transitions,
    "time_since_each": time_since_each,
    "funnel": funnel,
}
