"""The simulated period: its weeks, its seasons and its outage, in microseconds since its start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ethogram.core.sample.truths import TRUTHS
from ethogram.core.time import MICROSECOND, micros

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Period:
    """`days` from midnight UTC of `start`, walked through in weeks of seven days; the last may be cut short."""

    start: datetime
    days: int

    @property
    def starts(self) -> int:
        return micros(self.start)

    @property
    def length(self) -> int:
        return self.days * DAY

    @property
    def weeks(self) -> int:
        return -(-self.days // 7)

    @property
    def outage(self) -> tuple[int, int]:
        begins, ends = TRUTHS.outage.interval(self.start, self.days)
        return (begins - self.start) // MICROSECOND, (ends - self.start) // MICROSECOND

    def in_outage(self, at: NDArray[np.int64]) -> NDArray[np.bool_]:
        begins, ends = self.outage
        return (at >= begins) & (at < ends)

    def seasons(self) -> NDArray[np.float64]:
        """Relative activity of each week of the period."""
        middle = [(self.start + timedelta(days=7 * week + 3)).timetuple().tm_yday for week in range(self.weeks)]
        day = np.array(middle, dtype=np.float64)
        first, last = TRUTHS.season.rush_days_of_year
        rush = np.where((day >= first) & (day <= last), TRUTHS.season.rush_factor, 1.0)
        return (1 + TRUTHS.season.winter_swing * np.cos(2 * np.pi * (day - 1) / 365)) * rush

    def moments(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """`count` instants within a week, in µs from its start, by the rhythm of the weekdays and of the hours."""
        weekdays = np.roll(TRUTHS.season.weekdays, -self.start.weekday())
        weights = np.outer(weekdays, TRUTHS.season.hours).ravel()
        edges = np.cumsum(weights) / weights.sum()
        hour = np.searchsorted(edges[:-1], rng.random(count), side="right")
        return hour * HOUR + rng.integers(0, HOUR, count)

    def spread(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """`count` instants over the period, by season, weekday and hour; some lie past the end of a cut last week."""
        seasons = np.cumsum(self.seasons())
        week = np.searchsorted(seasons[:-1] / seasons[-1], rng.random(count), side="right")
        return week * WEEK + self.moments(rng, count)
