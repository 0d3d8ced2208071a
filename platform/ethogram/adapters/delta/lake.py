"""The lake on disk: Delta tables whose Parquet files we write ourselves, in the order that rows come in.

deltalake's own writer shuffles rows between threads, and events must stay sorted inside each file; so files are written
here and only committed through deltalake.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from ethogram.adapters.delta.errors import BadFolder, ColumnChanged, LakeTrouble, NoSuchVersion, os_trouble
from ethogram.ports import TableFiles

ROW_GROUP = 131_072
_MOST_SLICES = 64
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_COUNTED = (pa.types.is_integer, pa.types.is_timestamp, pa.types.is_date)


class DeltaLake:
    """Tables below one folder; each append or replace is one commit, and readers see whole commits only."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._pairs: dict[tuple[str, str, str], tuple[tuple[int, tuple[int, ...]], pa.Table]] = {}
        if escape := _ESCAPE.search(str(self._root)):
            raise BadFolder(self._root, escape[0])

    def files(self, table: str, *, version: int | None = None) -> TableFiles:
        """The newest or the named version of `table`; asking for a version that is not there is refused."""
        delta = self._open(table)
        if delta is None:
            if version is not None and version != -1:
                raise NoSuchVersion(table, version, newest=-1)
            return TableFiles(table, -1, (), None)
        newest = delta.version()
        if version is not None and version != newest:
            try:
                if not 0 <= version < newest:
                    raise NoSuchVersion(table, version, newest=newest)
                delta.load_as_version(version)
            except DeltaError as error:
                said = f"version {version} cannot be read ({error})"
                raise LakeTrouble(table, said, next_step="use a newer one") from error
        return self._files(table, delta)

    def appended(self, table: str, unit: str) -> int | None:
        """How many rows an append of `unit` brought to `table`; None if there was none."""
        delta = self._open(table)
        return None if delta is None else delta.transaction_version(unit)

    def append(
        self, table: str, batches: pa.RecordBatchReader, *, unit: str, partition_by: Sequence[str] = ()
    ) -> TableFiles:
        """Add all of `batches` in one commit, in their order; a second append of the same `unit` changes nothing.

        New columns are added to the table, and columns that the batches lack are null. Rows of one partition stay in
        the order in which they come.
        """
        with _translated(table):
            delta = self._open(table) or self._create(table, batches.schema, partition_by)
            if delta.transaction_version(unit) is not None:
                batches.close()
                return self._files(table, delta)
            self._widen(table, delta, batches.schema)
            return self._write(table, delta, batches, unit=unit, mode="append")

    def replace(self, table: str, batches: pa.RecordBatchReader, *, unit: str) -> TableFiles:
        """Make `batches` the whole content of `table` in one commit; earlier versions can still be read."""
        with _translated(table):
            delta = self._open(table) or self._create(table, batches.schema, ())
            self._widen(table, delta, batches.schema)
            return self._write(table, delta, batches, unit=unit, mode="overwrite")

    def replace_parts(
        self, table: str, batches: pa.RecordBatchReader, *, unit: str, partition: str, parts: Collection[str]
    ) -> TableFiles:
        """Make `batches` the whole content of some partitions of `table` in one commit; the others stay."""
        with _translated(table):
            delta = self._open(table) or self._create(table, batches.schema, [partition])
            self._widen(table, delta, batches.schema)
            standing = pa.table(delta.get_add_actions(flatten=True))
            now = round(time.time() * 1000)
            gone = [
                RemoveAction(path, True, now, size, {partition: value})
                for path, size, value in zip(
                    *(standing[name].to_pylist() for name in ("path", "size_bytes", f"partition.{partition}")),
                    strict=True,
                )
                if value in parts
            ]
            return self._write(table, delta, batches, unit=unit, mode="append", gone=gone)

    def remove(self, table: str, column: str, value: str) -> int:
        """Drop the rows whose `column` is `value`, in one commit; how many they were."""
        with _translated(table):
            delta = self._open(table)
            if delta is None:
                return 0
            literal = value.replace("'", "''")
            return int(delta.delete(f"{column} = '{literal}'")["num_deleted_rows"] or 0)

    def pairs(self, table: str, first: str, second: str, seconds: Sequence[int]) -> pa.Table:
        """Distinct values of two int64 columns of `table`, the second one of `seconds`; none without the table."""
        nothing = pa.schema([(first, pa.int64()), (second, pa.int64())])
        files = self.files(table)
        if files.schema is None or not {first, second} <= set(files.schema.names) or not files.paths:
            return nothing.empty_table()
        asked = (files.version, tuple(seconds))
        if (last := self._pairs.get((table, first, second))) and last[0] == asked:
            return last[1]  # every read of a child asks the same until the table or who refuses changes
        wanted = pc.field(second).isin(pa.array(seconds, pa.int64())) & pc.field(first).is_valid()
        with _translated(table):
            rows = ds.dataset(list(files.paths), schema=nothing).to_table(filter=wanted)
        found = rows.group_by([first, second]).aggregate([])
        self._pairs[table, first, second] = (asked, found)
        return found

    def tables(self, folder: str) -> list[str]:
        """Names of the tables below `folder`, e.g. "events"."""
        place = self._root / folder
        if not place.is_dir():
            return []
        return sorted(f"{folder}/{path.name}" for path in place.iterdir() if (path / "_delta_log").is_dir())

    def _open(self, table: str) -> DeltaTable | None:
        if not (self._root / table / "_delta_log").is_dir():
            return None
        try:
            return DeltaTable((self._root / table).as_uri())
        except TableNotFoundError:
            return None
        except DeltaError as error:
            said = f"its Delta log cannot be read ({error})"
            raise LakeTrouble(table, said, next_step="see `ethogram doctor`") from error

    def _create(self, table: str, schema: pa.Schema, partition_by: Sequence[str]) -> DeltaTable:
        (self._root / table).mkdir(parents=True, exist_ok=True)
        address = (self._root / table).as_uri()
        # mode=ignore: somebody else may be creating it at this moment.
        DeltaTable.create(address, Schema.from_arrow(schema), mode="ignore", partition_by=list(partition_by))
        return DeltaTable(address)

    def _widen(self, table: str, delta: DeltaTable, schema: pa.Schema) -> None:
        has = pa.schema(delta.schema().to_arrow())
        wanted = pa.schema(Schema.from_arrow(schema).to_arrow())
        for field in wanted:
            if field.name in has.names and has.field(field.name).type != field.type:
                raise ColumnChanged(table, field.name, has=str(has.field(field.name).type), given=str(field.type))
        known = {field.name for field in delta.schema().fields}
        if new := [field for field in Schema.from_arrow(schema).fields if field.name not in known]:
            delta.alter.add_columns(new)

    def _write(
        self,
        table: str,
        delta: DeltaTable,
        batches: pa.RecordBatchReader,
        *,
        unit: str,
        mode: str,
        gone: Sequence[RemoveAction] = (),
    ) -> TableFiles:
        partition_by = delta.metadata().partition_columns
        writing = _Files(self._root / table, partition_by)
        try:
            for batch in batches:
                writing.add(batch)
            added = [*writing.close(), *gone]
            # The version of a transaction is for its application to choose; ours is the number of rows.
            delta.create_write_transaction(
                added,
                mode,
                delta.schema(),
                partition_by,
                commit_properties=CommitProperties(
                    app_transactions=[Transaction(unit, writing.rows)], custom_metadata={"unit": unit}
                ),
            )
        except BaseException:
            writing.abandon()
            raise
        return self._files(table, DeltaTable((self._root / table).as_uri()))

    def _files(self, table: str, delta: DeltaTable) -> TableFiles:
        paths = pa.table(delta.get_add_actions())["path"].to_pylist()
        schema = pa.schema(delta.schema().to_arrow())
        folder = str(self._root / table)  # a table of tiles has a file a day
        return TableFiles(table, delta.version(), tuple(sorted(f"{folder}/{path}" for path in paths)), schema)


