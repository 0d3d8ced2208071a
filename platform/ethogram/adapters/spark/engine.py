"""Computes signals and outcomes on Spark: SQL reads and filters, kernels compute a bucket of entities at a time.

Every engine has the same kernels, so they agree; Spark's part is to bring the events of an entity and its observations
together, wherever they are. A bucket has to fit the memory of one worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.adapters.arrow.asking import NOBODY, instants, moments, observed, since_of
from ethogram.adapters.arrow.values import INSTANT, arrow_type
from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.adapters.spark.bucket import Bucket
from ethogram.adapters.spark.errors import SparkFailed, translated
from ethogram.adapters.spark.events import Standing
from ethogram.adapters.spark.expressions import emit
from ethogram.core.outcomes.plan import OutcomePlan
from ethogram.core.signals.declaration import EVERYONE
from ethogram.core.signals.kernel.columns import Ints
from ethogram.core.signals.numbers import Overflow
from ethogram.core.signals.plan import FeaturePlan, SignalPlan, Stream
from ethogram.core.time import MICROSECOND
from ethogram.ports import TableFiles, Tiles

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

# Events and observations that one call of the kernels is meant to have.
BUCKET_ROWS = 1_000_000


class SparkEngine(DuckdbEngine):
    """The engine past one machine, for signals and outcomes; what is neither is computed here, as ever.

    Args:
        connect: Gives a session, whose master says where it works.
        here: DuckDB connections for the rest.
    """

    def __init__(
        self,
        connect: Callable[[], SparkSession],
        here: Callable[[], duckdb.DuckDBPyConnection],
        *,
        bucket_rows: int = BUCKET_ROWS,
    ) -> None:
        super().__init__(here)
        self._spark = connect
        self._bucket_rows = bucket_rows

    def features(
        self,
        plan: SignalPlan,
        observations: pa.Table,
        events: Mapping[str, TableFiles],
        tiles: Sequence[Tiles] = (),  # noqa: ARG002 - it reads the events they were made of
    ) -> pa.Table:
        """One row per observation, in the same order: `at`, `known_at`, then the plan's features."""
        entities, as_of = observed(observations)
        at, known = moments(plan, as_of)
        columns: dict[str, pa.Array] = {"at": instants(at), "known_at": instants(known)}
        if len(at):
            delay = plan.delay // MICROSECOND
            with _translated(f"signal {plan.ref}"):
                session = self._spark()
                standing = Standing(session, events, delay, int(at.max()) + delay)
                computed = [feature for feature in plan.computed if not feature.derivation]
                for stream, via in dict.fromkeys((feature.stream, feature.via) for feature in computed):
                    features = [each for each in computed if (each.stream, each.via) == (stream, via)]
                    whose = self._theirs(standing, plan.entity, features[0], entities, at)
                    named = None if via == EVERYONE else via or plan.entity
                    columns.update(self._values(standing, named, features, whose, at))
                _derive(session, plan, columns)
        fields = [pa.field("at", INSTANT), pa.field("known_at", INSTANT)]
        fields += [pa.field(f.name, arrow_type(f.type)) for f in plan.features]
        schema = pa.schema(fields)
        return pa.table([columns[field.name] for field in schema], schema=schema) if len(at) else schema.empty_table()

    def labels(self, plan: OutcomePlan, observations: pa.Table, events: Mapping[str, TableFiles]) -> pa.Table:
        """One row per observation, in the same order: `label` (bool)."""
        schema = pa.schema([pa.field("label", pa.bool_())])
        entities, as_of = observed(observations)
        if not len(as_of):
            return schema.empty_table()
        until, delay = as_of + plan.horizon // MICROSECOND, plan.matures_after // MICROSECOND
        with _translated(f"outcome {plan.name}"):
            standing = Standing(self._spark(), events, delay, int(until.max()) + delay)
            found = self._values(standing, plan.entity, [plan.happens], entities, until)
        some = pc.greater(found[plan.happens.name], 0)
        return pa.table([pc.invert(some) if plan.negate else some], schema=schema)

    def _theirs(self, standing: Standing, entity: str, feature: FeaturePlan, entities: pa.Array, at: Ints) -> pa.Array:
        """Whose events each observation looks at: its entity's, its larger unit's as far as known, or everyone's."""
        if feature.via is None:
            return entities
        if feature.via == EVERYONE:
            return pa.array(np.zeros(len(at), np.int64))
        unit = replace(feature, name="unit", aggregate="last", stream=Stream(feature.stream.behaviors), window=None)
        unit = replace(unit, property=feature.via, property_type="integer", scale=0, type="integer")
        return self._values(standing, entity, [unit], entities, at, naming=feature.via)["unit"]

    def _values(
        self,
        standing: Standing,
        entity: str | None,
        features: Sequence[FeaturePlan],
        entities: pa.Array,
        at: Ints,
        *,
        naming: str | None = None,
    ) -> dict[str, pa.Array]:
        """Values of features that share a stream, in the order of the observations."""
        session, stream = standing.session, features[0].stream
        reads = {name: kind for feature in features for name, kind in feature.reads.items()}
        reads |= stream.reconciled.reads if stream.reconciled else {}
        rows = standing.rows(
            stream, entity, columns=reads, since=since_of(features, int(at.min())), before=int(at.max()), naming=naming
        )
        asked = session.createDataFrame(
            pa.table({"i": np.arange(len(at)), "entity": entities.fill_null(NOBODY), "at": at})
        )
        size = sum(_rows(standing.tables.get(behavior)) for behavior in stream.behaviors) + len(at)
        buckets = max(session.sparkContext.defaultParallelism, -(-size // self._bucket_rows))
        session.conf.set("spark.sql.shuffle.partitions", str(buckets))
        bucket = f"pmod(hash(entity), {buckets})"
        work = Bucket(tuple(features), tuple(reads), standing.delay)

        def compute(asked: pa.Table, rows: pa.Table) -> pa.Table:
            return work.computed(asked, rows)

        fields = [pa.field("i", pa.int64()), *(pa.field(f.name, arrow_type(f.type)) for f in features)]
        found = (
            asked.selectExpr("*", f"{bucket} AS bucket")
            .groupBy("bucket")
            .cogroup(rows.selectExpr("*", f"{bucket} AS bucket").groupBy("bucket"))
            .applyInArrow(compute, _spark_schema(pa.schema(fields)))
            .toArrow()
        )
        ordered = found.take(pc.sort_indices(found["i"]))
        return {f.name: ordered[f.name].combine_chunks().cast(arrow_type(f.type)) for f in features}


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """What a worker or Spark says went wrong, in our words."""
    try:
        with translated():
            yield
    except SparkFailed as failed:
        if f"{Overflow.__module__}.{Overflow.__name__}" in str(failed.__cause__):
            raise Overflow(what) from failed
        raise


def _spark_schema(schema: pa.Schema) -> StructType:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)


def _rows(files: TableFiles | None) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in files.paths) if files else 0


def _derive(session: SparkSession, plan: SignalPlan, columns: dict[str, pa.Array]) -> None:
    """Add the derived features to `columns`, each after what it is made of, in one pass over them."""
    derived = [feature for feature in plan.computed if feature.derivation]
    if not derived:
        return
    needed = {each.name for f in derived if f.derivation for each in f.derivation.inputs} & set(columns)
    rows = pa.table({"i": np.arange(len(columns["at"]))} | {name: columns[name] for name in sorted(needed)})
    frame = session.createDataFrame(rows)
    for feature in derived:
        assert feature.derivation is not None
        sql = emit(feature.derivation.expression, feature.derivation.types, to=feature.derivation.to)
        frame = frame.selectExpr("*", f"{sql} AS `{feature.name}`")
    found = frame.toArrow()
    ordered = found.take(pc.sort_indices(found["i"]))
    for feature in derived:
        columns[feature.name] = ordered[feature.name].combine_chunks().cast(arrow_type(feature.type))
