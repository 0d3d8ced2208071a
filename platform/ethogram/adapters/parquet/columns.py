"""Columns of made tables as Arrow arrays, without a Python loop."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.core.sample.tables import NULL, Coded, Column, Kind

CENTS = pa.decimal128(18, 2)
INSTANT = pa.timestamp("us", tz="UTC")
TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "instant": INSTANT,
    "integer": pa.int64(),
    "money": CENTS,
    "flag": pa.bool_(),
}


def arrow(column: Column, kind: Kind) -> pa.Array:
    """`column` with the type that `kind` has in files; coded text stays a dictionary, which Parquet writes as text."""
    if isinstance(column, Coded):
        codes = pa.array(column.codes, mask=column.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(column.words, pa.string()))
    if kind == "text":
        return _text(column)
    if kind == "flag":
        return pa.array(column)
    missing = column == NULL
    if kind == "money":
        return _cents(column.astype(np.int64), missing)
    return pa.array(column, pa.int64(), mask=missing).cast(TYPES[kind])


def _text(column: NDArray[np.generic]) -> pa.Array:
    """Bytes of one width are already the data of an Arrow string array; only the offsets are missing."""
    width = column.dtype.itemsize
    offsets = np.arange(len(column) + 1, dtype=np.int32) * np.int32(width)
    buffers = [_bitmap(column == b""), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(column))]
    return pa.Array.from_buffers(pa.string(), len(column), buffers)


def _cents(column: NDArray[np.int64], missing: NDArray[np.bool_]) -> pa.Array:
    halves = np.stack([column, column >> 63], axis=1)  # 128 bits, the low half first
    return pa.Array.from_buffers(CENTS, len(column), [_bitmap(missing), pa.py_buffer(halves)])


def _bitmap(missing: NDArray[np.bool_]) -> pa.Buffer | None:
    return pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
