"""A made sample as a folder: bytes, metadata, and what happens to what was there before."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import resource
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from ethogram.adapters.parquet.errors import CannotWrite, FolderBusy, FolderTaken
from ethogram.adapters.parquet.sample_folder import ROW_GROUP, ParquetSampleFolder
from ethogram.core.sample.shop import Request, shop
from ethogram.core.sample.tables import NULL, TABLES, Coded, Rows, Table

REFUNDS = Table("refunds", "", "at", {"id": "text", "at": "instant", "amount": "money", "why": "text", "ok": "flag"})
FACTS = {"made": "true", "seed": "7"}


def open_folder(out: Path, tables: tuple[Table, ...] = (REFUNDS,), *, by_month: bool = False) -> ParquetSampleFolder:
    return ParquetSampleFolder(out, tables=tables, by_month=by_month, facts=FACTS)


def refunds(count: int = 3) -> Rows:
    amounts = np.arange(count, dtype=np.int64) - 1
    amounts[2::5] = NULL
    return Rows(
        {
            "id": np.array([b"" if n == 1 else f"r{n:05d}".encode() for n in range(count)], dtype="S6"),
            "at": np.arange(count, dtype=np.int64) * 1_000_000,
            "amount": amounts,
            "why": Coded(np.array([0, -1, 1] * count, dtype=np.int16)[:count], ("late", "broken")),
            "ok": np.arange(count) % 2 == 0,
        },
        np.zeros(count, dtype=np.int64),
    )


def make(out: Path, rows: Rows | None = None) -> None:
    with open_folder(out) as folder:
        folder.write("refunds", rows or refunds())
        folder.finish(readme="made", manifest={"made": True})


def interrupt(out: Path) -> None:
    with open_folder(out) as folder:
        folder.write("refunds", refunds(ROW_GROUP + 1))
        raise KeyboardInterrupt


def digests(out: Path) -> dict[str, str]:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def slices(batches: Iterator[Mapping[str, Rows]], size: int) -> Iterator[tuple[str, Rows]]:
    for batch in batches:
        for name, rows in batch.items():
            for first in range(0, len(rows), size):
                yield name, rows.take(slice(first, first + size))


def test_values_and_nulls_read_back_with_plain_types(tmp_path):
    make(tmp_path)
    table = pq.read_table(tmp_path / "refunds" / "all.parquet")
    assert [str(field.type) for field in table.schema] == [
        *("string", "timestamp[us, tz=UTC]", "decimal128(18, 2)", "string", "bool")
    ]
    assert table.to_pydict() == {
        "id": ["r00000", None, "r00002"],
        "at": [datetime(1970, 1, 1, 0, 0, second, tzinfo=UTC) for second in range(3)],
        "amount": [Decimal("-0.01"), Decimal("0.00"), None],
        "why": ["late", None, "broken"],
        "ok": [True, False, True],
    }


def test_every_file_says_that_it_is_made(tmp_path):
    make(tmp_path)
    metadata = pq.read_schema(tmp_path / "refunds" / "all.parquet").metadata
    assert metadata == {b"made": b"true", b"seed": b"7", b"table": b"refunds"}


def test_a_table_without_rows_is_one_empty_file_with_its_columns(tmp_path):
    with open_folder(tmp_path) as folder:
        folder.finish(readme="", manifest={"made": True})
    table = pq.read_table(tmp_path / "refunds")
    assert (table.num_rows, table.column_names) == (0, list(REFUNDS.columns))


def test_bytes_do_not_depend_on_the_batches_that_rows_come_in(tmp_path):
    request = Request(events=60_000, seed=3, start=datetime(2025, 1, 1, tzinfo=UTC), days=60)
    for name, size in (("whole", 10**9), ("slices", 7_001)):
        with open_folder(tmp_path / name, TABLES, by_month=True) as folder:
            for table, rows in slices(shop(request), size):
                folder.write(table, rows)
            folder.finish(readme="", manifest={"made": True})
    assert digests(tmp_path / "whole") == digests(tmp_path / "slices")


def test_large_tables_are_split_by_month_and_every_row_is_in_its_month(tmp_path):
    request = Request(events=20_000, seed=3, start=datetime(2025, 1, 1, tzinfo=UTC), days=60)
    with open_folder(tmp_path, TABLES, by_month=True) as folder:
        for batch in shop(request):
            for table, rows in batch.items():
                folder.write(table, rows)
        folder.finish(readme="", manifest={"made": True})
    months = {path.stem: pq.read_table(path)["received_at"] for path in (tmp_path / "app_events").iterdir()}
    assert sorted(months) == ["2025-01", "2025-02", "2025-03"]
    for month, received in months.items():
        assert {str(at)[:7] for at in received.to_pylist()} == {month}
    assert [path.name for path in (tmp_path / "tickets").iterdir()] == ["all.parquet"]


def test_rows_wait_in_memory_for_one_row_group_at_most(tmp_path):
    with open_folder(tmp_path) as folder:
        for _ in range(3):
            folder.write("refunds", refunds(ROW_GROUP + 17))
            waiting = [sum(map(len, file._waiting)) for file in folder._files.values()]
            assert max(waiting) < ROW_GROUP
        folder.finish(readme="", manifest={"made": True})
    metadata = pq.read_metadata(tmp_path / "refunds" / "all.parquet")
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [ROW_GROUP] * 3 + [51]


def test_an_earlier_sample_is_replaced(tmp_path):
    make(tmp_path)
    make(tmp_path, refunds(5))
    assert pq.read_metadata(tmp_path / "refunds" / "all.parquet").num_rows == 5
    assert sorted(digests(tmp_path)) == ["README.md", "manifest.json", "refunds/all.parquet"]


def test_an_interrupted_sample_leaves_the_earlier_one(tmp_path):
    make(tmp_path)
    before = digests(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path)
    assert digests(tmp_path) == before


def test_what_a_killed_command_left_aside_is_cleared_away(tmp_path):
    (tmp_path / ".partial" / "refunds").mkdir(parents=True)
    (tmp_path / ".partial" / "refunds" / "all.parquet").write_bytes(b"PAR1 half")
    make(tmp_path)
    assert sorted(digests(tmp_path)) == ["README.md", "manifest.json", "refunds/all.parquet"]


def test_a_sample_killed_while_moving_in_can_be_made_again(tmp_path):
    (tmp_path / "refunds").mkdir()
    (tmp_path / "manifest.json").write_text(json.dumps({"made": True, "complete": False}))
    make(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text()) == {"made": True}


@pytest.mark.parametrize("name", ["orders.csv", "refunds", "manifest.json"])
def test_files_of_others_are_never_touched(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(FolderTaken, match=f"holds {name}, which is no made sample"):
        make(tmp_path)
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_two_commands_do_not_write_into_one_folder(tmp_path):
    with open_folder(tmp_path) as folder:
        with pytest.raises(FolderBusy):
            make(tmp_path)
        folder.write("refunds", refunds())
        folder.finish(readme="", manifest={"made": True})
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # it is free again
    os.close(handle)


def test_a_file_in_place_of_the_folder_is_an_error_with_its_path(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(CannotWrite, match=r"out: file exists; check the folder and its rights"):
        make(tmp_path / "out")


def test_a_file_system_that_takes_no_more_leaves_the_earlier_sample(tmp_path):
    make(tmp_path)
    before = digests(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(CannotWrite, match=f"{tmp_path}: "):
            make(tmp_path, refunds(4 * ROW_GROUP))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert digests(tmp_path) == before


def test_a_full_disk_is_told_apart():
    error = CannotWrite(Path("out"), OSError(28, "No space left on device"))
    assert error.full
    assert str(error) == "out: no space left on device; free some space or name a folder on another disk"
