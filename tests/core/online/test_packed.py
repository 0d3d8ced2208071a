from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.online.packed import DamagedRow, Layout

VALUES = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "decimal": st.integers(-(10**37), 10**37).map(lambda units: Context(prec=50).scaleb(Decimal(units), -6)),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "timestamp": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda t: t.replace(tzinfo=UTC)),
    "date": st.dates(),
    "string": st.text(),
    "bytes": st.binary(),
}


VALUES |= {f"list<{kind}>": st.lists(values, max_size=4) for kind, values in VALUES.items()} | {
    f"map<{kind}>": st.dictionaries(st.text(max_size=3), values, max_size=4) for kind, values in VALUES.items()
}
_FIRST = bytes.fromhex("0102030000000000000020bcbe00000000000000000000000000f5ea5db3")


@st.composite
def rows(draw: st.DrawFn) -> tuple[Layout, list[object]]:
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=20))
    layout = Layout(tuple((f"f{place}", kind) for place, kind in enumerate(kinds)))
    return layout, [draw(st.none() | VALUES[kind]) for kind in kinds]


@given(rows())
def test_what_was_packed_comes_back_exactly(row: tuple[Layout, list[object]]) -> None:
    layout, values = row
    assert layout.unpack(layout.pack(values)) == values


@given(rows(), st.data())
def test_a_truncated_row_is_never_served(row: tuple[Layout, list[object]], data: st.DataObject) -> None:
    layout, values = row
    packed = layout.pack(values)
    with pytest.raises(DamagedRow):
        layout.unpack(packed[: data.draw(st.integers(0, len(packed) - 1))])


def test_a_row_of_the_first_encoding_is_still_read_and_still_written() -> None:
    layout = Layout((("n", "integer"), ("gone", "string"), ("d", "decimal")))
    assert layout.unpack(_FIRST) == [3, None, Decimal("12.5")]
    assert layout.pack([3, None, Decimal("12.5")]) == _FIRST


def test_a_map_comes_back_in_the_order_of_its_keys_however_it_was_given() -> None:
    layout = Layout((("m", "map<integer>"),))
    for pairs in ({"b": 1, "a": 2}, [("b", 1), ("a", 2)]):
        assert list(layout.unpack(layout.pack([pairs]))[0].items()) == [("a", 2), ("b", 1)]


def test_a_row_with_lists_is_no_row_of_single_values() -> None:
    with pytest.raises(DamagedRow, match="encoding 2, this is 1"):
        Layout((("n", "integer"),)).unpack(Layout((("n", "list<integer>"),)).pack([[1]]))
    with pytest.raises(ValueError, match="no packed type 'list<list<integer>>'"):
        Layout((("n", "list<list<integer>>"),))


def test_a_flipped_bit_is_noticed() -> None:
    layout = Layout((("n", "integer"),))
    packed = bytearray(layout.pack([1]))
    packed[3] ^= 4
    with pytest.raises(DamagedRow, match="checksum"):
        layout.unpack(bytes(packed))


def test_a_row_of_another_layout_is_noticed() -> None:
    with pytest.raises(DamagedRow, match="layout"):
        Layout((("day", "date"),)).unpack(Layout((("n", "integer"),)).pack([5]))


def test_more_than_six_digits_after_the_point_are_refused_and_not_rounded() -> None:
    with pytest.raises(Inexact):
        Layout((("d", "decimal"),)).pack([Decimal("0.0000001")])


def test_values_must_fit_the_layout() -> None:
    with pytest.raises(ValueError, match="2 values for 1 features"):
        Layout((("n", "integer"),)).pack([1, 2])


def test_a_day_keeps_its_date() -> None:
    layout = Layout((("day", "date"), ("then", "timestamp")))
    values = [date(2026, 3, 29), datetime(2026, 3, 29, 1, 30, 0, 7, tzinfo=UTC) + timedelta(0)]
    assert layout.unpack(layout.pack(values)) == values
