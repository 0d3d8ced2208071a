"""A retrieval job: runs when its rows are asked for, gives them whole or batch by batch, and writes them down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.parquet as pq
from feast.data_format import DeltaFormat
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.infra.offline_stores.file_source import FileSource, SavedDatasetFileStorage
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.types import from_feast_to_pyarrow_type

from ethogram.adapters.feast.latest_join import Found
from ethogram.adapters.parquet.errors import CannotWrite
from ethogram.errors import AskedWrongly

BATCH_ROWS = 1 << 16


@dataclass(frozen=True)
class Column:
    """One column of an answer: what is to be shown, or where it is to be taken from."""

    name: str
    values: pa.ChunkedArray | pa.Array | Found
    of: str = ""

    def part(self, start: int, length: int) -> pa.Array | pa.ChunkedArray:
        """Values of some rows."""
        if isinstance(self.values, Found):
            return self.values.column(self.of, start, length)
        return self.values.slice(start, length)


@dataclass(frozen=True)
class Answer:
    """`rows` rows of columns, put together piece by piece."""

    rows: int
    columns: Sequence[Column]

    @staticmethod
    def whole(table: pa.Table) -> Answer:
        """A table as an answer."""
        return Answer(len(table), [Column(name, table[name]) for name in table.column_names])

    def part(self, start: int, length: int) -> pa.Table:
        """Some rows."""
        parts = [column.part(start, length) for column in self.columns]
        return pa.table(parts, names=[column.name for column in self.columns])


class Retrieval(RetrievalJob):
    """Feast's job: `to_df`, `to_arrow` and the like; `to_arrow_reader` besides, for more rows than fit in memory twice.

    Args:
        run: Computes the answer, at most once.
        describe: What Feast keeps of the request; asked for only if it is used.
    """

    def __init__(
        self,
        run: Callable[[], Answer],
        *,
        full_feature_names: bool = False,
        describe: Callable[[], RetrievalMetadata | None] = lambda: None,
        on_demand: Sequence[OnDemandFeatureView] = (),
        repo_path: Any = None,
    ) -> None:
        self._run, self._describe = run, describe
        self._on_demand = list(on_demand)
        self._full = full_feature_names
        self._repo_path = repo_path
        self._answered: Answer | None = None

    def to_arrow_reader(self, rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """The rows of `to_arrow` in batches of `rows` at most, on-demand views computed batch by batch.

        What is held meanwhile is the entity rows and the feature rows that they see, each once.
        """
        answer = self._answer()
        first = self._computed(answer.part(0, rows))
        schema = self._without_null_types(first.schema)

        def batches() -> Iterator[pa.RecordBatch]:
            yield from first.cast(schema).combine_chunks().to_batches()
            for start in range(rows, answer.rows, rows):
                yield from self._computed(answer.part(start, rows)).cast(schema).combine_chunks().to_batches()

        return pa.RecordBatchReader.from_batches(schema, batches())

    def persist(self, storage: Any, allow_overwrite: bool | None = False, timeout: int | None = None) -> None:
        """Write the rows where a saved dataset is kept: a Parquet file, a folder of them, or a Delta table."""
        if not isinstance(storage, SavedDatasetFileStorage):
            raise AskedWrongly(f"{type(storage).__name__} is no storage of files; pass a SavedDatasetFileStorage")
        options = storage.file_options
        where = FileSource.get_uri_for_file_path(self._repo_path, options.uri)
        if isinstance(options.file_format, DeltaFormat):
            self._persist_delta(where, overwrite=bool(allow_overwrite))
            return
        filesystem, path = FileSource.create_filesystem_and_path(where, options.s3_endpoint_override)
        filesystem = filesystem or pa.fs.LocalFileSystem()
        if not allow_overwrite and filesystem.get_file_info(path).type != pa.fs.FileType.NotFound:
            raise SavedDatasetLocationAlreadyExists(location=options.uri)
        try:
            _write(self.to_arrow_reader(), filesystem, path)
        except OSError as error:
            raise CannotWrite(Path(path), error) from error

    def _persist_delta(self, where: str, *, overwrite: bool) -> None:
        from deltalake import DeltaTable, write_deltalake

        if not overwrite and DeltaTable.is_deltatable(where):
            raise SavedDatasetLocationAlreadyExists(location=where)
        write_deltalake(where, self.to_arrow_reader(), mode="overwrite", schema_mode="overwrite")

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        answer = self._answer()
        return answer.part(0, answer.rows)

    def to_df(self, validation_reference: Any = None, timeout: int | None = None) -> pd.DataFrame:
        """The rows as a frame; maps are dicts, which Feast's own conversion makes lists of pairs."""
        table = self.to_arrow(validation_reference=validation_reference, timeout=timeout)
        frame: pd.DataFrame = table.to_pandas(maps_as_pydicts="strict")
        return frame.reset_index(drop=True)

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        frame: pd.DataFrame = self._to_arrow_internal(timeout).to_pandas(maps_as_pydicts="strict")
        return frame

    @property
    def full_feature_names(self) -> bool:
        return self._full

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        return self._on_demand

    @property
    def metadata(self) -> RetrievalMetadata | None:
        return self._describe()

    def _answer(self) -> Answer:
        if self._answered is None:
            self._answered = self._run()
        return self._answered

    def _computed(self, part: pa.Table) -> pa.Table:
        if not self._on_demand:
            return part
        job = Retrieval(
            lambda: Answer.whole(part),
            full_feature_names=self._full,
            describe=self._describe,
            on_demand=self._on_demand,
        )
        return job.to_arrow()

    def _without_null_types(self, schema: pa.Schema) -> pa.Schema:
        # An on-demand column that is null in all of the first batch has no type of its own there.
        declared = {
            f"{view.projection.name_alias or view.name}__{field.name}" if self._full else field.name: field.dtype
            for view in self._on_demand
            for field in view.features
        }
        fields = [
            field.with_type(from_feast_to_pyarrow_type(declared[field.name]))
            if pa.types.is_null(field.type) and field.name in declared
            else field
            for field in schema
        ]
        return pa.schema(fields)


def _write(reader: pa.RecordBatchReader, filesystem: Any, path: str) -> None:
    if not path.endswith(".parquet"):
        behavior = "delete_matching"
        ds.write_dataset(reader, path, filesystem=filesystem, format="parquet", existing_data_behavior=behavior)
        return
    # A file that is there is whole. Object stores see to that themselves.
    writing = f"{path}.partial" if isinstance(filesystem, pa.fs.LocalFileSystem) else path
    if parent := path.rpartition("/")[0]:
        filesystem.create_dir(parent, recursive=True)
    try:
        with pq.ParquetWriter(writing, reader.schema, filesystem=filesystem) as writer:
            for batch in reader:
                writer.write_batch(batch)
    except BaseException:
        if writing != path:
            filesystem.delete_file(writing)
        raise
    if writing != path:
        filesystem.move(writing, path)
