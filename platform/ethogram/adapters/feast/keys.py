"""Numbers for the keys that are asked about: what a join by several columns of any type compares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.core.latest import Ints
from ethogram.errors import AskedWrongly


class Keys:
    """Distinct keys, numbered from 0; a key of no columns is the same for everybody.

    Args:
        columns: The key's columns of what is asked about, `rows` values each. A key with a null in it has no number.

    >>> keys = Keys([pa.array(["a", "b", "a", None])], rows=4)
    >>> keys.asked.tolist(), keys.of([pa.array(["b", "z"])], rows=2).tolist()
    ([0, 1, 0, -1], [1, -1])
    """

    def __init__(self, columns: Sequence[pa.Array], *, rows: int) -> None:
        self._values: list[_Values] = []
        self._pairs: list[_Values] = []
        self.asked = np.zeros(rows, np.int64)
        for number, column in enumerate(columns):
            values = _Values(column)
            self._values.append(values)
            found = values.of(column)
            if number:
                paired = _paired(self.asked, found, len(values))
                self._pairs.append(_Values(paired))
                found = self._pairs[-1].of(paired)
            self.asked = found

    def of(self, columns: Sequence[pa.Array], *, rows: int) -> Ints:
        """Number of each key of other rows, -1 where it was not asked about."""
        known: Ints = np.zeros(rows, np.int64)
        for number, (values, column) in enumerate(zip(self._values, columns, strict=True)):
            found = values.of(column)
            known = self._pairs[number - 1].of(_paired(known, found, len(values))) if number else found
        return known


class _Values:
    """Distinct values of a column, numbered; null has no number."""

    def __init__(self, column: pa.Array) -> None:
        column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        self._values = pc.unique(column).drop_null()
        self._low, self._table = 0, None
        if len(self) and pa.types.is_integer(column.type) and column.type != pa.uint64():
            numbers = self._values.cast(pa.int64()).to_numpy()
            low, high = int(numbers.min()), int(numbers.max())
            # Whole numbers that lie close are looked up in a table: a tenth of what hashing costs.
            if high - low < max(8 * len(numbers), 1 << 20):
                self._low, self._table = low, np.full(high - low + 2, -1, np.int32)
                self._table[numbers - low] = np.arange(len(numbers))

    def __len__(self) -> int:
        return len(self._values)

    def of(self, column: pa.Array) -> Ints:
        if pa.types.is_dictionary(column.type):
            by_value: Ints = np.append(self.of(column.dictionary), -1)
            indices = pc.fill_null(column.indices.cast(pa.int64()), -1).to_numpy()
            return np.asarray(by_value[indices])
        if self._table is None:
            places: Ints = pc.fill_null(pc.index_in(column, self._values, skip_nulls=True), -1).to_numpy()
            return places
        numbers = pc.fill_null(column.cast(pa.int64()), 0).to_numpy()
        # As unsigned numbers all that is below the table wraps to far above it, where -1 stands.
        offsets = np.minimum((numbers - self._low).view(np.uint64), np.uint64(len(self._table) - 1))
        found: Ints = self._table[offsets]
        return np.where(column.is_null().to_numpy(zero_copy_only=False), -1, found) if column.null_count else found


def as_type(column: pa.ChunkedArray | pa.Array, kind: pa.DataType, *, what: str) -> pa.Array:
    """A key column as the type that its source has: widths may differ, and whole numbers may be text there.

    >>> as_type(pa.array([7.0, None]), pa.int32(), what="user_id").to_pylist()
    [7, None]
    """
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if column.type == kind:
        return column
    differ = AskedWrongly(f"{what} is {column.type} in entity_df and {kind} in its source; give both the same type")
    try:
        if _is_text(kind) and pa.types.is_floating(column.type):
            return column.cast(pa.int64()).cast(kind)
        if _is_text(kind) == _is_text(column.type) or pa.types.is_integer(column.type) or _is_null(column.type):
            return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise differ from error
    raise differ


def canonical(column: pa.ChunkedArray) -> list[str | None]:
    """Keys as our own views store them: text, whole numbers without a point."""
    return [
        None if key is None else str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)
        for key in column.to_pylist()
    ]


def _paired(left: Ints, right: Ints, size: int) -> pa.Array:
    missing = (left < 0) | (right < 0)
    return pa.array(left.astype(np.int64) * size + right, mask=missing)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_null(kind: pa.DataType) -> bool:
    return bool(pa.types.is_null(kind))
