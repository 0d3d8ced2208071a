"""Definitions of `aggregates.streaks`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.reference.seen import Definition, Seen


def streak(feature: FeaturePlan, seen: Seen) -> int:
    step = timedelta(days=7 if feature.setting("period") == "week" else 1)

    def first_day(day: date) -> date:
        """Of its period: the day itself, or the week's Monday."""
        return day - timedelta(days=day.weekday()) if feature.setting("period") == "week" else day

    active = {first_day(event.occurred_at.date()) for event in seen.inside(feature.window)}

    def ending(at: date) -> int:
        """Consecutive periods up to one."""
        length = 0
        while at - length * step in active:
            length += 1
        return length

    if feature.setting("which") == "longest":
        return max((ending(day) for day in active), default=0)
    now = first_day(seen.at.date())
    return ending(now) or ending(now - step)


REFERENCE: Mapping[str, Definition] = {"streak": streak}
