"""Rows of a database table as one Parquet file, streamed by a cursor on the server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ethogram.core.sources.declaration import SqlTable
from ethogram.core.sources.errors import RowsUnreadable
from ethogram.errors import AskedWrongly

if TYPE_CHECKING:
    from sqlalchemy import Column

ROWS_AT_ONCE = 20_000


class NoDatabaseUrl(AskedWrongly):
    """The environment does not say where the database is."""

    code = "no-database-url"

    def __init__(self, table: SqlTable) -> None:
        self.table, self.variable = table.table, table.url_env
        super().__init__(
            f"table {table.table}: {table.url_env} is not set; "
            f"set it to a SQLAlchemy URL, as {table.url_env}=postgresql+psycopg://user@host/database"
        )


def spool_table(table: SqlTable, room: Path, environment: Mapping[str, str]) -> Path:
    """Copy the table into `room`; memory does not grow with its rows.

    The URL, which may hold a password, appears in no message.
    """
    from sqlalchemy import MetaData, Table, create_engine, select
    from sqlalchemy.exc import ArgumentError, NoSuchTableError, SQLAlchemyError

    url = environment.get(table.url_env)
    if not url:
        raise NoDatabaseUrl(table)
    path = f"table {table.table}"
    copy = room / "table.parquet"
    schema_name, _, name = table.table.rpartition(".")
    try:
        engine = create_engine(url)
        try:
            found = Table(name, MetaData(), autoload_with=engine, schema=schema_name or None)
            schema = pa.schema([(column.name, _arrow(column)) for column in found.columns])
            keys = list(found.primary_key.columns)
            with engine.connect() as connection, pq.ParquetWriter(copy, schema, compression="zstd") as writer:
                streaming = connection.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE)
                for part in streaming.execute(select(found).order_by(*keys)).partitions():
                    columns = [list(column) for column in zip(*part, strict=True)]
                    writer.write_table(
                        pa.table([_array(c, f) for c, f in zip(columns, schema, strict=True)], schema=schema)
                    )
        finally:
            engine.dispose()
    except ArgumentError as error:
        raise RowsUnreadable(path, f"{table.url_env} is no SQLAlchemy URL", next_step="correct it") from error
    except NoSuchTableError as error:
        raise RowsUnreadable(path, "the database has no such table", next_step="correct its name") from error
    except (SQLAlchemyError, pa.ArrowException) as error:
        said = str(getattr(error, "orig", None) or type(error).__name__).split("\n")[0]
        raise RowsUnreadable(path, f"cannot be read ({said})", next_step="check the server and your rights") from error
    return copy


def _arrow(column: Column[Any]) -> pa.DataType:
    from sqlalchemy import types

    match column.type:
        case types.Boolean():
            return pa.bool_()
        case types.Integer():
            return pa.int64()
        case types.Float():
            return pa.float64()
        case types.Numeric() as kind if kind.scale is not None:
            return pa.decimal128(20 + min(kind.scale, 18), min(kind.scale, 18))
        case types.Numeric():
            return pa.string()
        case types.DateTime() as kind:
            return pa.timestamp("us", "UTC" if kind.timezone else None)
        case types.Date():
            return pa.date32()
    return pa.string()


def _array(values: list[Any], field: pa.Field) -> pa.Array:
    if pa.types.is_string(field.type):
        values = [None if each is None else str(each) for each in values]
    return pa.array(values, field.type)
