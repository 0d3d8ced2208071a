"""The task as one range join and one aggregation in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.duckdb_peer import connect
from benchmarks.side import Job, contest
from benchmarks.windows.spans import COLUMNS, DAY, WINDOWS

if TYPE_CHECKING:
    import pyarrow as pa


def answer(job: Job) -> pa.Table:
    floors, parts = [], []
    for name, (length, hop) in WINDOWS.items():
        floors.append(f"(t - {length}) // {hop} * {hop} AS from_{name}")
        inside = f"FILTER (e.t >= from_{name})"
        parts.append(f"count(*) {inside} AS count_{name}")
        parts.append(f"CAST(coalesce(sum(amount) {inside}, 0) AS DECIMAL(38, 6)) AS sum_{name}")
        parts.append(f"CAST(max(amount) {inside} AS DECIMAL(38, 6)) AS max_{name}")
    # Joining every earlier event for the sake of recency costs less than a second join, as of.
    return (
        connect(job)
        .sql(
            f"SELECT {', '.join(COLUMNS)} FROM ("
            f"SELECT i, {', '.join(parts)}, CAST(any_value(o.t) - max(e.t) AS DOUBLE) / {float(DAY)} AS recency "
            f"FROM (SELECT *, {', '.join(floors)} FROM observation) o "
            "LEFT JOIN event e ON e.entity = o.entity AND e.t < o.t GROUP BY i) ORDER BY i"
        )
        .to_arrow_table()
    )


if __name__ == "__main__":
    contest(answer)
