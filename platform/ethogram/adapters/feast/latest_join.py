"""Latest-value join of observations with the rows of one file source, in memory that grows with the observations."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ethogram.adapters.feast.facts import Facts, Piece, micros
from ethogram.adapters.feast.keys import Keys
from ethogram.core.latest import UNKNOWN, Ints, Latest, Observations

# Each holds one piece of a file at a time.
WORKERS = min(os.cpu_count() or 1, 8)


@dataclass(frozen=True)
class Asked:
    """Observations of a join: keys as the source types them, and instants."""

    keys: Keys
    observations: Observations

    @staticmethod
    def about(columns: Sequence[pa.Array], as_of: Ints) -> Asked:
        """Observations by key columns and microseconds."""
        keys = Keys(columns, rows=len(as_of))
        return Asked(keys, Observations(keys.asked, as_of))


@dataclass(frozen=True)
class Found:
    """Rows that are seen, each once, and for every observation which of them it sees: -1 for none."""

    rows: pa.Table
    seen: Ints

    def column(self, name: str, start: int, length: int) -> pa.ChunkedArray:
        """Values of a column for some observations, in their order; null where nothing is seen."""
        seen = self.seen[start : start + length]
        return self.rows[name].take(pa.array(seen, mask=seen < 0))


def latest_join(
    facts: Facts,
    asked: Asked,
    columns: Sequence[str],
    *,
    join_keys: Sequence[str],
    when: str,
    created: str | None,
    max_age: int | None = None,
    as_known: bool = False,
) -> Found:
    """Columns of the newest row that each observation sees; what newest means is said by `core.latest.Latest`."""
    nothing = _nothing(facts, columns)
    instants = asked.observations.instants
    if not len(instants):
        return Found(nothing, np.full(len(asked.observations.slots), -1))
    first, last = int(instants.min()), int(instants.max())
    since = None if max_age is None else first - max_age
    pieces = list(facts.pieces(when, since=since, until=last))
    latest = Latest(asked.observations, max_age=max_age, as_known=as_known)
    read = list(dict.fromkeys([*join_keys, when, *([created] if created else [])]))

    def offer(piece: Piece) -> None:
        table = facts.read(piece, read)
        keys = asked.keys.of([chunk(table[key]) for key in join_keys], rows=len(table))
        happened = micros(table[when], what=f"{facts.name}.{when}")
        known = micros(table[created], what=f"{facts.name}.{created}") if created else None
        latest.offer(keys, happened, known, first_row=piece.first_row)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(offer, pieces))
        numbers, seen = np.unique(latest.rows(), return_inverse=True)
        if len(numbers) and numbers[0] < 0:
            numbers, seen = numbers[1:], seen - 1

        def take(piece: Piece) -> pa.Table | None:
            low, high = np.searchsorted(numbers, [piece.first_row, piece.first_row + piece.rows])
            return (
                facts.read(piece, columns).take(pa.array(numbers[low:high] - piece.first_row)) if high > low else None
            )

        taken = [table for table in pool.map(take, pieces) if table is not None]
    # They are read twice, first times and then features: rows must not have moved in between.
    facts.check_unchanged()
    return Found(pa.concat_tables(taken).combine_chunks() if taken else nothing, seen)


def rows_between(facts: Facts, columns: Sequence[str], *, when: str, since: int | None, until: int | None) -> pa.Table:
    """All rows whose `when` is within the bounds, both included, in the order of the files."""

    def between(piece: Piece) -> pa.Table:
        table = facts.read(piece, list(dict.fromkeys([*columns, when])))
        at = micros(table[when], what=f"{facts.name}.{when}")
        inside = at != UNKNOWN
        if since is not None:
            inside &= at >= since
        if until is not None:
            inside &= at <= until
        return table.select(list(columns)).filter(pa.array(inside))

    with ThreadPoolExecutor(WORKERS) as pool:
        tables = list(pool.map(between, facts.pieces(when, since=since, until=until)))
    return pa.concat_tables(tables) if tables else _nothing(facts, columns)


def distinct_between(facts: Facts, columns: Sequence[str], *, when: str, since: int, until: int) -> pa.Table:
    """Distinct values of columns among the rows within the bounds; times are microseconds in UTC.

    Rows with a null among the columns are left out: a key with a null is nobody's.
    """

    def distinct(piece: Piece) -> pa.Table:
        table = facts.read(piece, list(dict.fromkeys([*columns, when])))
        at = micros(table[when], what=f"{facts.name}.{when}")
        instants = pa.array(at, pa.timestamp("us", "UTC"))
        table = table.set_column(table.schema.get_field_index(when), when, instants)
        inside = pa.array((at >= since) & (at <= until))
        return _distinct(_plain(table.select(list(columns))).filter(inside).drop_null())

    with ThreadPoolExecutor(WORKERS) as pool:
        tables = list(pool.map(distinct, facts.pieces(when, since=since, until=until)))
    nothing = _plain(_nothing(facts, columns))
    if when in columns:
        none = pa.array([], pa.timestamp("us", "UTC"))
        nothing = nothing.set_column(nothing.schema.get_field_index(when), when, none)
    return _distinct(pa.concat_tables([nothing, *tables]))


def chunk(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column in one piece, not copied if it is in one."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _distinct(table: pa.Table) -> pa.Table:
    return table.group_by(table.column_names, use_threads=False).aggregate([]).select(table.column_names)


def _plain(table: pa.Table) -> pa.Table:
    fields = [
        pa.field(field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _nothing(facts: Facts, columns: Sequence[str]) -> pa.Table:
    return pa.schema([(name, facts.type_of(name)) for name in columns]).empty_table()
