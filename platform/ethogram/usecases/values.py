"""A view's values as of any instants: signals computed from events, scores read from what was published."""

from __future__ import annotations

import pyarrow as pa

from ethogram.core.models.score_contract import ScoreContract
from ethogram.core.signals.plan import SignalPlan
from ethogram.ports import Engine, Lake, TileLedger
from ethogram.usecases.backfill import current
from ethogram.usecases.score import SCHEMA, scores_as_of


def signal_values(
    plan: SignalPlan, observations: pa.Table, *, engine: Engine, lake: Lake, ledger: TileLedger
) -> pa.Table:
    """`at`, `known_at` and the features, one row per observation (`entity`, `as_of`), in the same order.

    Tiles that are current are read in place of the events inside them.
    """
    events = {behavior: lake.files(f"events/{behavior}") for behavior in plan.behaviors}
    return engine.features(plan, observations, events, current(plan, events, lake=lake, ledger=ledger))


def score_values(table: str, observations: pa.Table, *, contract: ScoreContract, lake: Lake) -> pa.Table:
    """`at`, `score` and `band`, one row per observation, in the same order; null where no score was valid yet."""
    files = lake.files(table)
    if files.schema is None:
        scores = SCHEMA.empty_table()
    else:
        import pyarrow.dataset as ds  # brings pandas, half a second

        scores = ds.dataset(list(files.paths), schema=SCHEMA).to_table()
    found = scores_as_of(scores, observations, contract=contract)
    return found.add_column(0, "at", observations.column("as_of"))
