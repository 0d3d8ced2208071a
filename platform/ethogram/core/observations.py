"""Observations on a schedule: at which instants signals are asked for, and which of them can be labelled yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ethogram.core import time
from ethogram.core.expressions import BOOLEAN, Type, check
from ethogram.errors import AskedWrongly, did_you_mean

if TYPE_CHECKING:
    from ethogram.core.outcomes.plan import OutcomePlan
    from ethogram.core.signals.plan import SignalPlan

MAX_INSTANTS = 100_000


class BadSchedule(AskedWrongly):
    """A schedule without instants, or with far too many."""

    code = "bad-schedule"


@dataclass(frozen=True, slots=True)
class Schedule:
    """`start`, then every `every`, up to and without `end`."""

    every: timedelta
    start: datetime
    end: datetime

    def instants(self) -> list[datetime]:
        """All instants, in order.

        >>> from datetime import UTC
        >>> weekly = schedule("7d", "2011-03-01", "2011-03-20")
        >>> [f"{at:%m-%d}" for at in weekly.instants()]
        ['03-01', '03-08', '03-15']
        """
        count = -((self.start - self.end) // self.every)
        return [self.start + k * self.every for k in range(count)]


def schedule(every: str, start: str | datetime, end: str | datetime) -> Schedule:
    """A schedule from what a user writes: "7d", "2011-03-01", "2011-09-01"; `end` is excluded."""
    step = time.duration(every, what="every")
    first = time.instant(start, what="start") if isinstance(start, str) else time.utc(start, what="start")
    last = time.instant(end, what="end") if isinstance(end, str) else time.utc(end, what="end")
    if not step:
        raise BadSchedule('every="0s" never moves on; write "7d" or "1d"')
    if last <= first:
        raise BadSchedule(f"end {last:%Y-%m-%d} is not after start {first:%Y-%m-%d}; the end itself is excluded")
    if (last - first) / step > MAX_INSTANTS:
        span = f"every={every!r} from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        raise BadSchedule(f"{span} gives over {MAX_INSTANTS:,} instants; take larger steps")
    return Schedule(step, first, last)


def ripe(instants: Sequence[datetime], outcome: OutcomePlan, coverage: datetime) -> tuple[list[datetime], int]:
    """Instants whose labels are known for good in data that reaches `coverage`, and how many are not."""
    good = [at for at in instants if outcome.ripe_at(at) <= coverage]
    return good, len(instants) - len(good)


def population(outcome: OutcomePlan, signals: Mapping[str, SignalPlan]) -> list[tuple[SignalPlan, dict[str, Type]]]:
    """The signals that `among` reads, cut down to the features it names, each with their types by `signal.feature`.

    Args:
        signals: Plans by signal name; the newest version where there are several.

    Raises:
        AskedWrongly: a name that is no feature, a signal of another entity, or a condition that is not true or false.
    """
    if outcome.among is None:
        return []
    where = f"outcome {outcome.name}: among"
    wanted: dict[str, list[str]] = {}
    for name in sorted(outcome.among.names):
        signal, dot, feature = name.partition(".")
        if not dot:
            raise AskedWrongly(f"{where} names {name!r}; write signal.feature, as in purchase_rhythm.purchases_90d")
        if signal not in signals:
            hint = did_you_mean(signal, signals, otherwise="see `ethogram signals`")
            raise AskedWrongly(f"{where} names {name!r}, and there is no signal {signal!r}; {hint}")
        known = [each.name for each in signals[signal].features]
        if feature not in known:
            hint = did_you_mean(feature, known, otherwise="see its page")
            raise AskedWrongly(f"{where} names {name!r}, and {signal} has no feature {feature!r}; {hint}")
        if signals[signal].entity != outcome.entity:
            whose = signals[signal].entity
            raise AskedWrongly(f"{where} names {name!r}, a feature of {whose}, not of {outcome.entity}")
        wanted.setdefault(signal, []).append(feature)
    parts = []
    for signal, features in wanted.items():
        plan = signals[signal].only(features)
        try:
            parts.append((plan, {f"{signal}.{feature.name}": feature.value_type for feature in plan.features}))
        except AskedWrongly as nested:
            raise AskedWrongly(f"{where} names a list or a map: {nested}") from nested
    check(outcome.among, {name: kind for _, types in parts for name, kind in types.items()}, expect=BOOLEAN)
    return parts
