"""What pages conclude from rows; a reader in memory stands for the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core import catalog as rows
from ethogram.core.models.promotion import AliasMove, Approval, ModelVersion
from ethogram.usecases import catalog
from ethogram.usecases.catalog.changes import group
from ethogram.usecases.catalog.lineage import lineage

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Rows:
    """A store in memory; each answer is what its list holds."""

    declared: list[rows.Declaration] = field(default_factory=list)
    ledger: list[rows.Change] = field(default_factory=list)
    seen: list[rows.Week] = field(default_factory=list)
    runs: list[rows.SourceRun] = field(default_factory=list)
    units: list[rows.SourceUnit] = field(default_factory=list)
    values: list[rows.FeatureProfile] = field(default_factory=list)
    sets: list[rows.TrainingSetRow] = field(default_factory=list)
    versions: list[ModelVersion] = field(default_factory=list)
    gates: list[rows.GateResult] = field(default_factory=list)
    decided: list[Approval] = field(default_factory=list)
    moved: list[AliasMove] = field(default_factory=list)
    online: list[rows.Materialization] = field(default_factory=list)
    read: list[rows.Reads] = field(default_factory=list)
    kept: list[rows.QuarantineReason] = field(default_factory=list)
    scored: list[rows.ScoreRun] = field(default_factory=list)

    def declarations(self, kind: str | None = None) -> list[rows.Declaration]:
        return [d for d in self.declared if kind in (None, d.kind)]

    def changes(self, *, limit: int, before: int | None = None) -> list[rows.Change]:
        return [c for c in self.ledger if before is None or c.seq < before][:limit]

    def entities(self) -> Mapping[str, int]:
        return {"customer": 10}

    def opted_out(self) -> Mapping[str, int]:
        return {}

    def weeks(self, behavior: str | None = None) -> list[rows.Week]:
        return [w for w in self.seen if behavior in (None, w.behavior)]

    def source_runs(self, source: str | None = None) -> list[rows.SourceRun]:
        return [r for r in self.runs if source in (None, r.source)]

    def made(self) -> float:
        return 0.0

    def source_units(self, source: str | None = None) -> list[rows.SourceUnit]:
        return [u for u in self.units if source in (None, u.source)]

    def quarantine(self, source: str) -> list[rows.QuarantineReason]:
        return [q for q in self.kept if q.source == source]

    def profiled(self) -> Mapping[str, datetime]:
        return {p.signal: p.as_of for p in self.values}

    def profiles(self, signal: str) -> list[rows.FeatureProfile]:
        return [p for p in self.values if p.signal == signal]

    def training_sets(self, outcome: str | None = None) -> list[rows.TrainingSetRow]:
        return [m for m in self.sets if outcome in (None, m.outcome)]

    def model_versions(self, model: str | None = None) -> list[ModelVersion]:
        return [v for v in self.versions if model in (None, v.model)]

    def gate_results(self, model: str | None = None) -> list[rows.GateResult]:
        return [g for g in self.gates if model in (None, g.model)]

    def approvals(self, model: str | None = None) -> list[Approval]:
        return [a for a in self.decided if model in (None, a.model)]

    def alias_moves(self, model: str | None = None) -> list[AliasMove]:
        return [m for m in self.moved if model in (None, m.model)]

    def score_runs(self, model: str | None = None) -> list[rows.ScoreRun]:
        return [s for s in self.scored if model in (None, s.model)]

    def materializations(self) -> list[rows.Materialization]:
        return self.online

    def reads(self, *, since: datetime) -> list[rows.Reads]:
        return [r for r in self.read if r.last_at >= since]


def declared(kind: str, name: str, **body: Any) -> rows.Declaration:
    return rows.Declaration(kind, name, body.pop("owner", "growth"), body, "d", "f.py:1", NOW, "ci")


def version(number: int, *, digest: str = "d1") -> ModelVersion:
    return ModelVersion("lapse", number, digest, "risk.modeller", "r", "o/1", "logistic", NOW, {}, {})


def gate(verdict: str, *, digest: str = "d1") -> rows.GateResult:
    return rows.GateResult("lapse", 1, "calibrated", digest, verdict, "", NOW)


def approval(principal: str, decision: str = "approve", *, digest: str = "d1") -> Approval:
    return Approval("lapse", 1, "champion", digest, principal, decision, "", NOW)


RULES = [
    declared("team", "risk", reviewers=["risk.lead", "risk.modeller"]),
    declared("team", "board", reviewers=["board.chair"]),
    declared("policy", "aliases", aliases={"champion": {"reviewers": {"medium": ["owner"], "high": ["board"]}}}),
]


def state_of(*, risk: str = "medium", **store: Any) -> str:
    model = declared("model", "lapse", owner="risk", risk=risk)
    (view,) = catalog.model(Rows(declared=[*RULES, model], versions=[version(1)], **store), "lapse").versions
    return view.state.word


def test_a_version_is_in_the_state_that_its_gates_approvals_and_aliases_give_it():
    passed = [gate("pass")]
    assert state_of() == "registered"
    assert state_of(gates=passed) == "approve"
    assert state_of(gates=passed, decided=[approval("risk.lead")]) == "approved"
    assert state_of(gates=passed, decided=[approval("risk.lead", "reject"), approval("risk.lead")]) == "rejected"
    moved = [AliasMove("lapse", "champion", 1, "d1", "risk.lead", NOW)]
    assert state_of(gates=passed, moved=moved) == "@champion"
    assert state_of(gates=passed, moved=[replace(moved[0], version=None), *moved]) == "approve"


@pytest.mark.parametrize("verdict", ["fail", "unknown"])
def test_a_gate_that_did_not_pass_blocks_whoever_approved(verdict: str):
    assert state_of(gates=[gate(verdict)], decided=[approval("risk.lead")]) == "blocked"


def test_only_a_reviewer_of_the_models_risk_tier_counts():
    assert state_of(gates=[gate("pass")], decided=[approval("growth.lead")]) == "approve"
    assert state_of(gates=[gate("pass")], decided=[approval("risk.lead")], risk="high") == "approve"
    assert state_of(gates=[gate("pass")], decided=[approval("board.chair")], risk="high") == "approved"


def test_gates_and_approvals_of_other_bytes_and_of_the_author_count_for_nothing():
    assert state_of(gates=[gate("pass", digest="d0")]) == "blocked"
    assert state_of(gates=[gate("pass")], decided=[approval("risk.lead", digest="d0")]) == "approve"
    assert state_of(gates=[gate("pass")], decided=[approval("risk.modeller")]) == "approve"


def test_a_model_page_shows_the_version_asked_for_else_the_champion_else_the_newest():
    store = Rows(versions=[version(3), version(2), version(1)])
    assert catalog.model(store, "lapse").shown.version == 3
    store.moved = [AliasMove("lapse", "champion", 2, "d1", "risk.lead", NOW)]
    assert catalog.model(store, "lapse").shown.version == 2
    assert catalog.model(store, "lapse", version=1).shown.version == 1
    with pytest.raises(catalog.NotInCatalog, match="lapse 9"):
        catalog.model(store, "lapse", version=9)


def test_a_model_page_names_the_signal_of_each_input_and_keeps_its_history():
    body = {"features": [{"name": "spend_90d"}, {"name": "purchases_7d"}]}
    signal = rows.Declaration("signal", "rhythm@4", "growth", body, "d", "f.py:1", NOW, "me")
    report = {
        "signals": ["rhythm@4"],
        "importance": [{"feature": "spend_90d", "added_loss": 0.2}, {"feature": "elsewhere", "added_loss": 0.1}],
    }
    move = AliasMove("lapse", "champion", 1, "d1", "risk.lead", NOW)
    store = Rows([signal], versions=[replace(version(1), report=report)], moved=[move])
    shown = catalog.model(store, "lapse")
    assert shown.importance == (("spend_90d", "rhythm@4", 0.2), ("elsewhere", "", 0.1))
    assert shown.moves == (move,)


def test_a_training_set_page_lists_features_as_their_signal_declares_them():
    body = {"features": [{"name": "spend_90d"}, {"name": "days_since_purchase"}]}
    signal = rows.Declaration("signal", "rhythm@4", "growth", body, "d", "f.py:1", NOW, "me")
    report = {"features": {"other": {}, "days_since_purchase": {}, "spend_90d": {}}}
    request = {
        "signals": ["rhythm@4"],
        "outcome": "o",
        "digest": "x",
        "end": "2026-05-01T00:00:00+00:00",
        "start": "2026",
    }
    store = Rows([signal], sets=[rows.TrainingSetRow("o/1", "o", "p", NOW, "me", request, report)])
    shown = catalog.training_set(store, "o/1")
    assert [(f.name, f.signal) for f in shown.features] == [
        ("spend_90d", "rhythm@4"),
        ("days_since_purchase", "rhythm@4"),
        ("other", ""),
    ]
    assert shown.request == (("start", "2026"), ("end", "2026-05-01"), ("digest", "x"))


def test_one_name_changed_twice_is_told_once():
    said = [rows.Change(seq, NOW, "me", "create", "model lapse", "", "h") for seq in (2, 1)]
    (told,) = group(said)
    assert (told.names, told.first_seq, told.last_seq) == (("lapse",), 1, 2)


def histogram(at: int) -> dict[str, Any]:
    return {"edges": list(range(31)), "counts": [1000 if abs(i - at) < 4 else 10 for i in range(30)]}


def profile(at: int, **more: Any) -> dict[str, Any]:
    return {
        "count": 7000,
        "null_share": 0.0,
        "quantiles": {"p01": 0, "p50": at, "p99": 30},
        "histogram": histogram(at),
    } | more


def weekly(*profiles: dict[str, Any]) -> Rows:
    """A store with one feature and its profiles, the last one of now."""
    feature = {"name": "spend_90d", "aggregate": "sum", "behaviors": ["commerce.purchase"]}
    values = [
        rows.FeatureProfile("rhythm@1", "spend_90d", NOW - timedelta(weeks=len(profiles) - 1 - i), each)
        for i, each in enumerate(profiles)
    ]
    return Rows(declared=[declared("signal", "rhythm@1", entity="customer", features=[feature])], values=values)


def feature_state(*profiles: dict[str, Any]) -> str:
    return catalog.signal(weekly(*profiles), "rhythm", now=NOW).features[0].state.word


def test_a_feature_is_in_the_state_that_its_values_give_it():
    assert feature_state() == "no values"
    assert feature_state(profile(10)) == "seen"
    assert feature_state(profile(10), profile(10)) == "steady"
    assert feature_state(profile(10), profile(20)) == "drifting"
    assert feature_state(profile(10, null_share=1.0, histogram=None)) == "all null"
    assert feature_state(profile(10, quantiles={"p01": 3, "p99": 3})) == "constant"
    assert feature_state(profile(10), profile(10, histogram=None)) == "seen"


def test_drift_is_measured_against_the_earliest_week_and_not_against_the_one_before():
    assert feature_state(profile(10), profile(20), profile(20)) == "drifting"
    assert feature_state(profile(10), profile(20), profile(10)) == "steady"
    shown = catalog.signal(weekly(*[profile(10)] * 11, profile(20)), "rhythm", now=NOW).distribution
    assert shown is not None
    assert shown.drift is not None
    assert (shown.as_of, shown.drift.since, shown.drift.weeks) == (NOW, NOW - timedelta(weeks=11), 11)
    assert shown.drift.above


def test_a_week_without_values_is_nothing_to_compare_with():
    empty = profile(10, histogram=None, null_share=1.0)
    assert feature_state(empty, profile(20)) == "seen"
    shown = catalog.signal(weekly(empty, profile(10), profile(10)), "rhythm", now=NOW).distribution
    assert shown is not None
    assert shown.drift is not None
    assert shown.drift.weeks == 1


def test_a_training_set_of_fewer_entities_says_nothing_of_drift_but_stays_in_the_lineage():
    store = weekly(profile(10), profile(10))
    report = {"features": {"spend_90d": profile(20)}}
    store.sets = [rows.TrainingSetRow("o/1", "o", "p", NOW, "me", {"signals": ["rhythm"]}, report)]
    found = catalog.signal(store, "rhythm", now=NOW)
    assert found.features[0].state.word == "steady"
    assert found.training_sets == ("o/1",)
    assert ("training set", "o/1") in {node.key for column in found.lineage.columns for node in column}


def test_a_signal_is_found_by_name_at_its_newest_version_counting_as_numbers_do():
    store = Rows(declared=[declared("signal", f"rhythm@{n}") for n in (9, 10)])
    assert catalog.signal(store, "rhythm", now=NOW).summary.version == 10
    assert catalog.signal(store, "rhythm@9", now=NOW).summary.newest is False
    with pytest.raises(catalog.NotInCatalog, match="did you mean rhythm"):
        catalog.signal(store, "rythm", now=NOW)


def test_a_behaviors_tone_comes_from_outcomes_and_from_what_it_takes_back():
    store = Rows(
        declared=[
            declared("behavior", "commerce.purchase"),
            declared("behavior", "commerce.refund", reverses="commerce.purchase"),
            declared("behavior", "learning.withdrawn"),
            declared("behavior", "engagement.search"),
            declared("behavior", "support.call"),
            declared("outcome", "lapsed", happens={"kind": "absence", "behaviors": ["commerce.purchase"]}),
            declared("outcome", "idle", happens={"kind": "absence", "behaviors": ["engagement.*"]}),
            declared("outcome", "left", happens={"kind": "occurrence", "behaviors": ["learning.withdrawn"]}),
        ]
    )
    assert {b.id: b.tone for b in catalog.taxonomy(store).behaviors} == {
        "commerce.purchase": "wanted",
        "commerce.refund": "harm",
        "engagement.search": "wanted",
        "learning.withdrawn": "harm",
        "support.call": "plain",
    }


def test_events_of_a_behavior_that_nobody_declares_any_more_are_still_told():
    store = Rows(seen=[rows.Week("old.thing", NOW, 5)])
    assert [(b.id, b.events) for b in catalog.overview(store, now=NOW).behaviors] == [("old.thing", 5)]


def test_a_models_change_names_the_version_and_the_act():
    def change(action: str, subject: str, version: str = "") -> str:
        (told,) = group([rows.Change(1, NOW, "risk.lead", action, subject, version, "h")])
        return f"{told.action} {told.kind} {told.names[0]}"

    assert change("model.register", "model lapse", "3") == "register model lapse 3"
    assert change("alias.move", "model lapse", "3") == "promote model lapse 3"
    assert change("training_set.made", "training_set lapsed_90d/9f2c41") == "make training set lapsed_90d/9f2c41"
    assert change("create", "behavior commerce.purchase") == "create behavior commerce.purchase"


def test_changes_made_together_are_told_as_one_and_none_is_lost():
    def change(seq: int, subject: str, at: datetime, principal: str = "ci") -> rows.Change:
        return rows.Change(seq, at, principal, "create", subject, "", "h")

    ledger = [
        change(5, "behavior c", NOW),
        change(4, "behavior b", NOW - timedelta(seconds=1)),
        change(3, "behavior a", NOW - timedelta(seconds=2), "risk.lead"),
        change(2, "signal s@1", NOW - timedelta(seconds=3)),
        change(1, "signal r@1", NOW - timedelta(hours=1)),
    ]
    told = group(ledger)
    assert [(g.names, g.first_seq, g.last_seq) for g in told] == [
        (("c", "b"), 4, 5),
        (("a",), 3, 3),
        (("s@1",), 2, 2),
        (("r@1",), 1, 1),
    ]
    assert catalog.changes(Rows(ledger=ledger), limit=2).before == 4
    assert catalog.changes(Rows(ledger=ledger), limit=5).before is None


def test_an_agreement_asks_for_attention_when_it_waits_ends_soon_or_has_ended():
    def agreement(
        name: str, ends: str, approved_by: str = "growth.lead", starts: str = "2026-01-01"
    ) -> rows.Declaration:
        return declared(
            "agreement",
            name,
            provider="growth",
            consumer="risk",
            assets=["rhythm"],
            starts=starts,
            ends=ends,
            approved_by=approved_by,
        )

    store = Rows(
        declared=[
            agreement("asked", "2027-12-31", approved_by=""),
            agreement("ended", "2026-11-22"),
            agreement("last-day", "2026-11-23"),
            agreement("long", "2027-12-31"),
            agreement("to-come", "2027-12-31", starts="2027-01-01"),
        ],
        read=[rows.Reads("rhythm@1", "risk", "p", "compliant", "lookup", 7, 0, NOW, None)],
    )
    states = {a.name: (a.state.word, a.reads) for a in catalog.teams(store, now=NOW).agreements}
    assert states == {
        "asked": ("asked", 7),
        "ended": ("ended", 7),
        "last-day": ("renew", 7),
        "long": ("in force", 7),
        "to-come": ("to come", 7),
    }
    assert [a.name for a in catalog.overview(store, now=NOW).agreements] == ["asked", "ended", "last-day"]


def test_a_column_of_lineage_that_is_too_long_says_how_much_it_left_out():
    focus = ("signal", "rhythm@1")
    direct = [(focus, ("training set", f"o/{n}")) for n in range(9)]
    graph = lineage(focus, direct, most=6)
    assert [node.label for node in graph.columns[1]] == ["o/0", "o/1", "o/2", "o/3", "o/4", "4 more"]
    assert len(graph.edges) == 6


def test_lineage_holds_what_leads_to_and_from_the_thing_and_no_cousin():
    a, b = ("behavior", "a"), ("behavior", "b")
    one, two = ("signal", "one@1"), ("signal", "two@1")
    graph = lineage(one, [(a, one), (b, one), (b, two), (two, ("training set", "o/2")), (one, ("training set", "o/1"))])
    assert {node.key for column in graph.columns for node in column} == {a, b, one, ("training set", "o/1")}


words = st.sampled_from(["name", "count", "p50"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
BODY = [  # what declarations hold
    "brief",
    "features",
    "events",
    "happens",
    "properties",
    "aliases",
    "signals",
    "limits",
    "value",
    "deprecated",
    "starts",
]
REPORT = ["rows", "events", "figures", "curve", "features", "histogram", "quantiles", "learners", "folds", "importance"]


@given(
    body=st.dictionaries(st.sampled_from(BODY), anything, max_size=5),
    report=st.dictionaries(st.sampled_from(REPORT), anything, max_size=5),
)
def test_no_shape_of_a_stored_document_breaks_a_page(body: dict[str, Any], report: dict[str, Any]):
    kinds = ("behavior", "source", "signal", "outcome", "model", "team", "agreement", "purpose", "entity")
    store = Rows(
        declared=[declared(kind, "x@1" if kind == "signal" else "x", **body) for kind in kinds],
        units=[rows.SourceUnit("x", "u", "p", "r", NOW, report)],
        values=[rows.FeatureProfile("x@1", "f", NOW, report)],
        sets=[rows.TrainingSetRow("x/1", "x", "p", NOW, "me", body, report)],
        versions=[replace(version(1), model="x", training_set="x/1", report=report)],
    )
    catalog.overview(store, now=NOW)
    catalog.taxonomy(store)
    catalog.behavior(store, "x")
    catalog.signal(store, "x", now=NOW)
    catalog.model(store, "x")
    catalog.source(store, "x")
    catalog.outcome(store, "x")
    catalog.training_set(store, "x/1")
    catalog.teams(store, now=NOW)
    assert catalog.search(store, "x")
