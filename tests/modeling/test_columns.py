from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from ethogram.modeling.columns import UnusableFeature, feature_names, nested_names, plain_columns


def test_every_type_of_a_training_set_becomes_numbers_or_text():
    as_of = datetime(2026, 1, 11, tzinfo=UTC)
    table = pa.table(
        {
            "entity": [1, 2],
            "as_of": pa.array([as_of, as_of], pa.timestamp("us", "UTC")),
            "label": [True, False],
            "count": [3, None],
            "spend": pa.array([Decimal("1.250000"), None], pa.decimal128(38, 6)),
            "rate": [0.5, None],
            "flag": [True, None],
            "kind": ["web", None],
            "first_at": pa.array([datetime(2026, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "born": pa.array([date(2026, 1, 10), None], pa.date32()),
        }
    )
    names = feature_names(table)
    assert names == ["count", "spend", "rate", "flag", "kind", "first_at", "born"]
    columns = plain_columns(table, names)
    assert {name: values[0] for name, values in columns.items()} == {
        "count": 3.0,
        "spend": 1.25,
        "rate": 0.5,
        "flag": 1.0,
        "kind": "web",
        "first_at": 10.0,
        "born": 1.0,
    }
    assert all(values[1] is None if values.dtype == object else np.isnan(values[1]) for values in columns.values())


def test_lists_and_maps_are_left_out_of_what_models_read_and_named():
    table = pa.table(
        {
            "entity": [1],
            "n": [2],
            "tags": pa.array([["a"]], pa.list_(pa.string())),
            "by_channel": pa.array([{"web": 1}], pa.map_(pa.string(), pa.int64())),
        }
    )
    assert feature_names(table) == ["n"]
    assert nested_names(table) == ["tags", "by_channel"]


def test_what_no_model_reads_is_named():
    table = pa.table({"tags": pa.array([["a"]], pa.list_(pa.string()))})
    with pytest.raises(UnusableFeature, match="tags: no model reads list"):
        plain_columns(table, ["tags"])
    with pytest.raises(UnusableFeature, match="rate: a value is infinite"):
        plain_columns(pa.table({"rate": [float("inf")]}), ["rate"])
