"""Instants, durations and hops: UTC, microseconds, floors on the UTC epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ethogram.errors import AskedWrongly

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+)([smhd])")


class BadDuration(AskedWrongly):
    """A duration without a unit, or in one we do not know."""

    code = "bad-duration"

    def __init__(self, text: object, *, what: str = "duration") -> None:
        self.text = text
        digits = str(text) if str(text).isdigit() else "90"
        problem = "has no unit" if str(text).isdigit() else "is not a duration"
        super().__init__(f'{what}="{text}" {problem}; write "{digits}d", "{digits}h" or "{digits}m"')


class NaiveTime(AskedWrongly):
    """An instant without a time zone."""

    code = "naive-time"

    def __init__(self, value: datetime, *, what: str = "as_of") -> None:
        self.value = value
        super().__init__(f"{what} {value.isoformat()} has no time zone; add one, e.g. {value.isoformat()}+00:00")


def duration(text: str, *, what: str = "duration") -> timedelta:
    """Length of `text`: a whole number and one of s, m, h, d.

    >>> duration("90d").days, duration("2h").seconds
    (90, 7200)
    >>> duration("90", what="over")
    Traceback (most recent call last):
    ethogram.core.time.BadDuration: over="90" has no unit; write "90d", "90h" or "90m"
    """
    matched = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if matched is None:
        raise BadDuration(text, what=what)
    return timedelta(seconds=int(matched[1]) * _UNITS[matched[2]])


def spell(length: timedelta) -> str:
    """Shortest text that `duration` reads back as `length`.

    >>> spell(timedelta(days=7)), spell(timedelta(minutes=90))
    ('7d', '90m')
    """
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def utc(value: datetime, *, what: str = "as_of") -> datetime:
    """`value` in UTC; a naive one is refused, since guessing its zone is how futures leak."""
    if value.tzinfo is None:
        raise NaiveTime(value, what=what)
    return value.astimezone(UTC)


def micros(value: datetime) -> int:
    """Whole microseconds since the UTC epoch, exact for every datetime."""
    return (value - EPOCH) // MICROSECOND


def from_micros(value: int) -> datetime:
    """The instant `value` microseconds after the UTC epoch."""
    return EPOCH + timedelta(microseconds=value)


def floor(value: datetime, hop: timedelta) -> datetime:
    """Latest multiple of `hop` since the UTC epoch that is not after `value`.

    >>> floor(datetime(2026, 1, 2, 3, 4, tzinfo=UTC), timedelta(hours=1)).isoformat()
    '2026-01-02T03:00:00+00:00'
    """
    return value - (value - EPOCH) % hop


def instant(text: str, *, what: str = "instant") -> datetime:
    """Parse an ISO date or instant; a bare date is that day's start in UTC.

    >>> instant("2011-03-01").isoformat()
    '2011-03-01T00:00:00+00:00'
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise AskedWrongly(f'{what} "{text}" is not a date; write 2011-03-01 or 2011-03-01T09:30:00+00:00') from error
    if value.tzinfo is None and len(text) == len("2011-03-01"):
        value = value.replace(tzinfo=UTC)
    return utc(value, what=what)
