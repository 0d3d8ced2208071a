"""One line of the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure against its bar.

    Attributes:
        name, size: What was measured, on how much.
        ours, peer, unit: The figures; peer is None where the bar is absolute.
        bar: What must hold, in words: "< 120 s", ">= 25 x".
        holds: Whether it did.
    """

    name: str
    size: str
    ours: float
    unit: str
    bar: str
    holds: bool
    peer: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.peer is None else self.peer / self.ours
