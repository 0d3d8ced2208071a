"""What a Spark worker does: the kernels over some entities' events and observations."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from ethogram.adapters.arrow.asking import counting, events_of
from ethogram.adapters.arrow.values import arrow, arrow_type
from ethogram.core.signals.kernel import evaluate
from ethogram.core.signals.kernel.reconciled import reconcile
from ethogram.core.signals.plan import FeaturePlan

_ORDER = ("entity", "occurred", "told", "event_id")


@dataclass(frozen=True)
class Bucket:
    """What a worker does with a bucket: plain values, so that it can be sent."""

    features: tuple[FeaturePlan, ...]
    columns: tuple[str, ...]
    delay: int

    def computed(self, asked: pa.Table, rows: pa.Table) -> pa.Table:
        schema = pa.schema([pa.field("i", pa.int64()), *(pa.field(f.name, arrow_type(f.type)) for f in self.features)])
        if not len(asked):
            return schema.empty_table()
        entity, at = (asked[name].to_numpy() for name in ("entity", "at"))
        events = events_of(rows.sort_by([(name, "ascending") for name in _ORDER]), self.columns)
        reconciled = self.features[0].stream.reconciled
        if reconciled:
            events = counting(reconcile(events, reconciled, self.delay))
        values = evaluate(self.features, events, entity, at, self.delay)
        made = [asked["i"].combine_chunks(), *(arrow(values[f.name], f.type) for f in self.features)]
        return pa.table(made, schema=schema)
