"""Tiles: partial aggregates of one entity's events over one stretch of time, which merge into features of any window.

A tile is made once, when its stretch is over; a day's run makes that day's tiles and reads no older event. What comes
late touches the tiles of its own day alone. They serve signals that are published at boundaries (hourly and daily
ones): there every window is a whole number of tiles. Which events a tile holds says nothing of what was known when, so
each keeps the latest `available_at` inside; who asks as of an earlier knowledge is answered from the events.
"""

from __future__ import annotations

import builtins
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from math import gcd

import numpy as np

from ethogram.core.signals.kernel import Events, Kernel, evaluate
from ethogram.core.signals.kernel.asked import Asked
from ethogram.core.signals.kernel.basic import age, at_index, extreme, first, in_type, last, sums
from ethogram.core.signals.kernel.columns import Column, Ints, Mask, Values
from ethogram.core.signals.kernel.events import LONG_AGO
from ethogram.core.signals.numbers import means
from ethogram.core.signals.plan import FeaturePlan, SignalPlan, Stream
from ethogram.core.signals.window import Window
from ethogram.core.time import MICROSECOND
from ethogram.errors import EthogramError

DAY = timedelta(days=1)
# Counts up when the same stream gives other tiles.
FORMAT = 1


class BackfillBusy(EthogramError):
    """Another backfill of the same tiles is under way."""

    code = "backfill-busy"

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(f"{table}: another backfill is making these tiles; wait for it, then run this again")


@dataclass(frozen=True, slots=True)
class Part:
    """One column of a tile.

    Attributes:
        kind: "n" events, "newest" instant, and of a property: "sum", "many" values, "least", "largest", the value at
            the "first" and at the "last" event.
    """

    kind: str
    property: str | None = None
    property_type: str | None = None
    scale: int = 0

    @builtins.property  # `property` is a field here
    def name(self) -> str:
        return self.kind if self.property is None else f"{self.kind} {self.property}"


_KINDS = {
    "count": ("n",),
    "recency": ("newest",),
    "sum": ("sum",),
    "mean": ("sum", "many"),
    "min": ("least",),
    "max": ("largest",),
    "first": ("first",),
    "last": ("last",),
}
_OF_EVENTS = frozenset({"n", "newest"})


@dataclass(frozen=True, slots=True)
class Tiling:
    """The tiles of one stream of a signal.

    Attributes:
        number: Counts the signal's streams that have tiles.
        length: Of a tile; tiles start at multiples of it.
        features: What is answered from them.
    """

    view: str
    number: int
    entity: str
    stream: Stream
    length: timedelta
    features: tuple[FeaturePlan, ...]

    @property
    def table(self) -> str:
        """Where they are in the lake."""
        return f"tiles/{self.view}-{self.number}"

    @property
    def parts(self) -> tuple[Part, ...]:
        """Columns, each once."""
        found = []
        for feature in self.features:
            for kind in _KINDS[feature.aggregate]:
                whole = kind in _OF_EVENTS
                found.append(
                    Part(kind) if whole else Part(kind, feature.property, feature.property_type, feature.scale)
                )
        return tuple(dict.fromkeys(found))

    @property
    def digest(self) -> str:
        """Changes when tiles that are there are no longer what they should be."""
        stream = self.stream
        facts = {
            "format": FORMAT,
            "entity": self.entity,
            "behaviors": list(stream.behaviors),
            "where": stream.where.text if stream.where else None,
            "length_us": self.length // MICROSECOND,
            "parts": sorted([part.kind, part.property or "", part.scale] for part in self.parts),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def tilings(plan: SignalPlan) -> list[Tiling]:
    """The tiles that a signal's features can be answered from, a table a stream; none for live signals."""
    if plan.freshness == "live":
        return []
    streams: dict[Stream, list[FeaturePlan]] = {}
    for feature in plan.computed:
        plain = feature.stream == Stream(feature.stream.behaviors, feature.stream.where)
        if feature.aggregate in _KINDS and feature.via is None and plain:
            streams.setdefault(feature.stream, []).append(feature)
    return [
        Tiling(
            plan.view,
            number,
            plan.entity,
            stream,
            _length(plan, [feature.window for feature in features]),
            tuple(features),
        )
        for number, (stream, features) in enumerate(streams.items())
    ]


def _length(plan: SignalPlan, windows: Iterable[Window | None]) -> timedelta:
    """The longest tile such that every window starts and ends between two."""
    length = plan.step // MICROSECOND
    for window in windows:
        if window is not None:
            length = gcd(length, window.length // MICROSECOND)
            hop = (window.hop or MICROSECOND) // MICROSECOND
            length = length if length % hop == 0 else gcd(length, hop)
    return length * MICROSECOND


def _count(feature: FeaturePlan, asked: Asked) -> Column:
    return Column(sums(asked, "n").between(*asked.range(feature.window)))


def _sum(feature: FeaturePlan, asked: Asked) -> Column:
    return in_type(feature, sums(asked, f"sum {feature.property}").between(*asked.range(feature.window)))


def _mean(feature: FeaturePlan, asked: Asked) -> Column:
    inside = asked.range(feature.window)
    many = sums(asked, f"many {feature.property}").between(*inside)
    whole = sums(asked, f"sum {feature.property}").between(*inside)
    exact = whole if whole.dtype != object else [int(each) for each in whole]
    return Column(means(exact, many, feature.scale), many > 0)


def _of(kind: str, kernel: Kernel) -> Kernel:
    """The kernel of events over a part of tiles: the least of the least ones, the last of the last ones."""
    return lambda feature, asked: kernel(replace(feature, property=f"{kind} {feature.property}"), asked)


def _recency(feature: FeaturePlan, asked: Asked) -> Column:
    low, high = asked.range(feature.window)
    newest = at_index(replace(feature, property="newest", type="integer"), asked, high - 1, low < high)
    assert isinstance(newest, Column)
    return age(feature, asked.at, newest)


KERNELS: Mapping[str, Kernel] = {
    "count": _count,
    "recency": _recency,
    "sum": _sum,
    "mean": _mean,
    "min": _of("least", extreme(largest=False)),
    "max": _of("largest", extreme(largest=True)),
    "first": _of("first", first),
    "last": _of("last", last),
}


def from_tiles(tiling: Tiling, tiles: Events, entity: Ints, at: Ints, delay: int) -> tuple[dict[str, Values], Mask]:
    """Values of the tiling's features for each observation, and for which observations they are right.

    Args:
        tiles: `occurred` is a tile's start, `available` the latest at which one of its events could be known, and its
            columns are the tiling's parts; in order.
        at: Multiples of the tiles' length.
    """
    always = replace(tiles, available=np.full(len(tiles), LONG_AGO, np.int64))
    values = evaluate(tiling.features, always, entity, at, kernels=KERNELS)
    newest = FeaturePlan("newest", "known", tiling.stream, "known", "integer", 0, None, "integer", "1")
    marked = replace(always, columns={"known": Column(tiles.available)})
    known = evaluate([newest], marked, entity, at, kernels={"known": extreme(largest=True)})["newest"]
    assert isinstance(known, Column)
    return values, ~known.present | (known.data <= at + delay)
