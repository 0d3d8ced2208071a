"""Observations over events that stand in order of time, where what each of them sees is one contiguous range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from ethogram.core.signals.kernel.columns import Column, Ints, Mask
from ethogram.core.signals.kernel.events import Events
from ethogram.core.signals.window import Window
from ethogram.core.time import MICROSECOND

T = TypeVar("T")


def window_start(window: Window, at: Ints) -> Ints:
    """`window.start` of every instant, in microseconds."""
    tail = at - window.length // MICROSECOND
    if window.hop is None:
        return tail
    hop = window.hop // MICROSECOND
    return tail // hop * hop


@dataclass(frozen=True, slots=True)
class Inside:
    """The events of sessions: session i is the events `start[i]` up to and without `end[i]`."""

    events: Events
    start: Ints
    end: Ints


@dataclass(slots=True)
class Asked:
    """Observation i sees the events `first[i]` up to and without `end[i]`, all of its entity.

    Attributes:
        keys: Order of the events as one number each: `base[i] + occurred` of observation i's entity.
        inside: What the events are made of where they are sessions.
    """

    events: Events
    at: Ints
    first: Ints
    end: Ints
    keys: Ints
    base: Ints
    earliest: int
    latest: int
    inside: Inside | None = None
    _kept: dict[Any, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.at)

    def since(self, start: Ints) -> Ints:
        """For each observation the first of its events that occurred at or after `start`."""
        clipped = np.clip(start, self.earliest, self.latest)
        found = np.searchsorted(self.keys, self.base + clipped, "left")
        return np.minimum(np.maximum(found, self.first), self.end)

    def range(self, window: Window | None) -> tuple[Ints, Ints]:
        """The events in the window: from, and up to without."""
        if window is None:
            return self.first, self.end
        return self.keep(("range", window), lambda: self.since(window_start(window, self.at))), self.end

    def having(self, name: str | None) -> Asked:
        """The same question about those events alone that have a property."""
        column = self.column(name)
        if column.valid is None:
            return self
        return self.keep(("having", name), lambda: self._having(column.present))

    def _having(self, present: Mask) -> Asked:
        rows = np.flatnonzero(present)
        before = np.concatenate([[0], np.cumsum(present)])
        first, end = before[self.first], before[self.end]
        return Asked(
            self.events.take(rows), self.at, first, end, self.keys[rows], self.base, self.earliest, self.latest
        )

    def column(self, name: str | None) -> Column:
        """Values of a property, one an event."""
        assert name is not None
        return self.events.columns[name]

    def keep(self, key: Any, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all features that ask for the same `key`."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]  # type: ignore[no-any-return]
