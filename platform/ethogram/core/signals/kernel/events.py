"""Events as kernels see them: numpy columns, in order of entity and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ethogram.core.signals.kernel.columns import Column, Ints


@dataclass(frozen=True, slots=True)
class Events:
    """Rows sorted by entity, occurred, available, event id.

    Attributes:
        entity: Surrogate id.
        occurred: Microseconds since the epoch.
        available: The same; visible from `known >= available` on ...
        until: ... and while `known < until`; None where no row is ever superseded.
        columns: Properties that some feature reads, by name.
    """

    entity: Ints
    occurred: Ints
    available: Ints
    until: Ints | None
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.entity)

    def take(self, rows: Ints) -> Events:
        until = None if self.until is None else self.until[rows]
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return Events(self.entity[rows], self.occurred[rows], self.available[rows], until, columns)


FOREVER = int(np.iinfo(np.int64).max)
LONG_AGO = int(np.iinfo(np.int64).min) // 4
