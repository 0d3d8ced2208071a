"""Purposes: what data may be read for, and whether an entity must opt in or may opt out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.errors import AskedWrongly, did_you_mean


@dataclass(frozen=True, slots=True)
class Purpose:
    """A reason to read, e.g. "churn_prevention"; `basis` is "opt_out" (allowed until refused) or "opt_in"."""

    name: str
    brief: str
    basis: str = "opt_out"
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


class UnknownPurpose(AskedWrongly):
    """A read that states no purpose, or one nobody declared."""

    code = "unknown-purpose"

    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        self.name = name
        known = sorted(known)
        what = f"no purpose named {name!r}" if name else "every read states a purpose"
        hint = did_you_mean(name, known, otherwise="one of " + ", ".join(known))
        super().__init__(f"{what}; {hint}")
