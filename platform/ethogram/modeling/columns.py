"""A training set's or a lookup's Arrow columns as the plain arrays that models read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.errors import AskedWrongly

DAY_US = 86_400_000_000
# Columns of an observation that are no features.
ROW = ("entity", "as_of", "label")


class UnusableFeature(AskedWrongly):
    """A feature whose values no model can read."""

    code = "unusable-feature"


def feature_names(table: pa.Table) -> list[str]:
    """The table's features that a model can read, in its order: those of one value a row."""
    left_out = {*ROW, *nested_names(table)}
    return [name for name in table.column_names if name not in left_out]


def nested_names(table: pa.Table) -> list[str]:
    """The table's lists and maps, which no model reads; derive a number of one for that."""
    return [field.name for field in table.schema if pa.types.is_nested(field.type)]


def plain_columns(table: pa.Table, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Each named column as an array: numbers and flags as float64 with NaN for null, text as objects with None.

    Instants and dates become their age at the row's `as_of`, in days: the instant itself would only say when the row
    is from. Decimals lose what a double cannot hold; nothing else is rounded.
    """
    return {name: _plain(name, table.column(name).combine_chunks(), table) for name in names}


def _plain(name: str, column: Any, table: pa.Table) -> NDArray[Any]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return np.asarray(column.to_pylist(), dtype=object)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        instant = pa.timestamp("us", "UTC")
        ours = column.cast(pa.timestamp("us")).cast(instant) if pa.types.is_date(kind) else column.cast(instant)
        age = pc.subtract(table.column("as_of").combine_chunks().cast(instant).cast(pa.int64()), ours.cast(pa.int64()))
        return _floats(age) / DAY_US
    if (
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    ):
        values = _floats(column)
        if np.isinf(values).any():
            raise UnusableFeature(f"{name}: a value is infinite; features are finite or null")
        return values
    raise UnusableFeature(f"{name}: no model reads {kind}; leave it out, or derive a number from it")


def _floats(column: Any) -> NDArray[np.float64]:
    # A decimal of more digits than a double holds is rounded, which is what leaving fixed point means.
    return np.asarray(
        column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False), dtype=np.float64
    )
