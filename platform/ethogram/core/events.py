"""What an event looks like at rest: one table a behavior, typed columns, surrogate ids.

Rows of `events/<behavior>` are sorted by actor, `occurred_at`, `event_id` inside each month, so a point-in-time read
is a merge and not a sort, and row-group statistics cut a read down to a range of entities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Columns of every event table, before the entities and the properties; `month` is the partition.
HEAD = ("event_id", "op", "target_id", "occurred_at", "available_at", "channel", "source", "run", "month")
RESERVED = frozenset({*HEAD, "behavior", "entity", "as_of", "at", "known"})


@dataclass(frozen=True, slots=True)
class Event:
    """One observed behavior, as the plain-Python reference and live pushes see it.

    Attributes:
        event_id: Unique in its behavior; ties on `occurred_at` go to the latest known, then to the greatest id.
        behavior: Canonical id.
        entities: Surrogate id by entity name.
        occurred_at: When it happened, UTC.
        available_at: When we could first know it, UTC.
        properties: By name; money and numbers as Decimal.
        op: "assert", "correct" (the event as it really was, in full) or "retract" (it never was).
        target_id: For the latter two, the `event_id` of the asserted event that they are about.
    """

    event_id: str
    behavior: str
    entities: Mapping[str, int]
    occurred_at: datetime
    available_at: datetime
    properties: Mapping[str, Any]
    channel: str | None = None
    op: str = "assert"
    target_id: str | None = None

    @property
    def about(self) -> str:
        """The event that this record is about: itself, or what it corrects or retracts."""
        return self.event_id if self.op == "assert" else self.target_id or self.event_id
