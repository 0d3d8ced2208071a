"""Sessions in DuckDB: runs without a pause by lag and a running sum; those that last too long are cut one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.duckdb_peer import connect
from benchmarks.side import Job, contest

if TYPE_CHECKING:
    import pyarrow as pa

GAP = 30 * 60_000_000
LONGEST = 12 * 3_600_000_000


def answer(job: Job) -> pa.Table:
    return (
        connect(job)
        .sql(
            f"""
WITH RECURSIVE paused AS (
  SELECT entity, t, coalesce(t - lag(t) OVER one >= {GAP}, true) AS new FROM event
  WINDOW one AS (PARTITION BY entity ORDER BY t)
), numbered AS MATERIALIZED (
  SELECT entity, t, sum(CAST(new AS INTEGER)) OVER (PARTITION BY entity ORDER BY t) AS run FROM paused
), runs AS MATERIALIZED (
  SELECT entity, run, min(t) AS began, max(t) AS ended, count(*) AS events FROM numbered GROUP BY entity, run
), long AS MATERIALIZED (
  SELECT entity, run, t, began FROM numbered JOIN runs USING (entity, run) WHERE ended - began >= {LONGEST}
), cut AS (
  SELECT DISTINCT entity, run, began FROM long
  UNION ALL
  SELECT c.entity, c.run, min(l.t) FROM cut c JOIN long l ON l.entity = c.entity AND l.run = c.run
    AND l.t >= c.began + {LONGEST} GROUP BY c.entity, c.run
), parts AS (
  SELECT l.entity, c.began, max(l.t) AS ended, count(*) AS events
  FROM long l ASOF JOIN cut c ON l.entity = c.entity AND l.run = c.run AND l.t >= c.began GROUP BY l.entity, c.began
)
SELECT entity, make_timestamptz(began) AS started_at, make_timestamptz(ended) AS ended_at, events
FROM (SELECT entity, began, ended, events FROM runs WHERE ended - began < {LONGEST} UNION ALL FROM parts)
"""
        )
        .to_arrow_table()
    )


if __name__ == "__main__":
    contest(answer)