class _Files:
    """The Parquet files of one commit: one a partition, whole row groups."""

    def __init__(self, folder: Path, partition_by: Sequence[str]) -> None:
        self._folder, self._partition_by = folder, list(partition_by)
        self._open: dict[tuple[str | None, ...], _File] = {}
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self.rows += len(batch)
        for values, part in self._parts(batch):
            if values not in self._open:
                partition = dict(zip(self._partition_by, values, strict=True))
                place = "".join(f"{name}={quote(value or '', safe='')}/" for name, value in partition.items())
                name = f"{place}part-{uuid.uuid4().hex}.zstd.parquet"
                self._open[values] = _File(self._folder, name, partition)
            self._open[values].add(part)

    def close(self) -> list[AddAction | RemoveAction]:
        return [file.close() for file in self._open.values()]

    def abandon(self) -> None:
        for file in self._open.values():
            file.abandon()

    def _parts(self, batch: pa.RecordBatch) -> Iterator[tuple[tuple[str | None, ...], pa.RecordBatch]]:
        if not len(batch):
            return
        if not self._partition_by:
            yield (), batch
            return
        data = batch.drop_columns(self._partition_by)
        keys = [batch.column(name).cast(pa.string()) for name in self._partition_by]
        # Rows mostly come sorted by partition: then a batch is a few slices, without a copy.
        cuts = sorted({0, *(end for key in keys for end in pc.run_end_encode(key).run_ends.to_pylist())})
        if len(cuts) <= _MOST_SLICES:
            for start, end in itertools.pairwise(cuts):
                yield tuple(key[start].as_py() for key in keys), data.slice(start, end - start)
            return
        rows = pa.table([*keys, pa.array(range(len(batch)))], names=[*self._partition_by, "row"])
        for group in rows.group_by(self._partition_by, use_threads=False).aggregate([("row", "list")]).to_pylist():
            yield tuple(group[name] for name in self._partition_by), data.take(pa.array(group["row_list"]))


