"""Score a population with the version at an alias, and publish the scores for others to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from ethogram.core.models.digest import digest
from ethogram.core.models.promotion import ModelVersion
from ethogram.core.models.score_contract import ScoreContract
from ethogram.core.models.score_signal import latest, score_table
from ethogram.core.models.scorer import Scorer
from ethogram.errors import AskedWrongly
from ethogram.modeling.columns import plain_columns
from ethogram.ports import Lake, Models

SCHEMA = pa.schema(
    [
        pa.field("entity", pa.int64(), nullable=False),
        pa.field("as_of", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("band", pa.string(), nullable=False),
        pa.field("version", pa.int32(), nullable=False),
        pa.field("run", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Scored:
    """What one scoring run did.

    Attributes:
        run: Its id; the same version, instant and population give the same one.
        version: The version that scored.
        table: What was published, sorted by entity.
        bands: Rows by band.
    """

    run: str
    version: ModelVersion
    table: pa.Table
    bands: Mapping[str, int]

    def __str__(self) -> str:
        shown = " · ".join(f"{band} {rows:,}" for band, rows in self.bands.items())
        return f"{self.version.model} {self.version.version}: {self.table.num_rows:,} scores ({shown})"


class ScoredBeforeItKnew(AskedWrongly):
    """Scores asked for an instant at which the model could not have existed."""

    code = "scored-before-it-knew"

    def __init__(self, version: ModelVersion, as_of: datetime, known_from: datetime) -> None:
        self.version, self.as_of, self.known_from = version, as_of, known_from
        super().__init__(
            f"{version.model} {version.version} learned from outcomes known until {known_from:%Y-%m-%d}; scores as of "
            f"{as_of:%Y-%m-%d} would be of its own past\nnext: score as of {known_from:%Y-%m-%d} or later"
        )


def score_batch(
    model: str,
    population: pa.Table,
    *,
    contract: ScoreContract,
    principal: str,
    models: Models,
    lake: Lake,
    alias: str = "champion",
) -> Scored:
    """Score every row of `population` and append the scores to the lake; doing it again changes nothing.

    Args:
        model: Its name.
        population: `entity`, `as_of` (one instant for all), and the features of the model's signals as of then; whoever
            opted out is not in it.
        contract: Of the scores, for the bands.

    Raises:
        NoChampion: If no version is at the alias.
        ApprovalVoid: If the version's files changed since registration.
        MissingInput: If a feature is missing.
        ScoredBeforeItKnew: If the instant lies before what the model learned from was known.
    """
    version = models.at_alias(model, alias)
    instants = population.column("as_of").cast(pa.timestamp("us", "UTC")).unique().to_pylist()
    if len(instants) != 1:
        raise AskedWrongly(f"scoring {model}: {len(instants)} instants in one population; score one as_of at a time")
    as_of = instants[0].astimezone(UTC)
    known_from = datetime.fromisoformat(version.report["folds"]["cut"])
    if as_of < known_from:
        raise ScoredBeforeItKnew(version, as_of, known_from)
    ordered = population.sort_by("entity")
    scorer = Scorer.read(models.document(version))
    given = [name for name in scorer.names if name in ordered.column_names]
    values = scorer.score(plain_columns(ordered, given))
    entity = np.asarray(ordered.column("entity").to_numpy(), dtype=np.int64)
    run = digest({"digest": version.digest, "as_of": as_of.isoformat(), "who": digest(entity.tolist())})[:16]
    bands = contract.band_of(values)
    table = pa.table(
        {
            "entity": entity,
            "as_of": pa.array([as_of] * len(entity), SCHEMA.field("as_of").type),
            "score": values,
            "band": pa.array(bands.tolist(), pa.string()),
            "version": pa.array(np.full(len(entity), version.version, dtype=np.int32)),
            "run": pa.array([run] * len(entity), pa.string()),
        },
        schema=SCHEMA,
    )
    counts = {band.name: int((bands == band.name).sum()) for band in contract.bands}
    # The lake first, carrying the run; the ledger row follows and can be written again.
    lake.append(score_table(model), table.to_reader(), unit=run)
    report = {
        "rows": table.num_rows,
        "bands": counts,
        "mean": float(values.mean()) if len(values) else None,
        "alias": alias,
    }
    models.scored(
        {
            "run": run,
            "model": model,
            "version": version.version,
            "digest": version.digest,
            "as_of": as_of,
            "principal": principal,
            "report": report,
        }
    )
    return Scored(run, version, table, counts)


def scores_as_of(scores: pa.Table, observations: pa.Table, *, contract: ScoreContract) -> pa.Table:
    """The newest valid score of each observation, one row each in the same order: `score`, `band`, both null where
    none is.

    Args:
        scores: Rows of the score table.
        observations: `entity` and `as_of`.
    """
    rows = latest(
        _numbers(scores, "entity"),
        _instants(scores),
        asked_entity=_numbers(observations, "entity"),
        asked_as_of=_instants(observations),
        valid_for=contract.valid_for,
    )
    picked = pa.array([None if row < 0 else int(row) for row in rows], pa.int64())
    return scores.select(["score", "band"]).take(picked)


def _numbers(table: pa.Table, name: str) -> Any:
    return np.asarray(table.column(name).fill_null(-1).to_numpy(), dtype=np.int64)


def _instants(table: pa.Table) -> Any:
    return np.asarray(table.column("as_of").cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy(), dtype=np.int64)
