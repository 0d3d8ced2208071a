"""Our picture: one row a behavior, one tick a fixed number of events, time to the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count as count_up
from random import Random
from zlib import crc32

from markupsafe import Markup, escape

from ethogram.http.pages.charts import WIDE, axis, place, time_marks
from ethogram.http.pages.wording import count, day
from ethogram.usecases.catalog.behaviors import BehaviorSummary

MOST_TICKS = 200
WEEK = timedelta(days=7)
_TONES = {"wanted": " a", "harm": " b", "plain": ""}


@dataclass(frozen=True, slots=True)
class Row:
    """One behavior's ticks; a tick stands for `per_tick` events."""

    behavior: BehaviorSummary
    per_tick: int
    picture: Markup


@dataclass(frozen=True, slots=True)
class Ethogram:
    rows: tuple[Row, ...]
    axis: Markup
    first: datetime
    last: datetime


def ethogram(behaviors: Sequence[BehaviorSummary]) -> Ethogram | None:
    """The picture of every behavior with events, or None when there is none.

    Rows differ by orders of magnitude, so each has its own size of tick; a tick is the longer, the more it stands for.
    Weeks are what is known: within its week, a tick's place is drawn by chance, the same on every page.
    """
    seen = [b for b in behaviors if b.weeks]
    if not seen:
        return None
    first = min(b.weeks[0][0] for b in seen)
    last = max(b.weeks[-1][0] for b in seen) + WEEK
    marks = time_marks(first, last)
    grid = "".join(f'<path class="grid" d="M{WIDE * share:.0f} 0V24"/>' for share, _ in marks)
    labels = "".join(axis(marks, y=12))
    rows = tuple(_row(b, first, last, grid) for b in seen)
    scale = Markup(f'<svg class="chart" width="100%" height="16" aria-hidden="true">{labels}</svg>')
    return Ethogram(rows, scale, first, last)


def ticks(weeks: Sequence[tuple[datetime, int]], per_tick: int) -> list[datetime]:
    """The week in which each `per_tick`-th event happened.

    >>> ticks([(datetime(2026, 11, 2), 7), (datetime(2026, 11, 9), 12)], 5) == [
    ...     datetime(2026, 11, 2), datetime(2026, 11, 9), datetime(2026, 11, 9), datetime(2026, 11, 9)]
    True
    """
    found = []
    before, due = 0, (per_tick + 1) // 2
    for week, events in weeks:
        before += events
        while due <= before:
            found.append(week)
            due += per_tick
    return found


def tick_size(events: int) -> int:
    """Smallest of 1, 2, 5, 10, 20, 50 … that leaves at most `MOST_TICKS` ticks.

    >>> tick_size(11), tick_size(19960), tick_size(10_655_280)
    (1, 100, 100000)
    """
    for power in count_up():
        for step in (1, 2, 5):
            size: int = step * 10**power
            if events <= size * MOST_TICKS:
                return size
    raise AssertionError("powers of ten do not end")


def _row(behavior: BehaviorSummary, first: datetime, last: datetime, grid: str) -> Row:
    size = tick_size(behavior.events)
    length = 7 + 3 * (len(str(size)) - 1)
    length = min(length, 22)
    top = (24 - length) / 2
    chance = Random(crc32(behavior.id.encode()))
    drawn = (week + WEEK * chance.random() for week in ticks(behavior.weeks, size))
    places = sorted({round(WIDE * place(at, first, last)) for at in drawn})
    path = "".join(f"M{x} {top:g}v{length}" for x in places)
    busiest, most = max(behavior.weeks, key=lambda week: week[1])
    says = (
        f"{behavior.id}: {count(behavior.events)} events "
        f"from {day(behavior.weeks[0][0])} to {day(behavior.weeks[-1][0] + WEEK)}, "
        f"most in the week of {day(busiest)} with {count(most)}"
    )
    picture = Markup(
        f'<svg class="ticks" width="100%" height="24" viewBox="0 0 {WIDE} 24" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(says)}"><title>{escape(says)}</title>{grid}'
        f'<path class="tick{_TONES[behavior.tone]}" d="{path}"/></svg>'
    )
    return Row(behavior, size, picture)