class _File:
    """One Parquet file that grows by whole row groups."""

    def __init__(self, folder: Path, name: str, partition: Mapping[str, str | None]) -> None:
        self._path, self._name, self._partition = folder / name, name, partition
        self._waiting: list[pa.RecordBatch] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: pa.RecordBatch) -> None:
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= ROW_GROUP:
            self._write()

    def close(self) -> AddAction:
        self._write(rest=True)
        assert self._writer is not None
        self._writer.close()
        status = self._path.stat()
        return AddAction(
            self._name, status.st_size, self._partition, int(status.st_mtime * 1000), True, _statistics(self._path)
        )

    def abandon(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(OSError):  # the disk is full: the file goes anyway
                self._writer.close()
        self._path.unlink(missing_ok=True)

    def _write(self, *, rest: bool = False) -> None:
        held = pa.Table.from_batches(self._waiting)
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(
                self._path, held.schema, compression="zstd", store_schema=False, use_dictionary=_repeating(held.schema)
            )
        whole = len(held) if rest else len(held) - len(held) % ROW_GROUP
        if whole:
            self._writer.write_table(held.slice(0, whole), row_group_size=ROW_GROUP)
        self._waiting = held.slice(whole).to_batches() if whole < len(held) else []


def _repeating(schema: pa.Schema) -> list[str]:
    """Columns worth a dictionary: texts, but for the id that no two rows share."""
    return [field.name for field in schema if pa.types.is_string(field.type) and field.name != "event_id"]


def _statistics(path: Path) -> str:
    """Rows, and bounds of whole numbers and times: texts may hold what has to be forgotten later."""
    file = pq.ParquetFile(path)
    least: dict[str, Any] = {}
    most: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for i, field in enumerate(file.schema_arrow):
        if not any(kind(field.type) for kind in _COUNTED):
            continue
        found = [file.metadata.row_group(g).column(i).statistics for g in range(file.metadata.num_row_groups)]
        if not found or any(each is None or not each.has_null_count for each in found):
            continue
        nulls[field.name] = sum(each.null_count for each in found)
        bounds = [each for each in found if each.has_min_max]
        if bounds:
            least[field.name] = _written(min(each.min for each in bounds))
            most[field.name] = _written(max(each.max for each in bounds))
    return json.dumps({"numRecords": file.metadata.num_rows, "minValues": least, "maxValues": most, "nullCount": nulls})


def _written(value: Any) -> Any:
    if isinstance(value, int):
        return value
    text = str(value.isoformat())
    return text.replace("+00:00", "Z")


@contextlib.contextmanager
def _translated(table: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise os_trouble(table, error) from error
    except DeltaError as error:
        if "No space left" in str(error):
            raise os_trouble(table, OSError(28, "No space left on device")) from error
        raise LakeTrouble(table, f"not committed ({error})", next_step="run it again; see `ethogram doctor`") from error
