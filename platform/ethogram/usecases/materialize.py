"""Bring a view's values online: every entity's row as of one instant, packed, newer never overwritten by older."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from ethogram.core.online.packed import Layout, key_of
from ethogram.core.signals.view import View
from ethogram.ports import OnlineRow, OnlineStore


@dataclass(frozen=True, slots=True)
class Materialized:
    """What one materialize did."""

    ref: str
    at: datetime
    rows: int
    written: int

    def __str__(self) -> str:
        kept = f", {self.rows - self.written:,} newer kept" if self.written < self.rows else ""
        return f"{self.ref}: {self.written:,} rows as of {self.at:%Y-%m-%d %H:%M} UTC{kept}"


def materialize(
    view: View,
    table: pa.Table,
    *,
    as_of: datetime,
    online: OnlineStore,
    progress: Callable[[int], None] = lambda _: None,
) -> Materialized:
    """Write `table` (columns `entity`, `at`, then the view's features; one row an entity) to the online store.

    One transaction: a crash leaves the old rows or the new ones. Running it again writes the same rows.
    """
    layout = Layout(view.features)
    columns = [table.column(name) for name, _ in view.features]
    written = 0

    def rows() -> Iterator[OnlineRow]:
        for start in range(0, table.num_rows, 10_000):
            ids = table.column("entity").slice(start, 10_000).to_pylist()
            instants = table.column("at").slice(start, 10_000).to_pylist()
            chunks = (column.slice(start, 10_000).to_pylist(maps_as_pydicts="strict") for column in columns)
            values = zip(*chunks, strict=True)
            for entity, at, row in zip(ids, instants, values, strict=True):
                yield OnlineRow(key_of(entity), entity, at, None, layout.pack(row))
            progress(len(ids))

    if table.num_rows:
        written = online.write(view.name, layout, rows())
    online.note(view.ref, at=as_of, rows=table.num_rows)
    return Materialized(view.ref, as_of, table.num_rows, written)
