"""Columns as Feast can say them: whole seconds for instants and days, inside of lists and maps too."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

INSTANT = pa.timestamp("us", "UTC")


def sayable(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """A column for a historical retrieval: its instants in whole seconds, Feast's only time type, online too."""
    kind = column.type
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("us")).cast(INSTANT)
    if pa.types.is_timestamp(kind):
        return pc.floor_temporal(column, unit="second").cast(INSTANT)
    if pa.types.is_list(kind) and pa.types.is_temporal(kind.value_type):
        lists = [pa.ListArray.from_arrays(_offsets(each), sayable(each.values)) for each in column.chunks]
        return pa.chunked_array(lists, pa.list_(INSTANT))
    if pa.types.is_map(kind) and pa.types.is_temporal(kind.item_type):
        maps = [pa.MapArray.from_arrays(_offsets(each), each.keys, sayable(each.items)) for each in column.chunks]
        return pa.chunked_array(maps, pa.map_(pa.string(), INSTANT))
    return column


def materializable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column for Feast's materialization: maps are JSON, since it understands no others from Arrow."""
    said = sayable(column)
    if not pa.types.is_map(said.type):
        return said
    rows = said.to_pylist(maps_as_pydicts="strict")
    return pa.chunked_array([[None if row is None else json.dumps(row, default=_plain) for row in rows]], pa.string())


def _offsets(array: pa.Array) -> pa.Array:
    """Offsets of lists or maps, null where they are."""
    return pc.if_else(pa.array(np.append(np.asarray(array.is_valid()), True)), array.offsets, None)


def _plain(value: Any) -> str | int:
    return str(value) if isinstance(value, Decimal) else int(value.timestamp())
