"""Rows of the shared state as pages read them: each mirrors a table, none holds a raw key.

Versions of models, approvals and moves of aliases are those of `core.models.promotion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Declaration:
    """One applied thing; a signal's name carries its version."""

    kind: str
    name: str
    owner: str
    body: Json
    digest: str
    origin: str
    applied_at: datetime
    applied_by: str


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the hash-chained ledger."""

    seq: int
    at: datetime
    principal: str
    action: str
    subject: str
    version: str  # of a model, "" elsewhere
    hash: str


@dataclass(frozen=True, slots=True)
class Week:
    """Events of a behavior in the week that starts at `week`."""

    behavior: str
    week: datetime
    events: int


@dataclass(frozen=True, slots=True)
class SourceRun:
    run: str
    source: str
    principal: str
    started_at: datetime
    finished_at: datetime | None
    state: str
    report: Json


@dataclass(frozen=True, slots=True)
class SourceUnit:
    """A raw file that was taken in whole, with the account of its rows."""

    source: str
    unit: str
    path: str
    run: str
    done_at: datetime
    report: Json


@dataclass(frozen=True, slots=True)
class QuarantineReason:
    """Rows kept back for one reason, and the first of them."""

    source: str
    rule: str
    column: str
    message: str
    rows: int
    path: str
    row: int


@dataclass(frozen=True, slots=True)
class FeatureProfile:
    signal: str
    feature: str
    as_of: datetime
    profile: Json


@dataclass(frozen=True, slots=True)
class TrainingSetRow:
    version: str
    outcome: str
    purpose: str
    created_at: datetime
    created_by: str
    request: Json
    report: Json


@dataclass(frozen=True, slots=True)
class GateResult:
    model: str
    version: int
    gate: str
    digest: str
    verdict: str
    detail: str
    evaluated_at: datetime


@dataclass(frozen=True, slots=True)
class ScoreRun:
    run: str
    model: str
    version: int
    as_of: datetime
    principal: str
    created_at: datetime
    report: Json


@dataclass(frozen=True, slots=True)
class Materialization:
    view: str
    at: datetime
    rows: int
    done_at: datetime


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads of one asset, by name with or without version, by one team for one purpose since a given instant."""

    asset: str
    team: str
    purpose: str
    verdict: str
    how: str
    reads: int
    rows: int
    last_at: datetime
    median_s: float | None
