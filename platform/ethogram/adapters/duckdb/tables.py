"""Event tables as DuckDB reads them."""

from __future__ import annotations

from ethogram.ports import TableFiles


def text(value: str) -> str:
    """A quoted string."""
    return "'" + value.replace("'", "''") + "'"


def scan(files: TableFiles) -> str:
    """Every row of a table's version."""
    paths = ", ".join(text(path) for path in files.paths)
    return f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"


def instant(micros: int) -> str:
    """A literal instant."""
    return f"make_timestamptz({micros})"


def holds(files: TableFiles, *entities: str) -> bool:
    """Whether the table is there and its events can name all of `entities`."""
    return files.schema is not None and bool(files.paths) and {*entities} <= {*files.schema.names}
