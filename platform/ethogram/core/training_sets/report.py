"""What a training set turned out to be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Report:
    """Figures of a training set.

    Attributes:
        rows: Observations, each with its label.
        entities: How many different ones, and `noun` what they are called.
        label_rate: Share of observations whose outcome holds.
        left_out: Entities that were there at one of the instants and that consent kept out.
        unripe: Instants of the schedule that were dropped because their outcome is not known yet.
        sha256: Of the stored file.
        table_version: Of the lake's table it is stored in.
        features: Profile of each column, see `core.signals.profile`.
        audited: Observations whose features were computed again, from the events known at the time alone.
        future_features: Features for which that gave another value: they look ahead.
    """

    version: str
    outcome: str
    signals: tuple[str, ...]
    rows: int
    entities: int
    noun: str
    label_rate: float
    left_out: int
    unripe: int
    sha256: str
    table_version: int
    features: Mapping[str, Any]
    audited: int
    future_features: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {**asdict(self), "signals": list(self.signals), "future_features": list(self.future_features)}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Report:
        """The report that `facts` came from."""
        lists = {name: tuple(facts[name]) for name in ("signals", "future_features")}
        return cls(**{**facts, **lists})

    def __str__(self) -> str:
        happened = re.sub(r"_\d+[smhd]$", "", self.outcome)
        whom = f"1 of the {self.noun}" if self.left_out == 1 else f"{self.left_out:,} {self.noun}"
        without = f"; {whom} left out (no consent)" if self.left_out else ""
        return (
            f"{self.rows:,} observations of {self.entities:,} {self.noun}, {len(self.features)} features, "
            f"{happened} {self.label_rate * 100:.1f} %{without}"
        )
