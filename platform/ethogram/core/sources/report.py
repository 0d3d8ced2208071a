"""What became of every raw row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Coverage:
    """What span of time a behavior's events cover, and when the last of them could be known."""

    first: datetime
    last: datetime
    known: datetime

    def joined(self, other: Coverage) -> Coverage:
        return Coverage(min(self.first, other.first), max(self.last, other.last), max(self.known, other.known))


@dataclass(frozen=True, slots=True)
class Account:
    """Rows by what became of them; the four parts add up to `rows`, always.

    Attributes:
        rows: Raw rows read.
        mapped: Rows that an event was made of (several may make one event).
        anonymous: Rows that a rule took, but that name nobody.
        unmapped: Rows that no rule took.
        quarantined: Rows kept back, with their reasons.
        ambiguous: Local times that occurred twice, taken as the later instant.
        nonexistent: Local times that a clock change skipped, shifted forward.
    """

    rows: int = 0
    mapped: int = 0
    anonymous: int = 0
    unmapped: int = 0
    quarantined: int = 0
    ambiguous: int = 0
    nonexistent: int = 0

    def __post_init__(self) -> None:
        if self.rows != self.mapped + self.anonymous + self.unmapped + self.quarantined:
            raise AssertionError(f"rows do not add up: {self}")

    def __add__(self, other: Account) -> Account:
        return Account(
            self.rows + other.rows,
            self.mapped + other.mapped,
            self.anonymous + other.anonymous,
            self.unmapped + other.unmapped,
            self.quarantined + other.quarantined,
            self.ambiguous + other.ambiguous,
            self.nonexistent + other.nonexistent,
        )


@dataclass(frozen=True, slots=True)
class UnitReport:
    """One file: its account, and the events it brought by behavior.

    `duplicates` are events that were in the lake before, or twice under one `event_id`.
    """

    path: str
    account: Account
    events: Mapping[str, int] = field(hash=False)
    duplicates: int = 0
    coverage: Mapping[str, Coverage] = field(default_factory=dict, hash=False)

    def body(self) -> dict[str, Any]:
        """JSON-ready, as it is kept with the unit."""
        return _body(self.account, self.events, self.duplicates, self.coverage)


@dataclass(frozen=True, slots=True)
class FailedUnit:
    """A file that could not be taken in, and why; nothing of it is in the lake."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one ingest of a source did.

    Attributes:
        run: Id of the run; "" if there was nothing to do.
        units: Files taken in by this run.
        skipped: Files that were in already.
        failed: Files that could not be taken in.
        words: Plural and singular of each behavior, for `line`.
    """

    source: str
    run: str
    units: tuple[UnitReport, ...]
    skipped: tuple[str, ...]
    failed: tuple[FailedUnit, ...]
    seconds: float
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)

    @property
    def account(self) -> Account:
        return sum((unit.account for unit in self.units), Account())

    @property
    def events(self) -> dict[str, int]:
        """New events by behavior."""
        return _summed([unit.events for unit in self.units])

    @property
    def duplicates(self) -> int:
        return sum(unit.duplicates for unit in self.units)

    @property
    def coverage(self) -> dict[str, Coverage]:
        found: dict[str, Coverage] = {}
        for unit in self.units:
            for behavior, each in unit.coverage.items():
                found[behavior] = found[behavior].joined(each) if behavior in found else each
        return found

    @property
    def ok(self) -> bool:
        return not self.failed

    def line(self) -> str:
        """One line for people.

        >>> account = Account(rows=12, mapped=9, anonymous=2, unmapped=0, quarantined=1)
        >>> unit = UnitReport("a.csv", account, {"commerce.purchase": 1234})
        >>> words = {"commerce.purchase": ("purchase", "purchases")}
        >>> IngestReport("a", "r1", (unit,), (), (), 4.06, words).line()
        '12 rows → 1,234 purchases · anonymous 2 · unmapped 0 · quarantined 1   4.1 s'
        """
        files = f"{len(self.skipped)} file{'s' if len(self.skipped) != 1 else ''}"
        if not self.units and not self.failed:
            return f"already in ({files})   {self.seconds:.1f} s"
        account = self.account
        made = [
            f"{n:,} {self._word(behavior, n)}"
            for behavior, n in sorted(self.events.items(), key=lambda pair: (-pair[1], pair[0]))
            if n
        ]
        parts = [f"{account.rows:,} rows → {', '.join(made) or 'no new events'}"]
        parts += [f"{name} {getattr(account, name):,}" for name in ("anonymous", "unmapped", "quarantined")]
        parts += [f"duplicates {self.duplicates:,}"] * (self.duplicates > 0)
        parts += [f"ambiguous times {account.ambiguous:,}"] * (account.ambiguous > 0)
        parts += [f"non-existent times {account.nonexistent:,}"] * (account.nonexistent > 0)
        parts += [f"already in {files}"] * (len(self.skipped) > 0)
        parts += [f"failed {len(self.failed)} file{'s' if len(self.failed) != 1 else ''}"] * (len(self.failed) > 0)
        return " · ".join(parts) + f"   {self.seconds:.1f} s"

    def body(self) -> dict[str, Any]:
        """JSON-ready, as it is kept with the run and printed by --json."""
        return {
            "source": self.source,
            "run": self.run,
            **_body(self.account, self.events, self.duplicates, self.coverage),
            "units": len(self.units),
            "skipped": list(self.skipped),
            "failed": [{"path": f.path, "code": f.code, "message": f.message} for f in self.failed],
            "seconds": round(self.seconds, 3),
        }

    def _word(self, behavior: str, n: int) -> str:
        one, many = self.words.get(behavior, (behavior, behavior))
        return (one if n == 1 else many).replace("_", " ")


def _body(
    account: Account, events: Mapping[str, int], duplicates: int, coverage: Mapping[str, Coverage]
) -> dict[str, Any]:
    return {
        "rows": account.rows,
        "mapped": account.mapped,
        "anonymous": account.anonymous,
        "unmapped": account.unmapped,
        "quarantined": account.quarantined,
        "ambiguous": account.ambiguous,
        "nonexistent": account.nonexistent,
        "events": dict(events),
        "duplicates": duplicates,
        "coverage": {
            behavior: {"first": c.first.isoformat(), "last": c.last.isoformat(), "known": c.known.isoformat()}
            for behavior, c in coverage.items()
        },
    }


def _summed(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for key, n in part.items():
            total[key] = total.get(key, 0) + n
    return total
