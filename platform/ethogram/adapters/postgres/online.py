"""Packed online rows in PostgreSQL: COPY in, one query out for any number of views and entities."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Engine, func
from sqlalchemy.dialects.postgresql import insert

from ethogram.adapters.postgres.cursor import cursor
from ethogram.adapters.postgres.tables import materialization
from ethogram.core.online.packed import DamagedRow, Layout
from ethogram.ports import OnlineAnswers, OnlineRow


class OnlineRows:
    """Rows of every view, guarded by event time: an older value never overwrites a newer one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._layouts: dict[int, Layout] = {}
        self._ids: dict[tuple[str, Layout], int] = {}

    def layout_id(self, view: str, layout: Layout) -> int:
        """Number under which `layout` of `view` is known, made if it is new."""
        known = self._ids.get((view, layout))
        if known is not None:
            return known
        features = json.dumps(layout.features)
        with cursor(self._engine) as sql:
            sql.execute(
                "insert into online.layout (view, features, digest) values (%s, %s::jsonb, md5(%s)) "
                "on conflict (view, digest) do update set view = excluded.view returning id",
                (view, features, features),
            )
            (number,) = sql.fetchone()
        self._ids[view, layout] = number
        self._layouts[number] = layout
        return int(number)

    def layout(self, number: int) -> Layout:
        """The layout known under `number`."""
        if number not in self._layouts:
            with cursor(self._engine) as sql:
                sql.execute("select features from online.layout where id = %s", (number,))
                found = sql.fetchone()
            if found is None:
                raise DamagedRow(f"its layout {number} is gone")
            self._layouts[number] = Layout(tuple((name, kind) for name, kind in found[0]))
        return self._layouts[number]

    def write(self, view: str, layout: Layout, rows: Iterable[OnlineRow]) -> int:
        """Upsert `rows` in one transaction; how many were newer than what stood there (or equally new)."""
        number = self.layout_id(view, layout)
        with cursor(self._engine) as sql:
            sql.execute(
                "create temporary table incoming (entity_key bytea, entity bigint, at timestamptz, "
                "created_at timestamptz, packed bytea) on commit drop"
            )
            with sql.copy("copy incoming from stdin (format binary)") as copy:
                copy.set_types(["bytea", "int8", "timestamptz", "timestamptz", "bytea"])
                for row in rows:
                    copy.write_row((row.key, row.entity, row.at, row.created_at, row.packed))
            sql.execute(
                """
                insert into online.row as kept (view, entity_key, entity, at, created_at, schema, packed)
                select distinct on (entity_key) %s, entity_key, entity, at, created_at, %s, packed
                from incoming order by entity_key, at desc, created_at desc nulls last
                on conflict (view, entity_key) do update
                set entity = excluded.entity, at = excluded.at, created_at = excluded.created_at,
                    schema = excluded.schema, packed = excluded.packed
                where (excluded.at, coalesce(excluded.created_at, excluded.at))
                      >= (kept.at, coalesce(kept.created_at, kept.at))
                """,
                (view, number),
            )
            return int(sql.rowcount)

    def read(self, views: Sequence[str], keys: Sequence[bytes]) -> OnlineAnswers:
        """Time, and values by feature as they were written, by (view, key) for the rows that exist."""
        with cursor(self._engine) as sql:
            sql.execute(
                "select view, entity_key, at, schema, packed from online.row "
                "where view = any(%s) and entity_key = any(%s)",
                (list(views), list(keys)),
                binary=True,
            )
            found = sql.fetchall()
        answers: OnlineAnswers = {}
        for view, key, at, number, packed in found:
            layout = self.layout(number)
            names = (name for name, _ in layout.features)
            answers[view, bytes(key)] = (at.astimezone(UTC), dict(zip(names, layout.unpack(packed), strict=True)))
        return answers

    def drop(self, view: str) -> int:
        """Remove every row of `view`; how many there were."""
        with cursor(self._engine) as sql:
            # Its layouts stay: another process may be writing with one of them.
            sql.execute("delete from online.row where view = %s", (view,))
            return int(sql.rowcount)

    def note(self, ref: str, *, at: datetime, rows: int) -> None:
        """Remember that the view of `ref` was materialized as of `at`."""
        with self._engine.begin() as connection:
            statement = insert(materialization).values(view=ref, at=at, rows=rows)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["view", "at"], set_={"rows": rows, "done_at": func.clock_timestamp()}
                )
            )

    def count(self, view: str) -> int:
        """Rows of `view`."""
        with cursor(self._engine) as sql:
            sql.execute("select count(*) from online.row where view = %s", (view,))
            return int(sql.fetchone()[0])
