"""Values in Feast's messages and back: exactly what they were."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from ethogram.adapters.feast.types import FEAST_TYPE, from_proto, to_proto


@given(st.decimals(min_value=-(10**31), max_value=10**31, places=6, allow_nan=False))
def test_a_decimal_of_38_digits_comes_back_to_the_digit(value: Decimal) -> None:
    assert str(from_proto("decimal", to_proto("decimal", value))) == str(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", -(2**63)),
        ("integer", 0),
        ("decimal", Decimal("99999999999999999999999999999999.999999")),
        ("decimal", Decimal("-0.000001")),
        ("double", 0.1),
        ("boolean", False),
        ("string", ""),
        ("string", "Zoë 🛒"),
        ("timestamp", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("timestamp", datetime(1931, 2, 3, tzinfo=UTC)),
        ("date", date(2026, 2, 28)),
        ("list<integer>", [1, -(2**63)]),
        ("list<integer>", []),
        ("list<decimal>", [Decimal("0.500000")]),
        ("list<double>", [0.1]),
        ("list<boolean>", [False, True]),
        ("list<string>", ["", "Zoë 🛒"]),
        ("list<timestamp>", [datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)]),
        ("list<date>", [date(2026, 2, 28)]),
        ("map<integer>", {}),
        ("map<integer>", {"": 3, "é": -(2**63)}),
        ("map<decimal>", {"a": Decimal("0.500000")}),
        ("map<double>", {"a": 0.1}),
        ("map<date>", {"a": date(2026, 2, 28)}),
    ],
)
def test_a_value_comes_back_as_it_was_even_where_it_is_empty_or_zero(kind: str, value: Any) -> None:
    sent = Value.FromString(to_proto(kind, value).SerializeToString())
    back = from_proto(kind, sent)
    assert (back, type(back)) == (value, type(value))


_NESTED = [f"{outer}<{inner}>" for outer in ("list", "map") for inner in FEAST_TYPE]


@pytest.mark.parametrize("kind", [*FEAST_TYPE, *_NESTED])
def test_null_is_an_empty_message_of_every_type(kind: str) -> None:
    assert to_proto(kind, None) == Value()
    assert from_proto(kind, Value()) is None
