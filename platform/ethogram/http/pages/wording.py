"""Numbers, shares and instants as a reader wants them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import floor, log10

NARROW = "\N{NARROW NO-BREAK SPACE}"
_SCALES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def count(value: float | None) -> str:
    """A whole number with its thousands set apart.

    >>> count(541909), count(None)
    ('541,909', '–')
    """
    return "–" if value is None else f"{round(value):,}"


def short(value: float | None) -> str:
    """A number in three significant digits, with k, M or G past a thousand.

    >>> [short(value) for value in (10655280, 19960, 999.96, 148.2, 0.0412, 0, -3.14159, None)]
    ['10.7\u202fM', '20\u202fk', '1\u202fk', '148', '0.0412', '0', '-3.14', '–']
    """
    if value is None:
        return "–"
    rounded = _significant(value)
    for size, letter in _SCALES:
        if abs(rounded) >= size:
            return f"{_plain(_significant(value / size))}{NARROW}{letter}"
    return _plain(rounded)


def share(value: float | None) -> str:
    """A part of one as a percentage.

    >>> share(0.3181), share(0.0), share(0.00004), share(None)
    ('31.8\u202f%', '0\u202f%', '<0.1\u202f%', '–')
    """
    if value is None:
        return "–"
    if 0 < value < 0.0005:
        return f"<0.1{NARROW}%"
    text = f"{value * 100:.1f}"
    return f"{text.removesuffix('.0')}{NARROW}%"


def figure(value: float | None) -> str:
    """A score between 0 and 1 to three digits, so that columns line up.

    >>> figure(0.8), figure(None)
    ('0.800', '–')
    """
    return "–" if value is None else f"{value:.3f}"


def duration(seconds: float | None) -> str:
    """
    >>> duration(0.00042), duration(2.5), duration(None)
    ('0.42\u202fms', '2.5\u202fs', '–')
    """
    if seconds is None:
        return "–"
    return (
        f"{_plain(_significant(seconds * 1e3))}{NARROW}ms"
        if seconds < 1
        else f"{_plain(_significant(seconds))}{NARROW}s"
    )


def ago(at: datetime, now: datetime) -> str:
    """How long before `now`, down to a day's name for older instants.

    >>> now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> [ago(datetime(2026, 11, 23, 11, 59, 22, tzinfo=UTC), now), ago(datetime(2026, 11, 20, tzinfo=UTC), now)]
    ['38\u202fs ago', '3\u202fd ago']
    >>> ago(datetime(2011, 12, 9, tzinfo=UTC), now)
    '9 Dec 2011'
    """
    seconds = (now - at).total_seconds()
    if seconds < -1:
        return day(at)
    for size, letter, most in ((1, "s", 60), (60, "min", 3600), (3600, "h", 86400), (86400, "d", 14 * 86400)):
        if seconds < most:
            return f"{max(int(seconds // size), 0)}{NARROW}{letter} ago"
    return day(at)


def day(at: date | None) -> str:
    """
    >>> day(date(2011, 12, 9))
    '9 Dec 2011'
    """
    return "–" if at is None else f"{at.day} {at:%b %Y}"


def instant(at: datetime) -> str:
    """The absolute instant, for titles.

    >>> instant(datetime(2026, 11, 23, 8, 12, tzinfo=UTC))
    '2026-11-23 08:12:00 UTC'
    """
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def some(names: tuple[str, ...] | list[str], most: int = 3) -> str:
    """
    >>> some(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def plural(number: int, one: str, many: str = "") -> str:
    """
    >>> plural(1, "model"), plural(0, "model"), plural(2, "entity", "entities")
    ('1 model', '0 models', '2 entities')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def one(noun: str) -> str:
    """
    >>> one("customer"), one("enrolment")
    ('a customer', 'an enrolment')
    """
    return f"{'an' if noun[:1] in 'aeio' else 'a'} {noun}"


def _significant(value: float) -> float:
    if not value:
        return 0.0
    return round(value, 2 - floor(log10(abs(value))))


def _plain(value: float) -> str:
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return text if text not in {"", "-0"} else "0"
