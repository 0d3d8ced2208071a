"""Keys of any type are equal exactly when their values are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.adapters.feast.keys import Keys, as_type, canonical
from ethogram.errors import AskedWrongly

WHOLE = st.one_of(st.integers(-3, 3), st.sampled_from([-(2**63), 2**63 - 1, 2**40, -(2**40)]))
COLUMNS = {
    "dense": (pa.int32(), st.integers(-4, 4)),
    "sparse": (pa.int64(), WHOLE),
    "unsigned": (pa.uint64(), st.sampled_from([0, 1, 2**64 - 1])),
    "text": (pa.string(), st.sampled_from(["", "a", "ä", "1", "a\u0308"])),
    "words": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["x", "y", ""])),
    "decimal": (pa.decimal128(9, 2), st.sampled_from([Decimal("1.00"), Decimal("1.10")])),
    "flag": (pa.bool_(), st.booleans()),
}


@given(st.data())
def test_a_key_has_the_number_of_the_equal_key_that_was_asked_for(data: st.DataObject) -> None:
    kinds = [COLUMNS[name] for name in data.draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=3))]
    rows = st.lists(st.tuples(*(st.one_of(st.none(), values) for _, values in kinds)), max_size=12)
    asked, others = data.draw(rows), data.draw(rows)

    def columns(rows: list[tuple[Any, ...]]) -> list[pa.Array]:
        return [pa.array([row[at] for row in rows], kind) for at, (kind, _) in enumerate(kinds)]

    keys = Keys(columns(asked), rows=len(asked))
    numbers: dict[Any, int] = {}
    for row, number in zip(asked, keys.asked.tolist(), strict=True):
        assert (number < 0) == (None in row)
        assert numbers.setdefault(row, number) == number
    known = {row: number for row, number in numbers.items() if number >= 0}
    assert len(set(known.values())) == len(known)
    expected = [known.get(row, -1) for row in others]
    assert keys.of(columns(others), rows=len(others)).tolist() == expected


def test_a_key_of_no_columns_is_everybodys() -> None:
    keys = Keys([], rows=2)
    assert keys.asked.tolist() == [0, 0]
    assert keys.of([], rows=3).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("column", "kind", "becomes"),
    [
        (pa.array([1, 2], pa.int64()), pa.int32(), [1, 2]),
        (pa.array([1.0, None]), pa.int64(), [1, None]),
        (pa.array([7, None]), pa.string(), ["7", None]),
        (pa.array([7.0, None]), pa.large_string(), ["7", None]),
        (pa.array(["a"]).dictionary_encode(), pa.string(), ["a"]),
        (pa.array(["a"]), pa.dictionary(pa.int32(), pa.string()), ["a"]),
        (pa.array([None, None]), pa.string(), [None, None]),
    ],
)
def test_a_key_takes_the_type_of_its_source_where_nothing_is_lost(
    column: pa.Array, kind: pa.DataType, becomes: list[Any]
) -> None:
    assert as_type(column, kind, what="key").to_pylist() == becomes


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array(["7"]), pa.int64()),
        (pa.array([7.5]), pa.int64()),
        (pa.array([7.5]), pa.string()),
        (pa.array([2**40]), pa.int32()),
        (pa.array([True]), pa.string()),
    ],
)
def test_a_key_that_would_lose_something_is_refused(column: pa.Array, kind: pa.DataType) -> None:
    with pytest.raises(AskedWrongly, match="give both the same type"):
        as_type(column, kind, what="key")


def test_our_own_views_take_whole_numbers_as_text() -> None:
    table = pa.chunked_array([pa.array(np.array([17000.0, 2.0])), pa.array([None], pa.float64())])
    assert canonical(table) == ["17000", "2", None]
    assert canonical(pa.chunked_array([pa.array(["17000", "a"])])) == ["17000", "a"]
