"""Raw rows into events with DuckDB: one file at a time, out of core, every row accounted for."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ethogram.adapters.duckdb.columns import Reason, TypedColumn, typed
from ethogram.adapters.duckdb.expressions import quoted
from ethogram.adapters.duckdb.mapping import Rule, column_type, reasons_sql, row_text, value
from ethogram.adapters.duckdb.raw_files import FINER, ROW, TEXT, digest, is_made, open_raw, reading, reference_sql
from ethogram.adapters.duckdb.session import Sessions
from ethogram.adapters.sql_table import spool_table
from ethogram.core.expressions import ExpressionError, resolve
from ethogram.core.sources.declaration import Reference, SqlTable
from ethogram.core.sources.errors import MissingColumn, NoRows, RowsUnreadable
from ethogram.core.sources.plan import SourcePlan
from ethogram.core.sources.report import Account, Coverage
from ethogram.core.taxonomy import Taxonomy
from ethogram.core.time import micros
from ethogram.errors import EthogramError
from ethogram.ports import RawUnit, TableFiles

BATCH = 65_536
KEYS_AT_ONCE = 200_000
_MONTH = re.compile(r"month=(\d{4}-\d{2})")


class IngestFailed(EthogramError):
    """This machine could not do it: no memory or no disk left. The lake is as it was."""

    code = "ingest-failed"


class DuckdbRows:
    """Keeps `ports.Rows`."""

    def __init__(self, sessions: Sessions, taxonomy: Taxonomy, environment: Mapping[str, str]) -> None:
        self._sessions, self._taxonomy, self._environment = sessions, taxonomy, environment

    @contextmanager
    def units(self, plan: SourcePlan, data: Path) -> Iterator[Sequence[RawUnit]]:
        """What there is to take in, by path; a database table is copied to a file first."""
        if isinstance(plan.rows, SqlTable):
            room = self._sessions.room()
            try:
                with _own_trouble(plan.name):
                    copy = spool_table(plan.rows, room, self._environment)
                path = f"table {plan.rows.table}"
                yield [RawUnit(digest(copy, path), path, copy)]
            finally:
                shutil.rmtree(room, ignore_errors=True)
            return
        found = sorted(each for each in data.glob(plan.rows) if each.is_file()) if data.is_dir() else []
        if not found:
            raise NoRows(plan.name, plan.rows, str(data))
        paths = [each.relative_to(data).as_posix() for each in found]
        yield [RawUnit(digest(file, path), path, file, is_made(file)) for file, path in zip(found, paths, strict=True)]

    @contextmanager
    def stage(
        self, plan: SourcePlan, unit: RawUnit, *, data: Path, run: str, started_at: datetime
    ) -> Iterator[StagedUnit]:
        """Read and map one unit; what cannot be read is a `RowsUnreadable`."""
        room = self._sessions.room()
        connection = self._sessions.connect(room)
        try:
            with _own_trouble(unit.path):
                staged = StagedUnit(connection, plan, unit, self._taxonomy, room, data, run, started_at)
                yield staged
        finally:
            connection.close()
            shutil.rmtree(room, ignore_errors=True)

    def weeks(self, events: TableFiles) -> Mapping[datetime, int]:
        """Events by the Monday, UTC, of their week."""
        if not events.paths:
            return {}
        room = self._sessions.room()
        connection = self._sessions.connect(room)
        try:
            with _own_trouble(events.name):
                found = connection.execute(
                    "SELECT date_trunc('week', timezone('UTC', occurred_at)) AS week, count(*) "
                    "FROM read_parquet(?, hive_partitioning = false, union_by_name = true) GROUP BY 1 ORDER BY 1",
                    [list(events.paths)],
                ).fetchall()
        finally:
            connection.close()
            shutil.rmtree(room, ignore_errors=True)
        return {_start(week): int(n) for week, n in found}


class StagedUnit:
    """Keeps `ports.Staged`: temporary tables of one connection."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: SourcePlan,
        unit: RawUnit,
        taxonomy: Taxonomy,
        room: Path,
        data: Path,
        run: str,
        started_at: datetime,
    ) -> None:
        self._connection, self._plan, self._unit, self._run = connection, plan, unit, run
        # DuckDB would compute what two values share outside of the TRY around either, and fail there.
        connection.execute("SET disabled_optimizers = 'common_subexpressions'")
        self._taxonomy = taxonomy
        promised = None if plan.contract is None else list(plan.contract.columns)
        self._raw = open_raw(connection, unit.file, unit.path, room=room, texts=promised)
        joined = self._references(data)
        self._columns = self._typed(joined)
        self._rules = [
            Rule(
                plan,
                event,
                self._columns,
                allowed=event.behavior.channels or tuple(taxonomy.channels),
                key_types={name: taxonomy.entities[name].key_type for name in event.entities},
                arrived=micros(started_at),
            )
            for event in plan.events
        ]
        with reading(unit.path):
            self._lines()
            self._account = self._stage()

    @property
    def account(self) -> Account:
        return self._account

    def count(self, behavior: str) -> int:
        """Events of `behavior` in it, duplicates included."""
        return self._one(f"SELECT count(*) FROM ({self._union(behavior, ['event_id'])})")

    def coverage(self) -> Mapping[str, Coverage]:
        """Span of time by behavior, for behaviors with events."""
        found = {}
        for behavior in self._plan.behaviors:
            union = self._union(behavior, ["occurred_at", "available_at"])
            sql = f"SELECT min(occurred_at), max(occurred_at), max(available_at) FROM ({union})"
            first, last, known = self._row(sql)
            if first is not None:
                found[behavior] = Coverage(_utc(first), _utc(last), _utc(known))
        return found

    def keys(self, entity: str) -> Iterator[pa.Array]:
        """Distinct keys of its events, in parts that fit in memory."""
        selects = [
            f"SELECT DISTINCT k_{entity} AS key FROM event_{i} WHERE k_{entity} IS NOT NULL"
            for i, rule in enumerate(self._rules)
            if entity in rule.entities
        ]
        self._run_sql(f"CREATE OR REPLACE TEMP TABLE wanted AS {' UNION '.join(selects)}")
        self._run_sql(f"CREATE OR REPLACE TEMP TABLE number_{entity} (key VARCHAR, id BIGINT)")
        # Read by position, so that `number` can use the connection between two parts.
        total = self._one("SELECT count(*) FROM wanted")
        for start in range(0, total, KEYS_AT_ONCE):
            part = self._connection.sql(f"SELECT key FROM wanted LIMIT {KEYS_AT_ONCE} OFFSET {start}")
            yield part.to_arrow_table()["key"].combine_chunks()

    def number(self, entity: str, keys: pa.Array, ids: pa.Array) -> None:
        """Take `ids` as the surrogates of `keys`."""
        self._connection.register("numbered", pa.table({"key": keys, "id": ids}))
        self._run_sql(f"INSERT INTO number_{entity} SELECT key, id FROM numbered")
        self._connection.unregister("numbered")

    def events(self, behavior: str, existing: TableFiles) -> pa.RecordBatchReader:
        """Rows of the table that `existing` has not, sorted by month, actor, time and event."""
        declared = self._plan.behaviors[behavior]
        entities, properties = declared.entities, declared.properties.values()
        columns = ["event_id", "op", "target_id", "occurred_at", "available_at", "channel"]
        columns += [f"k_{e}" for e in entities] + [f"p_{p.name}" for p in properties]
        union = self._union(behavior, columns, once=True)
        given = {entity for rule in self._rules for entity in rule.entities if rule.event.behavior.id == behavior}
        ids = [f"n_{e}.id AS {quoted(e)}" if e in given else f"CAST(NULL AS BIGINT) AS {quoted(e)}" for e in entities]
        joins = [f"LEFT JOIN number_{e} n_{e} ON n_{e}.key = e.k_{e}" for e in entities if e in given]
        values = [
            f"timezone('UTC', e.p_{p.name}) AS {quoted(p.name)}"
            if p.type == "timestamp"
            else f"e.p_{p.name} AS {quoted(p.name)}"
            for p in properties
        ]
        items = [
            "e.event_id",
            "e.op",
            "e.target_id",
            "timezone('UTC', e.occurred_at) AS occurred_at",
            "timezone('UTC', e.available_at) AS available_at",
            "e.channel",
            f"{_text(self._plan.name)} AS source",
            f"{_text(self._run)} AS run",
            *ids,
            *values,
            "strftime(e.occurred_at, '%Y-%m') AS month",
        ]
        new = ""
        if old := self._overlapping(union, existing):
            listed = ", ".join(map(_text, old))
            # Known ones are found by streaming the table's ids past the few of this unit.
            self._run_sql(f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT event_id FROM ({union})")
            self._run_sql(
                "CREATE OR REPLACE TEMP TABLE known AS SELECT DISTINCT f.event_id FROM "
                f"read_parquet([{listed}], hive_partitioning = false) t JOIN fresh f ON t.event_id = f.event_id "
                f"WHERE t.source = {_text(self._plan.name)}"
            )
            if self._one("SELECT count(*) FROM known"):
                new = "WHERE e.event_id NOT IN (SELECT event_id FROM known)"
        sql = (
            f"SELECT {', '.join(items)} FROM ({union}) e {' '.join(joins)} {new} "
            f"ORDER BY year(e.occurred_at), month(e.occurred_at), {quoted(entities[0])}, e.occurred_at, e.event_id"
        )
        return self._connection.sql(sql).to_arrow_reader(BATCH)

    def consents(self, behavior: str, entity: str) -> pa.Table:
        """What `Consents.record` takes, from the events of a behavior that says `purpose` and `allowed`."""
        union = self._union(behavior, [f"k_{entity}", "p_purpose", "p_allowed", "occurred_at"])
        return self._connection.sql(
            f"SELECT n.id, p_purpose AS purpose, p_allowed AS allowed, timezone('UTC', occurred_at) AS changed_at "
            f"FROM ({union}) e JOIN number_{entity} n ON n.key = e.k_{entity} ORDER BY changed_at, n.id"
        ).to_arrow_table()

    def quarantined(self) -> Iterator[tuple[int, str, str]]:
        """Rows kept back: 1-based position, reasons and the raw row, both as JSON."""
        raw = ", ".join(f"{_text(name)}: CAST(r.{quoted(name)} AS VARCHAR)" for name in self._raw.types)
        reader = self._connection.sql(
            f"SELECT b.{ROW} AS position, CAST(to_json(b.reasons) AS VARCHAR) AS reasons, "
            f"CAST(to_json({{{raw}}}) AS VARCHAR) AS raw FROM bad b JOIN {self._raw.sql} r USING ({ROW}) ORDER BY 1"
        ).to_arrow_reader(BATCH)
        for batch in reader:
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    def _references(self, data: Path) -> dict[str, str]:
        """Small tables beside the rows: DuckDB's type of each column that they add."""
        added: dict[str, str] = {}
        for i, reference in enumerate(self._plan.joins):
            file = data / reference.rows
            if not file.is_file():
                raise RowsUnreadable(reference.rows, "the joined table is not there", next_step=f"put it below {data}")
            with reading(reference.rows):
                self._run_sql(f"CREATE TEMP TABLE reference_{i} AS SELECT * FROM {reference_sql(file)}")
                described = self._connection.execute(f"DESCRIBE reference_{i}").fetchall()
            types = {name: kind for name, kind, *_ in described}
            if missing := [each for each in (*reference.on, *reference.columns) if each not in types]:
                raise MissingColumn(reference.rows, missing, has=types)
            self._refuse_twice(i, reference)
            if same := [name for name in reference.columns if name in self._raw.types or name in added]:
                said = f"its column {same[0]} has the name of one that the rows have already"
                raise RowsUnreadable(
                    reference.rows, said, next_step="leave it out of columns, or rename it in the file"
                )
            added.update({name: types[name] for name in reference.columns})
        return added

    def _refuse_twice(self, i: int, reference: Reference) -> None:
        on = ", ".join(quoted(each) for each in reference.on)
        twice = self._connection.execute(
            f"SELECT {on}, count(*) AS n FROM reference_{i} GROUP BY {on} HAVING n > 1 LIMIT 1"
        ).fetchall()
        if twice:
            key = ", ".join(f"{name} {found}" for name, found in zip(reference.on, twice[0][:-1], strict=True))
            said = f"{twice[0][-1]} rows for {key}, so a row would be counted more than once"
            raise RowsUnreadable(reference.rows, said, next_step="join on columns that tell its rows apart")

    def _typed(self, joined: Mapping[str, str]) -> dict[str, TypedColumn]:
        """Every column that expressions read, in the order of the file, then the joined ones."""
        plan, raw = self._plan, self._raw
        promised = plan.contract.columns if plan.contract else {}
        needed = plan.names - joined.keys() | {on for join in plan.joins for on in join.on}
        missing = [name for name in sorted(needed) if name not in raw.types]
        missing += [n for n, c in promised.items() if c.required and n not in raw.types and n not in missing]
        if missing:
            raise MissingColumn(self._unit.path, missing, has=list(raw.types))
        found: dict[str, TypedColumn] = {}
        kinds = {name: kind for name, kind in raw.types.items() if name in needed or name in promised}
        for name, kind in {**kinds, **joined}.items():
            wanted = promised[name].type if name in promised and name not in joined else None
            finer = quoted(FINER + name) if name in raw.finer else None
            column = typed(name, kind, wanted, zone=plan.timezone, finer=finer)
            if column is not None:
                found[name] = column
            elif name in needed or name in joined:
                said = f"{name} is {kind} in the file" + (
                    f" and {wanted} in {plan.contract.path}" if wanted and plan.contract else ""
                )
                raise RowsUnreadable(self._unit.path, said, next_step="deliver it as promised, or change the contract")
        self._check(found)
        return found

    def _check(self, columns: Mapping[str, TypedColumn]) -> None:
        """The mapping against the file's own types, which a contract-less source is checked by only here."""
        types = {name: column.type for name, column in columns.items()}
        for event in self._plan.events:
            for expression in event.expressions():
                try:
                    resolve(expression, types)
                except ExpressionError as error:
                    raise RowsUnreadable(self._unit.path, str(error), next_step="mend the mapping") from error

    def _lines(self) -> None:
        """The view `line`: position, typed columns, and the row's text where ids are derived from it."""
        joins = ""
        for i, reference in enumerate(self._plan.joins):
            # As text, so that a key written as text in one table and as a number in the other is the same key.
            on = " AND ".join(
                f"CAST(r.{quoted(each)} AS VARCHAR) = CAST(j_{i}.{quoted(each)} AS VARCHAR)" for each in reference.on
            )
            joins += f" LEFT JOIN reference_{i} j_{i} ON {on}"
        added = [f"j_{i}.{quoted(name)}" for i, join in enumerate(self._plan.joins) for name in join.columns]
        text = row_text(list(self._raw.types))
        self._run_sql(
            f"CREATE TEMP VIEW wide AS SELECT {', '.join(['r.*', *added])} "
            f"FROM (SELECT *, {text} AS {TEXT} FROM {self._raw.sql}) r{joins}"
        )
        items = [ROW, TEXT, *(f"{column.sql} AS {quoted(name)}" for name, column in self._columns.items())]
        self._run_sql(f"CREATE TEMP VIEW line AS SELECT {', '.join(items)} FROM wide")

    def _stage(self) -> Account:
        rows = self._one(f"SELECT count(*) FROM {self._raw.sql}")
        ordinals = self._ordinals() if any(rule.derives_id for rule in self._rules) else None
        self._run_sql(
            f'CREATE TEMP TABLE bad ({ROW} BIGINT, reasons STRUCT("rule" VARCHAR, "column" VARCHAR, message VARCHAR)[])'
        )
        broken = [reason for column in self._columns.values() for reason in column.reasons]
        # Asked of the raw value: one that is there but of the wrong type is not missing as well.
        required = [rule for rule in self._plan.rules if rule.name == "required" and rule.column in self._raw.types]
        broken += [Reason(r.name, r.column, r.text, f"{quoted(r.column)} IS NULL") for r in required]
        found = [self._broken("wide", broken), self._broken("line", self._contract_reasons())]
        for i, rule in enumerate(self._rules):
            if rule.event.group_by:
                self._run_sql(f"CREATE TEMP TABLE taken_{i} AS {rule.lines_sql('line')}")
            else:
                ours = ordinals if rule.derives_id else None
                self._run_sql(f"CREATE TEMP TABLE taken_{i} AS {rule.events_sql('line', ours)}")
            found.append(f"SELECT {ROW}, reasons FROM taken_{i} WHERE reasons IS NOT NULL")
        self._keep_back([each for each in found if each])
        while self._group():
            pass
        return self._accounted(rows)

    def _ordinals(self) -> str | None:
        """The table of rows that look like an earlier one of the file, with their number among those; None if no row
        does. Rows that look alike meet the same rules, so only rows that will need an id are looked at."""
        taken = " OR ".join(rule.taken for rule in self._rules if rule.derives_id)
        hashed = f"(SELECT {ROW}, md5_number({TEXT}) AS h FROM line WHERE {taken})"
        self._run_sql(f"CREATE TEMP TABLE twice AS SELECT h FROM {hashed} GROUP BY h HAVING count(*) > 1")
        if not self._one("SELECT count(*) FROM twice"):
            return None
        self._run_sql(
            f"CREATE TEMP TABLE ordinal AS SELECT {ROW}, row_number() OVER (PARTITION BY h ORDER BY {ROW}) AS k "
            f"FROM {hashed} SEMI JOIN twice USING (h) QUALIFY k > 1"
        )
        return "ordinal"

    def _contract_reasons(self) -> list[Reason]:
        types = {name: column.type for name, column in self._columns.items()}
        reasons = []
        for rule in self._plan.rules:
            if rule.name == "required":
                continue
            if rule.condition is not None and rule.condition.names <= types.keys():
                found = value(rule.condition, types)
                broken = f"(NOT {found.sql} OR {found.failed})" if found.may_fail else f"NOT {found.raw}"
                reasons.append(Reason(rule.name, rule.column, rule.text, broken))
            elif rule.pattern is not None and rule.column in types:
                matched = f"regexp_matches({quoted(rule.column)}, {_text(rule.pattern)})"
                reasons.append(Reason(rule.name, rule.column, rule.text, f"NOT {matched}"))
        return reasons

    def _broken(self, table: str, reasons: Sequence[Reason]) -> str:
        if not reasons:
            return ""
        return f"SELECT * FROM (SELECT {ROW}, {reasons_sql(reasons)} AS reasons FROM {table}) WHERE reasons IS NOT NULL"

    def _keep_back(self, found: Sequence[str]) -> None:
        """Add rows to `bad`, each once with all its reasons: what is wrong with the raw row first."""
        parts = [f"SELECT {ROW}, reasons FROM bad", *found]
        union = " UNION ALL ".join(f"SELECT {ROW}, reasons, {n} AS n FROM ({part})" for n, part in enumerate(parts))
        self._run_sql(
            f"CREATE TEMP TABLE worse AS SELECT {ROW}, list_filter(r, lambda x, i: list_position(r, x) = i) AS reasons "
            f"FROM (SELECT {ROW}, flatten(list(reasons ORDER BY n)) AS r FROM ({union}) GROUP BY {ROW})"
        )
        self._run_sql("DROP TABLE bad")
        self._run_sql("ALTER TABLE worse RENAME TO bad")

    def _group(self) -> int:
        """Make the tables `event_<i>` from rows that are not bad; how many more rows turned out to be bad by it.

        A group that is no event (a sum too large, a property missing) takes all its lines with it, and they may belong
        to other rules' events too: then everything is made again without them.
        """
        failing = []
        for i, rule in enumerate(self._rules):
            good = f"(SELECT * FROM taken_{i} WHERE {ROW} NOT IN (SELECT {ROW} FROM bad))"
            if not self._one("SELECT count(*) FROM bad"):
                good = f"taken_{i}"
            if rule.event.group_by:
                self._run_sql(f"CREATE OR REPLACE TEMP TABLE group_{i} AS {rule.groups_sql(good)}")
                lines = f"{good} t JOIN group_{i} g USING (group_key)"
                failing.append(f"SELECT t.{ROW}, g.reasons FROM {lines} WHERE g.reasons IS NOT NULL")
                good = f"group_{i}"
            self._run_sql(f"CREATE OR REPLACE TEMP VIEW event_{i} AS SELECT * FROM {good} e WHERE {rule.named('e.')}")
        if not failing:
            return 0
        more = self._one(f"SELECT count(*) FROM ({' UNION ALL '.join(failing)})")
        if more:
            self._keep_back(failing)
        return more

    def _accounted(self, rows: int) -> Account:
        taken, named, local = [], [], []
        for i, rule in enumerate(self._rules):
            lines = f"SELECT {ROW}, local_time FROM taken_{i} WHERE {ROW} NOT IN (SELECT {ROW} FROM bad)"
            taken.append(f"SELECT {ROW} FROM ({lines})")
            local.append(f"SELECT local_time FROM ({lines}) WHERE local_time IS NOT NULL")
            if rule.event.group_by:
                named.append(
                    f"SELECT t.{ROW} FROM taken_{i} t JOIN event_{i} e USING (group_key) "
                    f"WHERE t.{ROW} NOT IN (SELECT {ROW} FROM bad)"
                )
            else:
                named.append(f"SELECT {ROW} FROM event_{i}")
        unique = "count(*)" if len(self._rules) == 1 else f"count(DISTINCT {ROW})"
        quarantined = self._one("SELECT count(*) FROM bad")
        matched = self._one(f"SELECT {unique} FROM ({' UNION ALL '.join(taken)})")
        mapped = self._one(f"SELECT {unique} FROM ({' UNION ALL '.join(named)})")
        ambiguous, nonexistent = (0, 0) if self._plan.timezone == "UTC" else self._odd_times(" UNION ALL ".join(local))
        return Account(
            rows=rows,
            mapped=mapped,
            anonymous=matched - mapped,
            unmapped=rows - quarantined - matched,
            quarantined=quarantined,
            ambiguous=ambiguous,
            nonexistent=nonexistent,
        )

    def _odd_times(self, local: str) -> tuple[int, int]:
        """How many local times occurred twice, and how many never, by the source's zone."""
        zone = _text(self._plan.timezone)
        back = f"timezone({zone}, timezone({zone}, t))"
        # The earlier of two instants with one local time is as much earlier as the clock was set back.
        earlier = " OR ".join(
            f"timezone({zone}, timezone({zone}, t) - INTERVAL {minutes} MINUTES) = t" for minutes in (60, 30, 120)
        )
        twice, never = self._row(
            f"SELECT coalesce(sum(n) FILTER ({back} = t AND ({earlier})), 0), coalesce(sum(n) FILTER ({back} <> t), 0) "
            f"FROM (SELECT local_time AS t, count(*) AS n FROM ({local}) GROUP BY 1)"
        )
        return int(twice), int(never)

    def _union(self, behavior: str, columns: Sequence[str], *, once: bool = False) -> str:
        """Events of `behavior` of every rule; with `once`, one for each event_id (the earliest)."""
        declared = self._plan.behaviors[behavior]
        nothing = {f"k_{entity}": "VARCHAR" for entity in declared.entities}
        nothing |= {f"p_{p.name}": column_type(p) for p in declared.properties.values()}
        selects = []
        explicit = False
        for i, rule in enumerate(self._rules):
            if rule.event.behavior.id != behavior:
                continue
            explicit = explicit or rule.event.event_id is not None
            has = {f"k_{e}" for e in rule.entities} | {f"p_{p}" for p in rule.event.properties}
            items = [
                f"CAST(NULL AS {nothing[name]}) AS {name}" if name in nothing and name not in has else name
                for name in columns
            ]
            selects.append(f"SELECT {', '.join(items)} FROM event_{i}")
        union = " UNION ALL ".join(selects)
        if once and explicit:
            order = ", ".join(name for name in columns if name != "event_id")
            return f"SELECT * FROM ({union}) QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY {order}) = 1"
        return union

    def _overlapping(self, union: str, existing: TableFiles) -> list[str]:
        """Files of the table with events of the months that this unit touches."""
        if not existing.paths:
            return []
        found = self._connection.execute(f"SELECT DISTINCT strftime(occurred_at, '%Y-%m') FROM ({union})").fetchall()
        months = {month for (month,) in found}
        return [path for path in existing.paths if (m := _MONTH.search(path)) is None or m[1] in months]

    def _run_sql(self, sql: str) -> None:
        self._connection.execute(sql)

    def _row(self, sql: str) -> tuple[Any, ...]:
        # fetchone would leave the result unfinished, and the connection in use.
        (found,) = self._connection.execute(sql).fetchall()
        return tuple(found)

    def _one(self, sql: str) -> int:
        return int(self._row(sql)[0])


@contextmanager
def _own_trouble(what: str) -> Iterator[None]:
    """DuckDB's errors that no file is to blame for, as ours."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        said = " ".join(str(error).split())[:200]
        raise IngestFailed(
            f"{what}: not enough memory or room to spill ({said}); free some and run it again"
        ) from error
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())[:300]
        full = "No space left" in said or "disk full" in said.lower()
        hint = "free some space and run it again" if full else "run it again; `ethogram doctor` checks files and disk"
        raise IngestFailed(f"{what}: {said}; nothing of it was committed; {hint}") from error


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)


def _start(value: Any) -> datetime:
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
