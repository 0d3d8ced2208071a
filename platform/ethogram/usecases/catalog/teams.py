"""Teams, what they publish, and what they agreed with each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ethogram.core.catalog import Declaration
from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.figures import text, texts
from ethogram.usecases.catalog.signals import READS_SINCE, State

RENEW_WITHIN_DAYS = 30


@dataclass(frozen=True, slots=True)
class TeamView:
    name: str
    brief: str
    principals: tuple[str, ...]
    reviewers: tuple[str, ...]
    owns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AgreementView:
    """Consumer may read assets of provider: (kind, name of its page, own name) each; `reads` is the last week's."""

    name: str
    provider: str
    consumer: str
    assets: tuple[tuple[str, str, str], ...]
    features: tuple[str, ...]
    purposes: tuple[str, ...]
    starts: date | None
    ends: date | None
    approved_by: str
    reads: int
    state: State


@dataclass(frozen=True, slots=True)
class TeamsView:
    teams: tuple[TeamView, ...]
    agreements: tuple[AgreementView, ...]
    purposes: tuple[tuple[str, str, str, int], ...]


def teams(reader: CatalogReader, *, now: datetime) -> TeamsView:
    """Every team, agreement and purpose, with how many entities refuse each purpose."""
    declared = reader.declarations()
    refused = reader.opted_out()
    return TeamsView(
        teams=tuple(
            TeamView(
                d.name,
                text(d.body, "brief"),
                texts(d.body, "principals"),
                texts(d.body, "reviewers"),
                tuple((o.kind, o.name) for o in declared if o.owner == d.name and o.kind in _OWNED),
            )
            for d in declared
            if d.kind == "team"
        ),
        agreements=tuple(agreements(reader, declared, now=now)),
        purposes=tuple(
            (d.name, text(d.body, "brief"), text(d.body, "basis", "opt_out"), refused.get(d.name, 0))
            for d in declared
            if d.kind == "purpose"
        ),
    )


_OWNED = {"source", "signal", "outcome", "model"}


def agreements(reader: CatalogReader, declared: list[Declaration], *, now: datetime) -> list[AgreementView]:
    """Every agreement, with where it stands today."""
    reads: dict[tuple[str, str], int] = {}
    for read in reader.reads(since=now - READS_SINCE):
        asset = read.asset.partition("@")[0]
        reads[read.team, asset] = reads.get((read.team, asset), 0) + read.reads
    found = []
    for item in declared:
        if item.kind != "agreement":
            continue
        starts, ends = _day(text(item.body, "starts")), _day(text(item.body, "ends"))
        consumer, approved = text(item.body, "consumer"), text(item.body, "approved_by")
        provider, assets = text(item.body, "provider", item.owner), texts(item.body, "assets")
        found.append(
            AgreementView(
                item.name,
                provider,
                consumer,
                tuple(_asset(asset, declared) for asset in assets),
                texts(item.body, "features"),
                texts(item.body, "purposes"),
                starts,
                ends,
                approved,
                sum(reads.get((consumer, asset), 0) for asset in assets),
                _state(provider, approved, starts, ends, now.date()),
            )
        )
    return found


def _asset(name: str, declared: list[Declaration]) -> tuple[str, str, str]:
    """A signal, or the model whose scores the asset is: `lapse_score` is of lapse."""
    model = name.removesuffix("_score")
    if model != name and any((d.kind, d.name) == ("model", model) for d in declared):
        return "model", model, name
    known = any(d.kind == "signal" and d.name.partition("@")[0] == name for d in declared)
    return "signal" if known else "asset", name, name


def _state(provider: str, approved_by: str, starts: date | None, ends: date | None, today: date) -> State:
    if not approved_by:
        return State("asked", "warn", f"waits for the approval of {provider}")
    if ends and today > ends:
        return State("ended", "bad", f"ended on {ends}")
    if starts and today < starts:
        return State("to come", "plain", f"starts on {starts}")
    if ends and (ends - today).days <= RENEW_WITHIN_DAYS:
        return State("renew", "warn", f"ends in {(ends - today).days} days")
    return State("in force", "good", f"approved by {approved_by}")


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
