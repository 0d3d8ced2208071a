"""Columns as Feast's own conversion reads them: what comes out is what went in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from feast.type_map import python_values_to_proto_values

from ethogram.adapters.arrow.values import arrow_type
from ethogram.adapters.feast.columns import materializable, sayable
from ethogram.adapters.feast.types import feast_type, from_proto

SECOND = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
VALUES: dict[str, list[Any]] = {
    "integer": [2**62, -1],
    "decimal": [Decimal("0.500000"), Decimal("-12345678901234567890.000001")],
    "double": [0.1, -2.0],
    "boolean": [False, True],
    "string": ["é", ""],
    "timestamp": [SECOND, SECOND + timedelta(days=1)],
    "date": [date(2026, 2, 28), date(1931, 1, 1)],
}


@pytest.mark.parametrize("kind", VALUES)
def test_lists_and_maps_pass_through_feasts_materialization_unchanged(kind: str) -> None:
    values = VALUES[kind]
    lists, maps = [values, [], None, values[:1]], [dict(zip("ab", values, strict=True)), {}, None, {"é": values[0]}]
    for given, outer in ((lists, "list"), (maps, "map")):
        ours = f"{outer}<{kind}>"
        column = pa.chunked_array(
            [pa.array(given, arrow_type(ours)).slice(0, 2), pa.array(given[2:], arrow_type(ours))]
        )
        read = materializable(column).to_numpy(zero_copy_only=False)
        protos = python_values_to_proto_values(read, feast_type(ours).to_value_type())
        assert [from_proto(ours, proto) for proto in protos] == given


def test_instants_in_lists_and_maps_are_whole_seconds_in_history_too() -> None:
    finer = SECOND + timedelta(microseconds=7)
    lists = pa.chunked_array([pa.array([[finer], None, []], arrow_type("list<timestamp>")).slice(0)])
    maps = pa.chunked_array([pa.array([{"a": finer}, None], arrow_type("map<timestamp>"))])
    assert sayable(lists).to_pylist() == [[SECOND], None, []]
    assert sayable(maps).to_pylist(maps_as_pydicts="strict") == [{"a": SECOND}, None]
    later = pa.chunked_array([pa.array([[finer], [finer, finer], [finer]], arrow_type("list<timestamp>")).slice(1)])
    assert sayable(later).to_pylist() == [[SECOND, SECOND], [SECOND]]
