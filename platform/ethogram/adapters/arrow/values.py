"""Columns of a kernel from Arrow ones, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.core.signals.kernel.columns import Column, Lists, Maps, Values, concat
from ethogram.core.signals.numbers import DIGITS, SCALE

INSTANT = pa.timestamp("us", tz="UTC")
_FITS = 18  # digits that every 64-bit integer has
SCALARS = {
    "integer": pa.int64(),
    "decimal": pa.decimal128(DIGITS, SCALE),
    "double": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": INSTANT,
    "date": pa.date32(),
}


def arrow_type(kind: str) -> pa.DataType:
    """The Arrow type of a feature's type.

    >>> arrow_type("list<double>"), arrow_type("map<integer>")
    (ListType(list<item: double>), MapType(map<string, int64>))
    """
    outer, _, inner = kind.rstrip(">").partition("<")
    if not inner:
        return SCALARS[kind]
    return pa.list_(SCALARS[inner]) if outer == "list" else pa.map_(pa.string(), SCALARS[inner])


def column(values: pa.ChunkedArray | pa.Array) -> Column:
    """What a kernel reads: see `Column` for how each type is kept."""
    kind = values.type
    texts = pa.types.is_string(kind) or pa.types.is_dictionary(kind)
    if isinstance(values, pa.ChunkedArray) and values.num_chunks and not texts:
        made = concat([column(chunk) for chunk in values.chunks])
        assert isinstance(made, Column)
        return made
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    valid = None if array.null_count == 0 else np.asarray(array.is_valid())
    if pa.types.is_decimal(kind):
        return Column(_units(array), valid, kind.scale)
    if texts:
        return _texts(array, valid)
    if pa.types.is_timestamp(kind):
        array = array.cast(pa.timestamp("us", kind.tz)).cast(pa.int64())
    elif pa.types.is_date(kind):
        array = array.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    elif pa.types.is_integer(kind) or pa.types.is_null(kind):
        array = array.cast(pa.int64())
    if array.null_count:
        array = array.fill_null(False if pa.types.is_boolean(array.type) else 0)
    return Column(array.to_numpy(zero_copy_only=False), valid)


def _units(array: pa.Array) -> npt.NDArray[Any]:
    """Whole units of decimals; Python integers in an object array where some do not fit 64 bits."""
    halves = np.frombuffer(array.buffers()[1], dtype="<i8").reshape(-1, 2)
    low, high = halves[array.offset : array.offset + len(array)].T
    if array.type.precision <= _FITS or np.array_equal(high, low >> 63):
        return np.ascontiguousarray(low)
    return np.array([(int(upper) << 64) + int(lower) % 2**64 for lower, upper in zip(low, high, strict=True)], object)


def _texts(array: pa.Array, valid: npt.NDArray[np.bool_] | None) -> Column:
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    place = np.zeros(max(len(words), 1), np.int64)
    place[order] = np.arange(len(order))
    codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return Column(place[codes], valid, words=tuple(words[number] for number in order))


def arrow(values: Values, kind: str) -> pa.Array:
    """`values` as an Arrow array of the feature's type."""
    if isinstance(values, Maps):
        keys, inner = values.keys, kind[len("map<") : -1]
        return pa.MapArray.from_arrays(_offsets(keys), _scalars(keys.items, "string"), _scalars(values.items, inner))
    if isinstance(values, Lists):
        inner = kind[len("list<") : -1]
        return pa.ListArray.from_arrays(_offsets(values), _scalars(values.items, inner))
    return _scalars(values, kind)


def _offsets(lists: Lists) -> pa.Array:
    """Offsets of lists; the null ones, which are empty, have none of their own."""
    if lists.valid is None:
        return pa.array(lists.offsets, pa.int32())
    missing = np.append(~lists.valid, False)
    return pa.array(lists.offsets, pa.int32(), mask=missing)


def _scalars(values: Column, kind: str) -> pa.Array:
    mask = None if values.valid is None else ~values.valid
    if kind == "string":
        words = pa.array(values.words or (), pa.string())
        codes = values.data if mask is None else np.where(mask, 0, values.data)
        indices = pa.array(codes, pa.int64(), mask=mask)
        return words.take(indices) if len(words) else pa.nulls(len(values), pa.string())
    if kind == "decimal":
        return _decimals(values, mask)
    if kind == "integer":
        return pa.array(values.data, pa.int64(), mask=mask)
    if kind == "timestamp":
        return pa.array(values.data, pa.int64(), mask=mask).cast(INSTANT)
    if kind == "date":
        return pa.array(values.data.astype(np.int32), pa.int32(), mask=mask).cast(pa.date32())
    return pa.array(values.data, SCALARS[kind], mask=mask)


def _decimals(values: Column, mask: npt.NDArray[np.bool_] | None) -> pa.Array:
    """Units at six digits as 128-bit decimals."""
    buffer = pa.allocate_buffer(16 * len(values))
    halves = np.frombuffer(buffer, "<i8").reshape(-1, 2)
    data: npt.NDArray[Any] = values.data
    if data.dtype == object:
        data = data if mask is None else np.where(mask, 0, data)
        halves[:, 0] = [((int(each) & (2**64 - 1)) ^ 2**63) - 2**63 for each in data]
        halves[:, 1] = [int(each) >> 64 for each in data]
    else:
        halves[:, 0] = data
        np.right_shift(data, 63, out=halves[:, 1])
    present = None if mask is None else pc.invert(pa.array(mask)).buffers()[1]
    return pa.Array.from_buffers(SCALARS["decimal"], len(values), [present, buffer])
