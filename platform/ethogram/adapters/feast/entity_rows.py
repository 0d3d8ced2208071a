"""What a retrieval is asked about: rows of keys with an instant, from a frame, a query or a range of dates."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from feast.errors import EntityTimestampInferenceException
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df

from ethogram.adapters.feast.facts import Facts, micros
from ethogram.adapters.feast.latest_join import distinct_between
from ethogram.core.latest import Ints
from ethogram.core.time import micros as micros_of
from ethogram.errors import AskedWrongly

INSTANT = pa.timestamp("us", "UTC")
EVENT_TIMESTAMP = "event_timestamp"


@dataclass(frozen=True)
class EntityRows:
    """Rows in the order asked; `when` is the column of their instants, microseconds in UTC."""

    table: pa.Table
    when: str

    @property
    def as_of(self) -> pa.Array:
        """The instants."""
        return self.table[self.when].combine_chunks()

    @property
    def micros(self) -> Ints:
        """The instants as microseconds since 1970."""
        return micros(self.as_of, what=self.when)

    def key(self, name: str, *, view: str) -> pa.ChunkedArray:
        """The column that a view joins by."""
        if name not in self.table.column_names:
            raise AskedWrongly(f"entity_df has no column {name!r}, the join key of {view}")
        return self.table[name]


def from_frame(frame: pd.DataFrame) -> EntityRows:
    """Rows of a pandas frame; naive times are UTC."""
    frame = frame.reset_index(drop=True)
    when = _when(frame)
    try:
        if frame[when].dtype == object:
            frame = frame.assign(**{when: pd.to_datetime(frame[when], utc=True)})
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError) as error:
        raise AskedWrongly(f"entity_df cannot be read: {error}") from error
    return _checked(table, when)


def from_query(query: str, *, folders: Sequence[Path]) -> EntityRows:
    """Rows of one SELECT in DuckDB's SQL, run in a database of its own.

    It sees no tables, and of the file system nothing but `folders`: Feast's offline server passes on what others send.

    Args:
        query: Names files, as in `from '~/data/labels.parquet'`.
        folders: `~` stands for the first, which is where feature_store.yaml is; files of others go by their full path.
    """
    import duckdb

    from ethogram.adapters.duckdb.session import Sessions

    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise AskedWrongly(f"entity_df is no query that DuckDB reads: {error}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise AskedWrongly("entity_df as text is one SELECT with the join keys and event_timestamp, and nothing else")
    with tempfile.TemporaryDirectory() as room, Sessions(Path(room)).connect(Path(room)) as connection:
        connection.execute(f"SET home_directory = {_quoted(folders[0])}")
        connection.execute(f"SET allowed_directories = [{', '.join(_quoted(folder) for folder in folders)}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET python_enable_replacements = false")  # our variables are no tables either
        connection.execute("SET lock_configuration = true")
        try:
            table: Any = connection.sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise AskedWrongly(f"entity_df's query failed: {error}") from error
    when = _when(table.schema.empty_table().to_pandas())
    if pa.types.is_string(table.schema.field(when).type):
        try:
            instants = pa.Array.from_pandas(pd.to_datetime(table[when].to_pandas(), utc=True))
        except ValueError as error:
            raise AskedWrongly(f"entity_df's {when} is text that is no time: {error}") from error
        table = table.set_column(table.schema.get_field_index(when), when, instants)
    return _checked(table, when)


def from_range(views: Sequence[tuple[Facts, str, dict[str, str]]], *, start: datetime, end: datetime) -> EntityRows:
    """Every distinct key and instant that the sources have rows of from `start` to `end`, both included, by time.

    Views of other keys add rows of their own, with nulls for the keys that they lack.

    Args:
        views: Each view's rows, its column of instants, and for each of its join keys the name to show.
    """
    since, until = micros_of(start), micros_of(end)
    found = []
    for facts, when, shown_as in views:
        table = distinct_between(facts, [*shown_as, when], when=when, since=since, until=until)
        found.append(table.rename_columns([*shown_as.values(), EVENT_TIMESTAMP]))
    keys = list(dict.fromkeys(key for _, _, shown_as in views for key in shown_as.values()))
    together = pa.concat_tables(found, promote_options="permissive").select([*keys, EVENT_TIMESTAMP])
    distinct = together.group_by(together.column_names, use_threads=False).aggregate([]).select(together.column_names)
    by_time = [(EVENT_TIMESTAMP, "ascending"), *((key, "ascending") for key in keys)]
    return EntityRows(distinct.sort_by(by_time), EVENT_TIMESTAMP)


def _quoted(folder: Path) -> str:
    return "'" + str(folder.resolve()).replace("'", "''") + "'"


def _when(frame: pd.DataFrame) -> str:
    try:
        return str(infer_event_timestamp_from_entity_df(dict(frame.dtypes)))
    except EntityTimestampInferenceException as error:
        raise AskedWrongly("entity_df has no column event_timestamp, nor a single other one of times") from error


def _checked(table: pa.Table, when: str) -> EntityRows:
    column = table[when]
    if missing := column.null_count:
        raise AskedWrongly(f"{when} is missing in {missing} of {len(table)} rows of entity_df")
    instants = pa.array(micros(column, what=f"entity_df's {when}"), INSTANT)
    for name in table.column_names:
        if pa.types.is_dictionary(table.schema.field(name).type):
            plain = pc.cast(table[name], table.schema.field(name).type.value_type)
            table = table.set_column(table.schema.get_field_index(name), name, plain)
    return EntityRows(table.set_column(table.schema.get_field_index(when), when, instants), when)
