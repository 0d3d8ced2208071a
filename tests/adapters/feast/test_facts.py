"""Feature rows in files: times, pieces, and files that change under the reader."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import FeatureStore, FileSource

from ethogram.adapters.feast import facts as facts_module
from ethogram.adapters.feast.facts import Facts, SourceChanged, micros
from ethogram.adapters.feast.latest_join import Asked, latest_join, rows_between
from ethogram.core.latest import UNKNOWN

Open = Callable[..., FeatureStore]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_become_microseconds_and_null_is_unknown(unit: str) -> None:
    at = datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)
    column = pa.chunked_array([pa.array([at, None], pa.timestamp(unit, "UTC"))])
    assert micros(column, what="at").tolist() == [-1_000_000, UNKNOWN]


def test_nanoseconds_before_1970_are_floored_too() -> None:
    assert micros(pa.array([-1, 1], pa.timestamp("ns")), what="at").tolist() == [-1, 0]


def test_dates_are_their_midnight() -> None:
    days = pa.array([datetime(1970, 1, 2, tzinfo=UTC).date()])
    assert micros(days, what="at").tolist() == [86_400_000_000]


@pytest.fixture
def thousand(open_feast: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Facts:
    """A thousand rows in row groups of ninety, read two groups at a time."""
    monkeypatch.setattr(facts_module, "PIECE_ROWS", 200)
    at = pa.array(np.arange(1000) * 1_000_000, pa.timestamp("us", "UTC"))
    table = pa.table({"key": np.arange(1000) % 7, "at": at, "value": np.arange(1000)})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=90)
    return Facts(FileSource(name="rows", path="rows.parquet", timestamp_field="at"), open_feast().config)


def test_rows_are_numbered_over_the_pieces(thousand: Facts) -> None:
    pieces = list(thousand.pieces("at"))
    assert [piece.rows for piece in pieces] == [180] * 5 + [100]
    for piece in pieces:
        values = thousand.read(piece, ["value"])["value"].to_pylist()
        assert values == list(range(piece.first_row, piece.first_row + piece.rows))


def test_however_the_file_is_cut_the_newest_row_is_found(thousand: Facts) -> None:
    instants = np.array([0, 6, 500, 998, 5000]) * 1_000_000
    asked = Asked.about([pa.array([3] * 5)], instants)
    found = latest_join(thousand, asked, ["value"], join_keys=["key"], when="at", created=None)
    assert found.column("value", 0, 5).to_pylist() == [None, 3, 500, 997, 997]
    assert found.column("value", 1, 1).to_pylist() == [3]
    assert len(found.rows) == 3


def test_rows_between_two_instants_include_both(thousand: Facts) -> None:
    table = rows_between(thousand, ["value"], when="at", since=10_000_000, until=12_000_000)
    assert table["value"].to_pylist() == [10, 11, 12]


def test_files_that_change_while_they_are_read_are_noticed(thousand: Facts, tmp_path: Path) -> None:
    read = thousand.read

    def read_and_write(*arguments: Any) -> pa.Table:
        table = read(*arguments)
        pq.write_table(table, tmp_path / "rows.parquet.new")
        (tmp_path / "rows.parquet.new").replace(tmp_path / "rows.parquet")
        return table

    thousand.read = read_and_write  # type: ignore[method-assign]
    asked = Asked.about([pa.array([3])], np.array([0]))
    with pytest.raises(SourceChanged, match="rows: its files changed while they were read; ask again"):
        latest_join(thousand, asked, ["value"], join_keys=["key"], when="at", created=None)


def test_category_columns_are_read_like_their_words(open_feast: Open, tmp_path: Path) -> None:
    at = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(4)]
    words = pa.array(["a", "b", "a", None]).dictionary_encode()
    table = pa.table({"key": words, "at": at, "value": pa.array(["x", "y", "z", "w"]).dictionary_encode()})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=2)
    facts = Facts(FileSource(name="rows", path="rows.parquet", timestamp_field="at"), open_feast().config)
    assert pa.types.is_dictionary(facts.type_of("key"))
    asked = Asked.about([pa.array(["b", "a", "c"])], np.full(3, 2**60))
    found = latest_join(facts, asked, ["value"], join_keys=["key"], when="at", created=None)
    assert found.column("value", 0, 3).to_pylist() == ["y", "z", None]
