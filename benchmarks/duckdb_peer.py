"""A DuckDB connection as a peer gets it: the job's threads and memory, and what both DuckDB peers of `windows` read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.side import Job

if TYPE_CHECKING:
    import duckdb


def connect(job: Job) -> duckdb.DuckDBPyConnection:
    """With views `event` (entity, t in microseconds, amount) and `observation` (i, entity, t)."""
    import duckdb

    connection = duckdb.connect(
        config={"threads": job.threads, "memory_limit": job.memory, "temp_directory": job.spill}
    )
    connection.execute("SET TimeZone = 'UTC'")
    listed = ", ".join(f"'{path}'" for path in job.events)
    connection.execute(
        "CREATE VIEW event AS SELECT customer AS entity, epoch_us(occurred_at) AS t, amount "
        f"FROM read_parquet([{listed}], hive_partitioning = false)"
    )
    if job.observations:
        connection.execute(
            "CREATE VIEW observation AS SELECT file_row_number AS i, entity, epoch_us(as_of) AS t "
            f"FROM read_parquet('{job.observations}', file_row_number = true)"
        )
    return connection
