"""Raw files as DuckDB tables: Parquet in place, CSV and JSON lines copied once, nanoseconds cast in Arrow."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ethogram.core.sources.errors import EmptyFile, RowsUnreadable

ROW = "__eth_row"
"""1-based position of a row in its file."""

TEXT = "__eth_text"
"""A raw row's canonical text, which derived ids are made of."""

FINER = "__eth_finer_"
"""Prefix of the flag beside a column of nanoseconds: whether the value is finer than a microsecond."""

_CHUNK = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_FETCH_AGAIN = "fetch the file again, or take it out of the data directory"


@dataclass(frozen=True, slots=True)
class RawTable:
    """SQL that gives the rows with their position, and the DuckDB types of their columns, in the file's order."""

    sql: str
    types: Mapping[str, str]
    finer: frozenset[str] = frozenset()


def digest(file: Path, path: str) -> str:
    """32 hex digits of a file's path and content."""
    found = hashlib.blake2b(path.encode() + b"\0", digest_size=16)
    try:
        with file.open("rb") as opened:
            while part := opened.read(_CHUNK):
                found.update(part)
    except OSError as error:
        raise RowsUnreadable(path, error.strerror or str(error), next_step="make it readable for you") from error
    return found.hexdigest()


def is_made(file: Path) -> bool:
    """Whether a Parquet file's metadata says that its rows are made, as those of `ethogram sample` do."""
    if file.suffix != ".parquet":
        return False
    try:
        said = pq.read_metadata(file).metadata or {}
    except (OSError, pa.ArrowException):
        return False  # what is wrong with it is said when it is read
    return bool(said.get(b"made") == b"true")


def open_raw(
    connection: duckdb.DuckDBPyConnection, file: Path, path: str, *, room: Path, texts: Collection[str] | None
) -> RawTable:
    """The rows of `file`, as `path` in messages.

    Args:
        connection: Where they will be read.
        room: Folder for copies; one call needs it for itself.
        texts: Columns promised by a contract: CSV and JSON lines are then read as text, for the contract says what
            they hold. Without one their types are worked out from the whole file.
    """
    if file.stat().st_size == 0:
        raise EmptyFile(path)
    name = file.name.lower()
    if name.endswith(".parquet"):
        return _parquet(connection, file, path, room)
    if ".csv" in name:
        source = _csv(file, path, as_text=texts is not None)
    else:
        promised = ", ".join(f"{_text(each)}: 'VARCHAR'" for each in texts or ())
        columns = f", columns = {{{promised}}}" if texts is not None else ""
        source = f"read_json({_text(str(file))}, format = 'newline_delimited', sample_size = -1{columns})"
    copy = room / "rows.parquet"
    with reading(path):
        connection.execute(
            f"COPY (SELECT CAST(row_number() OVER () AS BIGINT) AS {ROW}, * FROM {source}) "
            f"TO {_text(str(copy))} (FORMAT parquet, COMPRESSION zstd)"
        )
        return _scan(connection, copy, own_rows=True)


def _csv(file: Path, path: str, *, as_text: bool) -> str:
    """SQL of a CSV file. Its first line decides what the columns are: DuckDB, left to guess, may take the commonest
    number of columns for the right one and a line that differs for no line at all."""
    opener = gzip.open if file.name.lower().endswith(".gz") else open
    try:
        with opener(file, "rt", encoding="utf-8-sig", newline="") as opened:
            first = opened.readline()
            names = next(csv.reader([first], delimiter=(delimiter := max(_DELIMITERS, key=first.count))), [])
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise RowsUnreadable(path, f"its first line cannot be read ({error})", next_step=_FETCH_AGAIN) from error
    if not names or len(set(names)) < len(names):
        raise RowsUnreadable(path, "its first line does not name each column once", next_step="add a header line")
    dialect = f"delim = {_text(delimiter)}, quote = '\"', escape = '\"', header = true, strict_mode = true"
    if not as_text:
        listed = ", ".join(map(_text, names))
        return f"read_csv({_text(str(file))}, {dialect}, sample_size = -1, names = [{listed}])"
    listed = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
    return f"read_csv({_text(str(file))}, {dialect}, auto_detect = false, columns = {{{listed}}})"


def reference_sql(file: Path) -> str:
    """SQL of a small table to look rows up in."""
    name = file.name.lower()
    if name.endswith(".parquet"):
        return f"read_parquet({_text(str(file))}, hive_partitioning = false)"
    if ".csv" in name:
        return f"read_csv({_text(str(file))}, header = true, sample_size = -1)"
    return f"read_json({_text(str(file))}, format = 'newline_delimited', sample_size = -1)"


def _parquet(connection: duckdb.DuckDBPyConnection, file: Path, path: str, room: Path) -> RawTable:
    try:
        opened = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        said = str(error).split("\n")[0]
        raise RowsUnreadable(path, f"not a whole Parquet file ({said})", next_step=_FETCH_AGAIN) from error
    fine = {f.name for f in opened.schema_arrow if pa.types.is_timestamp(f.type) and f.type.unit == "ns"}
    if not fine:
        with reading(path):
            return _scan(connection, file)
    copy = room / "rows.parquet"
    with reading(path):
        _write_in_microseconds(opened, copy, fine)
        return _scan(connection, copy, finer=fine)


def _write_in_microseconds(opened: pq.ParquetFile, copy: Path, fine: set[str]) -> None:
    # DuckDB would cut nanoseconds off silently.
    writer = None
    for batch in opened.iter_batches():
        columns: dict[str, pa.Array] = {}
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name in fine:
                coarse = pc.floor_temporal(column, unit="microsecond")
                columns[FINER + name] = pc.not_equal(coarse, column)
                columns[name] = coarse.cast(pa.timestamp("us", column.type.tz))
            else:
                columns[name] = column
        rows = pa.table(columns)
        writer = writer or pq.ParquetWriter(copy, rows.schema, compression="zstd")
        writer.write_table(rows)
    if writer is None:
        columns = {
            f.name: pa.array([], pa.timestamp("us", f.type.tz) if f.name in fine else f.type)
            for f in opened.schema_arrow
        }
        pq.write_table(pa.table(columns | {FINER + name: pa.array([], pa.bool_()) for name in fine}), copy)
    else:
        writer.close()


def _scan(
    connection: duckdb.DuckDBPyConnection, file: Path, *, own_rows: bool = False, finer: Collection[str] = ()
) -> RawTable:
    read = f"read_parquet({_text(str(file))}, hive_partitioning = false"
    hidden = {ROW, *(FINER + name for name in finer)}
    described = connection.execute(f"DESCRIBE SELECT * FROM {read})").fetchall()
    types = {name: kind for name, kind, *_ in described if name not in hidden}
    if own_rows:
        return RawTable(f"(SELECT * FROM {read}))", types)
    sql = f"(SELECT file_row_number + 1 AS {ROW}, * EXCLUDE (file_row_number) FROM {read}, file_row_number = true))"
    return RawTable(sql, types, frozenset(finer))


class reading:  # noqa: N801 - reads as a verb where it is used
    """Turns what DuckDB says about a file into `RowsUnreadable`; trouble of our own machine is not the file's."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, duckdb.OutOfMemoryException) or "No space left" in str(error or ""):
            return
        if isinstance(error, duckdb.ParserException | duckdb.CatalogException | duckdb.InternalException):
            return  # of our own making
        if isinstance(error, duckdb.Error | pa.ArrowException):
            said = " ".join(str(error).split())
            said = said.partition(" Possible ")[0].partition(" LINE ")[0]
            raise RowsUnreadable(self.path, said[:300], next_step=_FETCH_AGAIN) from error


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
