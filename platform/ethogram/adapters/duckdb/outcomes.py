"""An outcome as DuckDB SQL: how many of its events an observation's horizon holds."""

from __future__ import annotations

from collections.abc import Mapping

from ethogram.adapters.duckdb.spans import Grid, Reach, event_rows
from ethogram.core.outcomes.plan import OutcomePlan
from ethogram.core.time import MICROSECOND
from ethogram.ports import TableFiles


def emit_labels(plan: OutcomePlan, events: Mapping[str, TableFiles], grid: Grid, reach: Reach) -> str:
    """SQL that gives `i` and `label` for every row of `observation`, in the order of `i`.

    An event is in the horizon of every `as_of` in (occurred - horizon, occurred], and counts if it is known when the
    label is ripe: `as_of` >= available - horizon - matures_after.
    """
    horizon, matures = plan.horizon // MICROSECOND, plan.matures_after // MICROSECOND
    tables = {behavior: events[behavior] for behavior in plan.behaviors if behavior in events}
    rows = event_rows(tables, plan.entity, where=plan.where, columns={}, reach=reach)
    starts = grid.snap(f"greatest(occurred - {horizon - 1}, available - {horizon + matures})")
    ends = grid.snap("occurred + 1")
    happens = "= 0" if plan.negate else "> 0"
    return f"""WITH span AS MATERIALIZED (
  SELECT entity, {starts} AS starts, {ends} AS ends, count(*) AS n FROM ({rows}) GROUP BY ALL
), step AS (
  SELECT CAST(NULL AS BIGINT) AS i, entity, starts AS instant, n FROM span WHERE starts < ends
  UNION ALL SELECT NULL, entity, ends, -n FROM span WHERE starts < ends
  UNION ALL SELECT i, entity, instant, 0 FROM observation
), running AS (
  SELECT i, sum(n) OVER (PARTITION BY entity ORDER BY instant) AS n FROM step
)
SELECT i, n {happens} AS label FROM running WHERE i IS NOT NULL ORDER BY i"""
