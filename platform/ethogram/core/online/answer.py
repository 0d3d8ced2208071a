"""What a lookup answers: one row per entity, with the instant it is of and the reason for every null."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ethogram.errors import AskedWrongly, did_you_mean


@dataclass(frozen=True)
class Answer(Mapping[str, Any]):
    """Features of one entity, read like a mapping.

    Attributes:
        key: The entity's key, as asked.
        features: By name; None where null.
        at: The instant that the values are of; None where there is no row.
        known: Whether the entity is known and its row was served.
        reasons: Why a value is null, by feature name.
        left_out: Why the whole row is missing; empty if it is not.
    """

    key: str
    features: Mapping[str, Any]
    at: datetime | None
    known: bool
    reasons: Mapping[str, str] = field(default_factory=dict)
    left_out: str = ""

    def __getitem__(self, feature: str) -> Any:
        if feature not in self.features:
            raise AskedWrongly(f"no feature {feature!r} in this answer; {did_you_mean(feature, self.features)}")
        return self.features[feature]

    def __iter__(self) -> Iterator[str]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)

    def why(self, feature: str) -> str:
        """Why `feature` is null; the text says so if it is not.

        >>> Answer("7", {"n": None}, None, False, left_out="unknown entity").why("n")
        'null: unknown entity'
        """
        if self[feature] is not None:
            return "it has a value"
        return f"null: {self.left_out or self.reasons.get(feature, 'nothing to compute it from')}"
