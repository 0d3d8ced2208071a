"""Raw keys and their surrogate ids: the one table that knows both."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from ethogram.adapters.postgres.cursor import cursor


class PostgresKeys:
    """Surrogates in `ethogram.entity_key`; keys are canonical strings ("17850", never "17850.0")."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def intern(self, entity: str, keys: pa.Array) -> pa.Array:
        """Surrogates of `keys` (strings; null stays null), made where there is none yet; one round for any number."""
        if isinstance(keys, pa.ChunkedArray):
            keys = keys.combine_chunks()
        distinct = pc.drop_null(pc.unique(keys.cast(pa.string())))
        if not len(distinct):
            return pa.nulls(len(keys), pa.int64())
        with cursor(self._engine) as sql:
            sql.execute("create temporary table wanted (n bigint, key text) on commit drop")
            with sql.copy("copy wanted from stdin") as copy:
                for n, key in enumerate(distinct.to_pylist()):
                    copy.write_row((n, key))
            sql.execute("analyze wanted")
            # Sorted, so that two ingests at once take their locks in the same order.
            sql.execute(
                "insert into ethogram.entity_key (entity, key) select %s, w.key from wanted w where not exists "
                "(select from ethogram.entity_key k where k.entity = %s and k.key = w.key) order by w.key "
                "on conflict (entity, key) do nothing",
                (entity, entity),
            )
            sql.execute(
                "select k.id from wanted w join ethogram.entity_key k on k.entity = %s and k.key = w.key order by w.n",
                (entity,),
            )
            ids = pa.array([row[0] for row in sql.fetchall()], pa.int64())
        return ids.take(pc.index_in(keys.cast(pa.string()), value_set=distinct))

    def find(self, entity: str, keys: Sequence[str]) -> list[int | None]:
        """Surrogates of `keys`; None where unknown."""
        with cursor(self._engine) as sql:
            sql.execute(
                "select key, id from ethogram.entity_key where entity = %s and key = any(%s)", (entity, list(keys))
            )
            found = dict(sql.fetchall())
        return [found.get(key) for key in keys]

    def reveal(self, entity: str, ids: Sequence[int]) -> list[str | None]:
        """Raw keys of surrogates; None where forgotten."""
        with cursor(self._engine) as sql:
            sql.execute(
                "select id, key from ethogram.entity_key where entity = %s and id = any(%s)", (entity, list(ids))
            )
            found = dict(sql.fetchall())
        return [found.get(id) for id in ids]
