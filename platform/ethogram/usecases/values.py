"""A view's values as of any instants: signals computed from events, scores read from what was published."""

from __future__ import annotations

import pyarrow as pa

from ethogram.core import time
from ethogram.core.models.score_contract import ScoreContract
from ethogram.core.signals.plan import SignalPlan
from ethogram.core.signals.view import View
from ethogram.core.training_sets import Beside
from ethogram.ports import Engine, Lake, TableFiles, TileLedger
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
    found = scores_as_of(_scores(lake.files(table)), observations, contract=contract)
    return found.add_column(0, "at", observations.column("as_of"))


class PublishedScore:
    """A score as it was published up to now: keeps `ports.Joined`."""

    def __init__(self, table: str, *, view: View, contract: ScoreContract, lake: Lake) -> None:
        self._files, self._contract = lake.files(table), contract
        self.entity = view.entity
        spell = f", valid for {time.spell(contract.valid_for)}"
        state = f"{table} version {self._files.version}{spell}"
        self.about = Beside(view.ref, view.asset, tuple(name for name, _ in view.features), state)

    def values(self, observations: pa.Table) -> pa.Table:
        """`score` and `band` of each observation: the newest at or before it, while it is valid."""
        return scores_as_of(_scores(self._files), observations, contract=self._contract)


def _scores(files: TableFiles) -> pa.Table:
    if files.schema is None:
        return SCHEMA.empty_table()
    import pyarrow.dataset as ds  # brings pandas, half a second

    return ds.dataset(list(files.paths), schema=SCHEMA).to_table()
