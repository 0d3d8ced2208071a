"""A made sample as a folder: one folder a table, in it Parquet files, and beside them what says that it is made."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ethogram.adapters.parquet.columns import TYPES, arrow
from ethogram.adapters.parquet.errors import CannotWrite, FolderBusy, FolderTaken
from ethogram.core.sample.tables import Rows, Table

ROW_GROUP = 32_768
_PARTIAL = ".partial"
_MANIFEST = "manifest.json"


class ParquetSampleFolder:
    """Writes aside and moves in at `finish`; left before that, the folder is as it was.

    Files are cut into row groups of a fixed length whatever the batches that rows come in, so that the same rows in the
    same order are the same bytes. At most one row group a file waits in memory.

    Args:
        out: New, empty, or an earlier made sample, which is replaced.
        tables: What will be written; a table without rows gets one empty file.
        by_month: Whether tables that may be are split by month of their `ordered_by`.
        facts: Key-value metadata of every file.
    """

    def __init__(self, out: Path, *, tables: Sequence[Table], by_month: bool, facts: Mapping[str, str]) -> None:
        self._out, self._by_month, self._facts = out, by_month, dict(facts)
        self._tables = {table.name: table for table in tables}
        self._files: dict[tuple[str, str], _File] = {}
        self._lock = -1

    def __enter__(self) -> ParquetSampleFolder:
        with self._translated():
            self._out.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._out, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            self._unlock()
            raise FolderBusy(self._out) from exc
        try:
            self._refuse_others_files()
            with self._translated():
                shutil.rmtree(self._aside, ignore_errors=True)
                self._aside.mkdir()
        except BaseException:
            self._unlock()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.abandon()
        shutil.rmtree(self._aside, ignore_errors=True)
        self._unlock()

    def write(self, table: str, rows: Rows) -> None:
        """Add `rows`, which are sorted by the table's `ordered_by`."""
        spec = self._tables[table]
        with self._translated():
            for month, part in _by_month(spec, rows) if self._by_month and spec.by_month else [("all", rows)]:
                self._file(spec, month).add(
                    pa.table({name: arrow(part.columns[name], kind) for name, kind in spec.columns.items()})
                )

    def finish(self, *, readme: str, manifest: Mapping[str, object]) -> None:
        """Close all files and put them in place of what the folder held; the manifest comes last."""
        with self._translated():
            for table in self._tables.values():
                if not any(name == table.name for name, _ in self._files):
                    self._file(table, "all")
            for file in self._files.values():
                file.close()
            self._write_text(_MANIFEST, json.dumps({"made": True, "complete": False}))
            for name in self._tables:
                if (self._out / name).exists():
                    shutil.rmtree(self._out / name)
                (self._aside / name).rename(self._out / name)
            self._write_text("README.md", readme)
            self._write_text(_MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")

    @property
    def _aside(self) -> Path:
        return self._out / _PARTIAL

    def _file(self, table: Table, name: str) -> _File:
        key = (table.name, name)
        if key not in self._files:
            folder = self._aside / table.name
            folder.mkdir(exist_ok=True)
            self._files[key] = _File(folder / f"{name}.parquet", table, {**self._facts, "table": table.name})
        return self._files[key]

    def _refuse_others_files(self) -> None:
        held = sorted(path.name for path in self._out.iterdir() if path.name != _PARTIAL)
        if held and not _is_made(self._out / _MANIFEST):
            shown = ", ".join(held[:3]) + (" …" if len(held) > 3 else "")
            raise FolderTaken(self._out, holds=shown)

    def _write_text(self, name: str, text: str) -> None:
        (self._aside / name).write_text(text, encoding="utf-8")
        (self._aside / name).replace(self._out / name)

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise CannotWrite(self._out, exc) from exc


def _is_made(manifest: Path) -> bool:
    try:
        held = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(held, dict) and held.get("made") is True


def _by_month(table: Table, rows: Rows) -> Iterator[tuple[str, Rows]]:
    at = rows.columns[table.ordered_by]
    assert isinstance(at, np.ndarray)
    months = at.view("datetime64[us]").astype("datetime64[M]")
    starts = np.flatnonzero(np.r_[True, months[1:] != months[:-1]]) if len(months) else np.zeros(0, dtype=np.int64)
    for first, after in zip(starts, [*starts[1:], len(months)], strict=True):
        yield str(months[first]), rows.take(slice(int(first), int(after)))


class _File:
    """One Parquet file that grows by whole row groups."""

    def __init__(self, path: Path, table: Table, facts: Mapping[str, str]) -> None:
        self._path, self._table, self._facts = path, table, facts
        self._waiting: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) < ROW_GROUP:
            return
        held = pa.concat_tables(self._waiting)
        whole = len(held) - len(held) % ROW_GROUP
        for first in range(0, whole, ROW_GROUP):
            self._write(held.slice(first, ROW_GROUP))
        self._waiting = [held.slice(whole)]

    def close(self) -> None:
        rest = pa.concat_tables(self._waiting) if self._waiting else self._nothing()
        if len(rest) or self._writer is None:
            self._write(rest)
        assert self._writer is not None
        self._writer.add_key_value_metadata(dict(self._facts))
        self._writer.close()
        self._writer, self._waiting = None, []

    def abandon(self) -> None:
        if self._writer is not None:
            try:
                self._writer.close()
            except OSError:
                return  # the disk is full: the file is about to be removed anyway

    def _write(self, rows: pa.Table) -> None:
        if self._writer is None:
            texts = [name for name, kind in self._table.columns.items() if kind == "text"]
            self._writer = pq.ParquetWriter(
                self._path,
                rows.schema,
                compression="zstd",
                use_dictionary=texts[1:],  # the first is the row's own id: no two alike
                store_schema=False,  # coded text is to read back as text
            )
        self._writer.write_table(rows.combine_chunks(), row_group_size=ROW_GROUP)

    def _nothing(self) -> pa.Table:
        return pa.schema([(name, TYPES[kind]) for name, kind in self._table.columns.items()]).empty_table()
