"""Feature rows in the files of a Feast file source: a Parquet file, a folder or pattern of them, or a Delta table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from feast.data_format import DeltaFormat
from feast.infra.offline_stores.file_source import FileSource
from feast.repo_config import RepoConfig

from ethogram.core.latest import UNKNOWN, Ints
from ethogram.errors import AskedWrongly, EthogramError, did_you_mean

# What one thread holds at a time of a file's key and time columns.
PIECE_ROWS = 1 << 20
# Ticks of a unit in a microsecond, or microseconds in a tick.
_FINER = {"us": 1, "ns": 1000}
_COARSER = {"s": 1_000_000, "ms": 1000}


class SourceChanged(EthogramError):
    """Files were written to while they were read: what was read may be of neither state."""

    code = "source-changed"

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(f"{source}: its files changed while they were read; ask again")


class UnreadableSource(EthogramError):
    """A file source that cannot be read as it is declared."""

    code = "unreadable-source"

    def __init__(self, source: str, problem: object) -> None:
        self.source = source
        super().__init__(f"{source}: {problem}; check the source's path and file_format in feature_repo/")


@dataclass(frozen=True)
class Piece:
    """Some row groups of one file, numbered on from those of the pieces before."""

    fragment: Any
    first_row: int
    rows: int


class Facts:
    """Rows of a file source in a fixed order, read in pieces; every read is of the files there were when it was opened.

    Args:
        source: Naive times in it are UTC, as everywhere in Feast.
        config: Relative paths are from its feature_repo/.
        mapped: Whether columns go by the names that the source's field_mapping gives them, or by the file's own.
    """

    def __init__(self, source: Any, config: RepoConfig, *, mapped: bool = True) -> None:
        self.name = source.name
        if not isinstance(source, FileSource):
            raise AskedWrongly(
                f"{self.name} is a {type(source).__name__}; this offline store reads signals and file sources"
            )
        try:
            self._dataset = _open(source, config)
        except Exception as error:
            raise UnreadableSource(self.name, error) from error
        self._seen = self._state()
        self._stored_as = {new: old for old, new in source.field_mapping.items()} if mapped else {}

    def type_of(self, column: str) -> pa.DataType:
        """Type of a column as it is stored."""
        stored = self._stored_as.get(column, column)
        names = self._dataset.schema.names
        if stored not in names:
            hint = did_you_mean(stored, names, otherwise=f"it has {', '.join(names[:10])}")
            raise AskedWrongly(f"{self.name} has no column {stored!r}; {hint}")
        return self._dataset.schema.field(stored).type

    def columns(self) -> list[str]:
        """Names of all columns, as they are read."""
        shown = {old: new for new, old in self._stored_as.items()}
        return [shown.get(name, name) for name in self._dataset.schema.names]

    def pieces(self, when: str, *, since: int | None = None, until: int | None = None) -> Iterator[Piece]:
        """Pieces that may hold rows whose `when` is within the bounds, as the files' statistics tell."""
        kept = _within(ds.field(self._stored_as.get(when, when)), self.type_of(when), since, until)
        first = 0
        for file in self._dataset.get_fragments(filter=kept):
            groups = [one.row_groups[0] for one in file.split_by_row_group(filter=kept, schema=self._dataset.schema)]
            for some in _runs(groups):
                rows = sum(group.num_rows for group in some)
                yield Piece(file.subset(row_group_ids=[group.id for group in some]), first, rows)
                first += rows

    def check_unchanged(self) -> None:
        """Raise `SourceChanged` unless the files are what they were when they were opened."""
        if self._state() != self._seen:
            raise SourceChanged(self.name)

    def identity(self) -> list[tuple[int, int]]:
        """Size and time of each file, in their order: the same for the same content left alone, wherever it lies."""
        return [(size, modified) for _, size, modified in self._seen]

    def _state(self) -> list[Any]:
        files = self._dataset.filesystem.get_file_info(self._dataset.files)
        return [(file.path, file.size, file.mtime_ns) for file in files]

    def read(self, piece: Piece, columns: Sequence[str]) -> pa.Table:
        """Columns of a piece, in the order asked for."""
        fields = {name: ds.field(self._stored_as.get(name, name)) for name in columns}
        return piece.fragment.to_table(schema=self._dataset.schema, columns=fields).combine_chunks()


def micros(column: pa.ChunkedArray | pa.Array, *, what: str) -> Ints:
    """Microseconds since 1970 of a column of times, `UNKNOWN` for nulls; naive times are UTC, nanoseconds are floored.

    >>> micros(pa.array([1_999, None], pa.timestamp("ns")), what="at").tolist() == [1, UNKNOWN]
    True
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if not pa.types.is_timestamp(column.type):
        raise AskedWrongly(f"{what} is {column.type}; a time is needed, so store it as a timestamp")
    ticks = pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    unit = column.type.unit
    found: Ints = ticks // _FINER[unit] if unit in _FINER and unit != "us" else ticks * _COARSER.get(unit, 1)
    if column.null_count:
        found = np.where(column.is_null().to_numpy(zero_copy_only=False), UNKNOWN, found)
    return found


def _open(source: FileSource, config: RepoConfig) -> Any:
    where = FileSource.get_uri_for_file_path(config.repo_path, source.path)
    credentials = source.resolve_credentials()
    if isinstance(source.file_format, DeltaFormat):
        from deltalake import DeltaTable

        options = dict(credentials or {})
        if source.s3_endpoint_override:
            options["AWS_ENDPOINT_URL"] = source.s3_endpoint_override
        return DeltaTable(where, storage_options=options or None).to_pyarrow_dataset()
    filesystem, path = FileSource.create_filesystem_and_path(where, source.s3_endpoint_override or "", credentials)
    found: str | list[str] = path
    if filesystem is None and has_magic(path):
        found = sorted(glob(path, recursive=True))
        if not found:
            raise FileNotFoundError(f"no file matches {path}")
    return ds.dataset(found, filesystem=filesystem, format="parquet", partitioning="hive")


def _runs(groups: list[Any]) -> Iterator[list[Any]]:
    run: list[Any] = []
    rows = 0
    for group in groups:
        if run and rows + group.num_rows > PIECE_ROWS:
            yield run
            run, rows = [], 0
        run.append(group)
        rows += group.num_rows
    if run:
        yield run


def _within(field: Any, kind: pa.DataType, since: int | None, until: int | None) -> Any:
    if not pa.types.is_timestamp(kind):
        return None
    kept = None
    if since is not None:
        ticks = since * _FINER[kind.unit] if kind.unit in _FINER else -(-since // _COARSER[kind.unit])
        kept = field >= pa.scalar(ticks, kind) if abs(ticks) < 2**63 else None
    if until is not None:
        ticks = (until + 1) * _FINER[kind.unit] - 1 if kind.unit in _FINER else until // _COARSER[kind.unit]
        before = field <= pa.scalar(ticks, kind) if abs(ticks) < 2**63 else None
        kept = before if kept is None else kept if before is None else kept & before
    return kept
