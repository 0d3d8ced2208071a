"""How far channels can be relied on, with DuckDB: what is reconciled as signals do, over all that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from ethogram.adapters.duckdb.events import Reach, column_type, event_rows
from ethogram.adapters.duckdb.expressions import quoted
from ethogram.adapters.duckdb.standing import Standing
from ethogram.adapters.duckdb.tables import text
from ethogram.core.monitoring.channels import QUANTILES, ChannelFigures, ChannelReport
from ethogram.core.signals.plan import Stream
from ethogram.core.signals.reconciled import Reconciliation
from ethogram.core.time import MICROSECOND
from ethogram.ports import TableFiles

# The end of the year 9999, in microseconds: when everything is known.
FAR = 253_402_300_799_000_000


def channel_report(
    connection: duckdb.DuckDBPyConnection,
    rule: Reconciliation,
    stream: Stream,
    entity: str,
    compare: Mapping[str, tuple[str, int]],
    tables: Mapping[str, TableFiles],
) -> ChannelReport:
    """Figures of the channels in `rule.priority`, over the events of `stream`; properties in `compare` are held against
    each other."""
    reads = {**rule.reads, **compare}
    columns = {name: column_type(kind, scale) for name, (kind, scale) in reads.items()}
    reach = Reach(0, 2**63 - 1, None, FAR, FAR, FAR)
    rows = event_rows(Standing(connection, tables, 0, FAR), stream, entity, columns=columns, reach=reach, sort=False)
    name, listed = quoted(rule.by), ", ".join(map(text, rule.priority))
    connection.execute(
        f"CREATE TABLE said AS SELECT *, row_number() OVER () AS id, list_position([{listed}], {name}) AS place "
        f"FROM ({rows}) WHERE {name} IN ({listed})"
    )
    same = "".join(f" AND a.{quoted(each)} = b.{quoted(each)}" for each, _, _ in rule.match)
    within = rule.within // MICROSECOND
    connection.execute(
        "CREATE TABLE beside AS SELECT a.id AS one, a.place AS place, b.id AS other, b.place AS others, "
        "abs(a.occurred - b.occurred) AS apart FROM said a JOIN said b "
        f"ON a.entity = b.entity{same} AND a.place <> b.place "
        f"AND b.occurred BETWEEN a.occurred - {within} AND a.occurred + {within}"
    )
    connection.execute(
        "CREATE TABLE happening AS SELECT id, place FROM said "
        "WHERE id NOT IN (SELECT one FROM beside WHERE others < place)"
    )
    # The nearest report of each other channel.
    connection.execute(
        "CREATE TABLE pair AS SELECT one, h.place AS place, others, "
        "arg_min(other, {'apart': apart, 'id': other}) AS other FROM beside JOIN happening h ON h.id = one GROUP BY ALL"
    )
    happenings = _one(connection, "SELECT count(*) FROM happening")
    found = [_figures(connection, place, name, list(compare)) for place, name in enumerate(rule.priority, 1)]
    return ChannelReport(happenings, tuple(found))


def _figures(connection: duckdb.DuckDBPyConnection, place: int, name: str, compare: Sequence[str]) -> ChannelFigures:
    shares = ", ".join(str(each) for each in QUANTILES.values())
    ((events, delays),) = connection.execute(
        f"SELECT count(*), quantile_disc(available - occurred, [{shares}]) FROM said WHERE place = {place}"
    ).fetchall()
    first = _one(connection, f"SELECT count(*) FROM happening WHERE place = {place}")
    too = _one(connection, f"SELECT count(*) FROM pair WHERE others = {place}")
    agrees = {}
    for each in map(quoted, compare):
        ((pairs, equal),) = connection.execute(
            f"SELECT count(a.{each} = b.{each}), count(*) FILTER (a.{each} = b.{each}) FROM pair p "
            "JOIN said a ON a.id = p.one JOIN said b ON b.id = p.other "
            f"WHERE p.place = {place} OR p.others = {place}"
        ).fetchall()
        agrees[each.strip('"')] = (pairs, equal)
    delay_s = {} if delays is None else {q: each / 1e6 for q, each in zip(QUANTILES, delays, strict=True)}
    return ChannelFigures(name, events, first + too, delay_s, agrees)


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    ((found,),) = connection.execute(sql).fetchall()
    return int(found)
