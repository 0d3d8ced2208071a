"""One line of the table, and the figures that it rests on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """How one contestant did at one task.

    Attributes:
        task, contestant: "windows, from the lake", "Polars".
        events: The size of the task.
        seconds, cpu_s: Medians of its rounds, on the wall and in all of its threads.
        peak_gb: Resident memory, the most of all rounds.
        rounds: How many there were.
        finished: False if it was cut off; seconds are then the limit.
    """

    task: str
    contestant: str
    events: int
    seconds: float
    cpu_s: float
    peak_gb: float
    rounds: int
    finished: bool = True


@dataclass(frozen=True)
class Row:
    """A figure against its bar.

    Attributes:
        name, size: What was measured, on how much.
        ours, peer, unit: The figures; peer is None where the bar is absolute.
        bar: What must hold, in words: "< 120 s", ">= 25 x".
        holds: Whether it did.
        against: Who the peer is; the best of several.
        figures: Every contestant's, ours first.
    """

    name: str
    size: str
    ours: float
    unit: str
    bar: str
    holds: bool
    peer: float | None = None
    against: str = ""
    figures: tuple[Figure, ...] = ()

    @property
    def ratio(self) -> float | None:
        return None if self.peer is None else self.peer / self.ours
