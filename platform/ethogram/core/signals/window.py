"""Windows of a signal: `[floor_h(at - w), at)`, exact at the head, stepping by the hop at the tail.

The sawtooth window of Chronon (Airbnb, 2023): what leaves a window leaves in whole hops, so offline and online agree
exactly and partial aggregates can be kept per hop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ethogram.core import time
from ethogram.errors import AskedWrongly

HOPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))


class BadWindow(AskedWrongly):
    """A window that no hop can step."""

    code = "bad-window"


@dataclass(frozen=True, slots=True)
class Window:
    """A span before the instant; `hop` None means an exact tail."""

    length: timedelta
    hop: timedelta | None

    def start(self, at: datetime) -> datetime:
        """First instant inside the window that ends at `at`.

        >>> from datetime import UTC
        >>> week = window("7d")
        >>> week.start(datetime(2026, 3, 9, 15, 40, tzinfo=UTC)).isoformat()
        '2026-03-02T15:00:00+00:00'
        """
        tail = at - self.length
        return tail if self.hop is None else time.floor(tail, self.hop)

    @property
    def suffix(self) -> str:
        """How feature names spell it: "30d"."""
        return time.spell(self.length)


def window(length: str, hop: str | None = "auto") -> Window:
    """A window of `length`; the default hop is the largest of 1 min, 5 min, 1 h, 1 d that is at most a twelfth of it
    and divides it.

    >>> window("30d").hop, window("6h").hop
    (datetime.timedelta(days=1), datetime.timedelta(seconds=300))
    >>> window("10m")
    Traceback (most recent call last):
    ethogram.core.signals.window.BadWindow: window 10m is under 12 hops of 1m; take 12m or more, or hop=None
    """
    span = time.duration(length, what="over")
    if hop is None:
        return Window(span, None)
    if hop == "auto":
        fitting = [h for h in HOPS if h * 12 <= span and span % h == timedelta(0)]
        if not fitting:
            if span % HOPS[0]:
                raise BadWindow(f"window {length} is no multiple of 1m; take whole minutes, or hop=None")
            raise BadWindow(f"window {length} is under 12 hops of 1m; take 12m or more, or hop=None")
        return Window(span, fitting[-1])
    step = time.duration(hop, what="hop")
    if step not in HOPS:
        raise BadWindow(f"hop {hop} is none of 1m, 5m, 1h, 1d")
    if span < step * 12:
        raise BadWindow(f"window {length} is under 12 hops of {hop}; take a smaller hop or a longer window")
    if span % step:
        raise BadWindow(f"window {length} is no multiple of its hop {hop}")
    return Window(span, step)
