"""What an audit finds: columns that know the future, or look as if they did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LEAK, SUSPECT = "leak", "suspect"


@dataclass(frozen=True, slots=True)
class Finding:
    """One column and why.

    Attributes:
        column: Its name.
        grave: "leak", which is proven, or "suspect", which somebody has to look at.
        check: "timestamp", "recomputed", "future", "separation", "final".
        why: A sentence without the column's name.
    """

    column: str
    grave: str
    check: str
    why: str


@dataclass(frozen=True)
class Leakage:
    """The outcome of an audit.

    Attributes:
        subject: The training set's version, or the file.
        observations, features: How many were looked at.
        recomputations: Feature values computed again with the future taken away and changed.
        unchecked: Columns whose values could not be recomputed: nothing says where they come from.
        findings: Leaks first.
    """

    subject: str
    observations: int
    features: int
    recomputations: int
    unchecked: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def leaks(self) -> tuple[str, ...]:
        """Columns that are proven to know the future."""
        return tuple(dict.fromkeys(each.column for each in self.findings if each.grave == LEAK))

    @property
    def clean(self) -> bool:
        return not self.leaks

    def facts(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        found = [asdict(each) for each in self.findings]
        return {**asdict(self), "unchecked": list(self.unchecked), "findings": found, "clean": self.clean}

    def __str__(self) -> str:
        width = max((len(each.column) for each in self.findings), default=0)
        lines = [f"  {each.grave:<8} {each.column:<{width}}  {each.why}" for each in self.findings]
        seen = f"{self.observations:,} observations, {self.recomputations:,} values recomputed with another future"
        if not self.findings:
            return f"{self.subject}: no lookahead in {self.features} features ({seen})"
        leaks, suspects = len(self.leaks), len({each.column for each in self.findings} - set(self.leaks))
        counted = f"{leaks} of {self.features} features leak" if leaks else f"no leak in {self.features} features"
        doubtful = f", {suspects} to be looked at" if suspects else ""
        return "\n".join([f"{self.subject}: {counted}{doubtful} ({seen})", *lines])
