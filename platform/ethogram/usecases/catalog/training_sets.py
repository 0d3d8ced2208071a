"""Outcomes and the training sets made for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ethogram.core.catalog import TrainingSetRow
from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.errors import NotInCatalog
from ethogram.usecases.catalog.figures import mapping, number, text, texts, whole
from ethogram.usecases.catalog.lineage import Lineage, alias_labels, edges, feature_signals, lineage


@dataclass(frozen=True, slots=True)
class TrainingSetSummary:
    version: str
    outcome: str
    purpose: str
    row: TrainingSetRow
    rows: int
    entities: int
    left_out: int
    label_rate: float | None
    noun: str
    audited: int
    ahead: tuple[str, ...]
    signals: tuple[str, ...]
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One feature's values over the whole training set; `signal` publishes it, "" where that is not known."""

    name: str
    signal: str
    null_share: float | None
    low: float | None
    median: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class TrainingSetView:
    summary: TrainingSetSummary
    request: tuple[tuple[str, str], ...]
    features: tuple[ColumnView, ...]
    lineage: Lineage


@dataclass(frozen=True, slots=True)
class OutcomeView:
    name: str
    owner: str
    brief: str
    entity: str
    kind: str
    behaviors: tuple[str, ...]
    within: str
    among: str
    matures_after: str
    origin: str
    training_sets: tuple[TrainingSetSummary, ...]
    models: tuple[str, ...]


def training_sets(reader: CatalogReader, *, outcome: str | None = None) -> tuple[TrainingSetSummary, ...]:
    """Every training set, newest first."""
    users: dict[str, list[str]] = {}
    for version in reader.model_versions():
        users.setdefault(version.training_set, []).append(f"{version.model} {version.version}")
    return tuple(_summary(row, users.get(row.version, [])) for row in reader.training_sets(outcome))


def training_set(reader: CatalogReader, version: str) -> TrainingSetView:
    """One training set by `outcome/digest`."""
    found = {item.version: item for item in training_sets(reader)}
    if version not in found:
        raise NotInCatalog("training set", version, known=list(found))
    summary = found[version]
    profiles = mapping(summary.row.report, "features")
    declared = reader.declarations()
    direct = edges(declared, reader.training_sets(), reader.model_versions())
    published = feature_signals(declared, summary.signals)
    asked = summary.row.request
    return TrainingSetView(
        summary=summary,
        request=tuple((key, _short(asked[key])) for key in _asked(asked) if asked[key] not in (None, "", [], {})),
        features=tuple(
            _column(name, published.get(name, ""), profiles[name])
            for name in (*(n for n in published if n in profiles), *sorted(profiles.keys() - published.keys()))
        ),
        lineage=lineage(("training set", version), direct, aliases=alias_labels(reader.alias_moves())),
    )


def outcome(reader: CatalogReader, name: str) -> OutcomeView:
    """One outcome, its training sets and the models that predict it."""
    declared = reader.declarations()
    found = {d.name: d for d in declared if d.kind == "outcome"}
    if name not in found:
        raise NotInCatalog("outcome", name, known=list(found))
    own = found[name]
    happens = mapping(own.body, "happens")
    return OutcomeView(
        name=name,
        owner=own.owner,
        brief=text(own.body, "brief"),
        entity=text(own.body, "entity"),
        kind=text(happens, "kind"),
        behaviors=texts(happens, "behaviors"),
        within=text(happens, "within"),
        among=text(own.body, "among"),
        matures_after=text(own.body, "matures_after", "0s"),
        origin=own.origin,
        training_sets=training_sets(reader, outcome=name),
        models=tuple(d.name for d in declared if d.kind == "model" and text(d.body, "outcome") == name),
    )


def _asked(request: Mapping[str, Any]) -> list[str]:
    """What decides the bytes and has no line of its own on the page, in the order in which one asks for it."""
    order = {name: place for place, name in enumerate(("purpose", "start", "end", "every", "coverage", "tables"))}
    return sorted(request.keys() - {"outcome", "signals"}, key=lambda name: (order.get(name, len(order)), name))


def _summary(row: TrainingSetRow, models: list[str]) -> TrainingSetSummary:
    return TrainingSetSummary(
        version=row.version,
        outcome=row.outcome,
        purpose=row.purpose,
        row=row,
        rows=whole(row.report, "rows"),
        entities=whole(row.report, "entities"),
        left_out=whole(row.report, "left_out"),
        label_rate=number(row.report, "label_rate"),
        noun=text(row.report, "noun", "entities"),
        audited=whole(row.report, "audited"),
        ahead=texts(row.report, "future_features"),
        signals=texts(row.request, "signals"),
        models=tuple(models),
    )


def _column(name: str, signal: str, profile: Any) -> ColumnView:
    return ColumnView(
        name,
        signal,
        number(profile, "null_share"),
        number(profile, "quantiles", "p05"),
        number(profile, "quantiles", "p50"),
        number(profile, "quantiles", "p95"),
    )


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value)
    return str(value).replace("T00:00:00+00:00", "")
