"""Commits of the lake: whole or not at all, in the order given, each unit once."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from ethogram.adapters.delta import lake as module
from ethogram.adapters.delta.errors import BadFolder, ColumnChanged, LakeFull, NoSuchVersion
from ethogram.adapters.delta.lake import DeltaLake

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("month", pa.string())])


@pytest.fixture
def lake(tmp_path: Path) -> DeltaLake:
    return DeltaLake(tmp_path / "a lake, 100 % é")


def batches(*rows, schema=SCHEMA, size=1000):
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    return pa.RecordBatchReader.from_batches(schema, table.to_batches(size))


def ids(files):
    return sorted(value for path in files.paths for value in pq.read_table(path, partitioning=None)["id"].to_pylist())


def test_a_table_that_does_not_exist_has_no_files_and_no_schema(lake):
    files = lake.files("events/none")
    assert (files.version, files.paths, files.schema) == (-1, (), None)
    assert lake.appended("events/none", "u") is None
    assert lake.tables("events") == []


def test_pairs_are_told_once_and_only_for_who_is_asked_about(lake):
    schema = pa.schema([("child", pa.int64()), ("parent", pa.int64()), ("month", pa.string())])
    rows = [(1, 10, "a"), (1, 10, "b"), (2, 10, "a"), (3, 11, "a"), (None, 10, "a"), (4, None, "a")]
    lake.append("events/a", batches(*rows, schema=schema), unit="u", partition_by=["month"])
    found = lake.pairs("events/a", "child", "parent", [10, 12])
    assert sorted(found.to_pylist(), key=str) == [{"child": 1, "parent": 10}, {"child": 2, "parent": 10}]
    assert lake.pairs("events/a", "child", "nobody", [10]).num_rows == 0
    assert lake.pairs("events/none", "child", "parent", [10]).num_rows == 0


def test_a_second_append_of_the_same_unit_changes_nothing(lake):
    one = lake.append("events/a", batches((1, "x", "2025-01")), unit="u", partition_by=["month"])
    again = lake.append("events/a", batches((1, "x", "2025-01"), (2, "y", "2025-01")), unit="u", partition_by=["month"])
    assert again == one
    assert ids(one) == [1]
    assert lake.appended("events/a", "u") == 1
    assert lake.appended("events/a", "v") is None


def test_an_append_of_nothing_is_remembered_too(lake):
    files = lake.append("events/a", batches(), unit="u", partition_by=["month"])
    assert files.paths == ()
    assert files.schema == SCHEMA
    assert lake.appended("events/a", "u") == 0


@pytest.mark.parametrize("months", [["2025-01", "2025-02"], [f"2025-{i % 12 + 1:02d}" for i in range(400)]])
def test_rows_keep_their_order_inside_each_partition(lake, months):
    rows = [(i * 7919 % 1009, str(i), months[i % len(months)]) for i in range(1000)]
    files = lake.append("events/a", batches(*rows, size=97), unit="u", partition_by=["month"])
    for path in files.paths:
        month = path.partition("month=")[2][:7]
        assert pq.read_table(path, partitioning=None)["id"].to_pylist() == [row[0] for row in rows if row[2] == month]
    assert len(files.paths) == len(set(months))


def test_large_tables_are_cut_into_row_groups(lake, monkeypatch):
    monkeypatch.setattr(module, "ROW_GROUP", 100)
    files = lake.append("t", batches(*[(i, "x", "m") for i in range(950)], size=64), unit="u")
    metadata = pq.ParquetFile(files.paths[0]).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [100] * 9 + [50]
    assert metadata.row_group(0).column(0).compression == "ZSTD"


def test_earlier_versions_can_be_read_and_others_are_refused(lake):
    lake.append("t", batches((1, "x", "m")), unit="a")
    first = lake.files("t").version
    lake.append("t", batches((2, "y", "m")), unit="b")
    assert ids(lake.files("t", version=first)) == [1]
    assert ids(lake.files("t")) == [1, 2]
    with pytest.raises(NoSuchVersion, match="has no version 99; it has 0 to 2"):
        lake.files("t", version=99)


def test_replace_makes_the_rows_the_whole_content(lake):
    lake.append("t", batches((1, "x", "m")), unit="a")
    assert ids(lake.replace("t", batches((5, "z", "m")), unit="b")) == [5]
    assert ids(lake.files("t", version=1)) == [1]


def test_remove_drops_the_rows_of_one_value(lake):
    lake.append("t", batches((1, "o'x", "m"), (2, "y", "m")), unit="a", partition_by=["month"])
    assert lake.remove("t", "name", "o'x") == 1
    assert ids(lake.files("t")) == [2]
    assert lake.remove("none", "name", "x") == 0


def test_a_new_column_joins_and_a_changed_one_is_refused(lake):
    lake.append("t", batches((1, "x", "m")), unit="a")
    wider = SCHEMA.append(pa.field("more", pa.bool_()))
    files = lake.append("t", batches((2, "y", "m", True), schema=wider), unit="b")
    assert files.schema.names == ["id", "name", "month", "more"]
    with pytest.raises(ColumnChanged, match="column id is int64 and the new rows bring string"):
        lake.append("t", batches(("2", "y", "m"), schema=SCHEMA.set(0, pa.field("id", pa.string()))), unit="c")
    assert ids(lake.files("t")) == [1, 2]


def test_a_write_that_fails_leaves_no_file_and_no_commit(lake, monkeypatch):
    lake.append("t", batches((1, "x", "m")), unit="a")
    before = lake.files("t")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.pq.ParquetWriter, "write_table", full)
    with pytest.raises(LakeFull, match="t: No space left on device; nothing was committed; free some space"):
        lake.append("t", batches((2, "y", "m")), unit="b")
    monkeypatch.undo()
    assert lake.files("t") == before
    assert len(list(Path(before.paths[0]).parent.glob("part-*"))) == 1
    assert lake.append("t", batches((2, "y", "m")), unit="b").version == before.version + 1


def test_a_stream_that_breaks_leaves_no_file(lake):
    def broken():
        yield from batches((1, "x", "m"))
        raise RuntimeError("the reader broke")

    with pytest.raises(RuntimeError, match="the reader broke"):
        lake.append("t", pa.RecordBatchReader.from_batches(SCHEMA, broken()), unit="a")
    assert lake.files("t").paths == ()
    assert lake.appended("t", "a") is None


def test_appends_at_the_same_time_are_all_kept(lake):
    lake.append("t", batches((0, "x", "m")), unit="first")
    writers = [
        threading.Thread(target=lake.append, args=("t", batches((i, "x", "m"))), kwargs={"unit": f"u{i}"})
        for i in range(1, 9)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert ids(lake.files("t")) == list(range(9))


def test_another_delta_reader_sees_the_same_rows_and_no_text_in_the_statistics(lake):
    files = lake.append("events/a", batches((1, "secret", "2025-01")), unit="u", partition_by=["month"])
    assert DeltaTable(str(Path(files.paths[0]).parent.parent)).to_pyarrow_table().to_pylist() == [
        {"id": 1, "name": "secret", "month": "2025-01"}
    ]
    log = Path(files.paths[0]).parent.parent / "_delta_log"
    assert not any("secret" in entry.read_text() for entry in log.glob("*.json"))


def test_a_folder_that_delta_would_read_wrongly_is_refused_at_once(tmp_path):
    with pytest.raises(BadFolder, match="'%20'"):
        DeltaLake(tmp_path / "a%20b")
