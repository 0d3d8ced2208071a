"""The task as RANGE windows over events and observations together, in DuckDB: one sort, one frame a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.duckdb_peer import connect
from benchmarks.side import Job, contest
from benchmarks.windows.spans import COLUMNS, DAY, WINDOWS

if TYPE_CHECKING:
    import pyarrow as pa


def answer(job: Job) -> pa.Table:
    frames = ["whole AS (PARTITION BY entity ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"]
    parts = []
    for name, (length, hop) in WINDOWS.items():
        # The frame of an observation reaches to its floored tail; that of an event is empty, which costs nothing.
        reach = f"CASE WHEN i IS NULL THEN 0 ELSE t - (t - {length}) // {hop} * {hop} END"
        frames.append(f"w_{name} AS (PARTITION BY entity ORDER BY t RANGE BETWEEN ({reach}) PRECEDING AND 1 PRECEDING)")
        parts.append(f"count(amount) OVER w_{name} AS count_{name}")
        parts.append(f"CAST(coalesce(sum(amount) OVER w_{name}, 0) AS DECIMAL(38, 6)) AS sum_{name}")
        parts.append(f"CAST(max(amount) OVER w_{name} AS DECIMAL(38, 6)) AS max_{name}")
    return (
        connect(job)
        .sql(
            f"SELECT {', '.join(COLUMNS)} FROM ("
            f"SELECT i, {', '.join(parts)}, CAST(t - max(seen) OVER whole AS DOUBLE) / {float(DAY)} AS recency FROM ("
            "SELECT CAST(NULL AS BIGINT) AS i, entity, t, amount, t AS seen FROM event "
            "UNION ALL SELECT i, entity, t, NULL, NULL FROM observation"
            f") WINDOW {', '.join(frames)}) WHERE i IS NOT NULL ORDER BY i"
        )
        .to_arrow_table()
    )


if __name__ == "__main__":
    contest(answer)
