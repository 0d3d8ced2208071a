"""A small store as pages may meet it: two teams' signals, a model with three versions, runs, reads, a ledger."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert

from ethogram.adapters.postgres import tables

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FIRST_WEEK = datetime(2025, 12, 1, tzinfo=UTC)
WEEKS = 51
HOSTILE = "<script>alert(1)</script>\"'&"

# domain.words: (brief, noun, actor, stability, events of a usual week)
BEHAVIORS: dict[str, tuple[str, str, str, str, int]] = {
    "campaign.clicked": ("A customer followed a link in a campaign message.", "click", "customer", "stable", 310),
    "campaign.opened": ("A customer opened a campaign message.", "open", "customer", "stable", 1400),
    "campaign.unsubscribed": ("A customer left a mailing list.", "unsubscription", "customer", "stable", 6),
    "commerce.cart_add": ("A customer put a product into the basket.", "cart_add", "customer", "stable", 4200),
    "commerce.checkout_started": ("A customer began to pay.", "checkout", "customer", "development", 1500),
    "commerce.coupon_redeemed": ("A customer used a coupon.", "coupon", "customer", "stable", 95),
    "commerce.purchase": ("A customer paid for a basket.", "purchase", "customer", "stable", 1100),
    "commerce.refund": ("A customer got money back.", "refund", "customer", "stable", 60),
    "commerce.wishlist_add": ("A customer noted a product for later.", "wish", "customer", "deprecated", 0),
    "engagement.page_viewed": ("A visitor saw a page.", "page_view", "customer", "stable", 61000),
    "engagement.search": ("A visitor searched the catalogue.", "search", "customer", "stable", 5200),
    "engagement.session_started": ("A visitor came.", "visit", "customer", "stable", 14000),
    "learning.click": ("A student opened a course page.", "course_click", "student", "stable", 0),
    "learning.withdrawn": ("A student left a course.", "withdrawal", "student", "stable", 0),
    "support.call": ("A customer rang the desk.", "call", "customer", "stable", 130),
    "support.ticket_opened": ("A customer asked the desk for help.", "ticket", "customer", "stable", 210),
    "support.ticket_reopened": ("A solved ticket came back.", "reopening", "customer", "stable", 17),
}
REVERSES = {"commerce.refund": "commerce.purchase"}
FEATURES: list[tuple[str, str, str, str | None, str | None, str, float]] = [
    # name, aggregate, behavior, property, window, unit, median
    ("purchases_7d", "count", "commerce.purchase", None, "7d", "1", 0.4),
    ("purchases_30d", "count", "commerce.purchase", None, "30d", "1", 3.1),
    ("purchases_180d", "count", "commerce.purchase", None, "180d", "1", 11.0),
    ("spend_90d", "sum", "commerce.purchase", "amount", "90d", "EUR", 148.2),
    ("days_since_purchase", "recency", "commerce.purchase", None, None, "days", 17.0),
    ("refunds_180d", "count", "commerce.refund", None, "180d", "1", 0.0),
    ("purchase_amount_mean_365d", "mean", "commerce.purchase", "amount", "365d", "EUR", 41.7),
]


def fill(engine: Engine) -> None:
    """Insert everything; run on empty tables."""
    chance = random.Random(7)
    with engine.begin() as connection:

        def add(table: Any, rows: list[dict[str, Any]]) -> None:
            connection.execute(insert(table), rows)

        declarations = _declarations()
        add(tables.declaration, declarations)
        add(tables.change, _changes(declarations))
        add(tables.behavior_profile, _weeks(chance))
        add(tables.entity_key, [{"entity": "customer", "key": f"c{i}"} for i in range(400)])
        add(tables.consent, [_consent(i) for i in range(12)])
        _sources(add)
        add(tables.feature_profile, _profiles(chance))
        add(tables.materialization, [{"view": "purchase_rhythm@4", "at": NOW - timedelta(minutes=3), "rows": 380}])
        add(tables.training_set, _training_sets(chance))
        _models(add)
        add(tables.reading, _reads())


def _declared(kind: str, name: str, owner: str, body: dict[str, Any], origin: str = "") -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "owner": owner,
        "body": {"name": name, **body},
        "digest": f"{len(kind) * 7919 + len(name):016x}",
        "origin": origin or f"feature_repo/teams/{owner}/{kind}s.py:12",
        "applied_at": NOW - timedelta(days=2),
        "applied_by": "platform.ci",
    }


def _declarations() -> list[dict[str, Any]]:
    found = [
        _declared(
            "team", name, name, {"brief": brief, "principals": [f"{name}.analyst"], "reviewers": [f"{name}.lead"]}
        )
        for name, brief in (
            ("growth", "Keeps customers coming back."),
            ("risk", "Models of who leaves."),
            ("shop", "Runs web, mobile and stores."),
            ("support", "Answers customers."),
        )
    ]
    reviewers = {"low": ["owner"], "medium": ["owner"], "high": ["risk"]}
    found.append(
        _declared("policy", "aliases", "platform", {"aliases": {"champion": {"brief": "", "reviewers": reviewers}}})
    )
    for name, brief in (("churn_prevention", "Keep a customer from leaving."), ("service", "Answer a question.")):
        found.append(_declared("purpose", name, "platform", {"brief": brief, "basis": "opt_out"}))
    for name, brief in (("customer", "Somebody who buys."), ("student", "Somebody who learns.")):
        found.append(_declared("entity", name, "platform", {"brief": brief, "join_key": f"{name}_id"}))
    for id, (brief, noun, actor, stability, _) in BEHAVIORS.items():
        body = {
            "id": id,
            "brief": brief,
            "noun": noun,
            "plural": f"{noun}s",
            "actor": actor,
            "entities": [actor],
            "object": "order" if id.startswith("commerce") else "",
            "properties": {
                "amount": {
                    "type": "money",
                    "required": True,
                    "brief": "Paid, taxes included.",
                    "privacy": "behavioral",
                },
                "items": {"type": "integer", "unit": "1", "brief": "Pieces.", "privacy": "none"},
                "email": {"type": "string", "privacy": "identifying", "brief": "Where the receipt went."},
            }
            if id.startswith("commerce")
            else {},
            "channels": ["web", "mobile", "store"] if id.startswith("commerce") else [],
            "stability": stability,
            "since": "1.0",
            "deprecated": {"reason": "Wish lists ended", "replaced_by": "commerce.cart_add", "date": "2027-01-31"}
            if stability == "deprecated"
            else None,
            "reverses": REVERSES.get(id),
            "aliases": {"ga4": noun, "segment": "Order Completed"} if id == "commerce.purchase" else {},
        }
        found.append(
            _declared("behavior", id, "platform", body, f"feature_repo/taxonomy/behaviors/{id.split('.')[0]}.yaml:9")
        )
    mapped = {
        "receipts": ["commerce.purchase", "commerce.refund", "commerce.coupon_redeemed"],
        "web_events": [
            "engagement.page_viewed",
            "engagement.search",
            "engagement.session_started",
            "commerce.cart_add",
        ],
        "mailings": ["campaign.opened", "campaign.clicked", "campaign.unsubscribed"],
        "desk": ["support.ticket_opened", "support.ticket_reopened", "support.call"],
        "courses": ["learning.click"],
    }
    for name, behaviors in mapped.items():
        owner = "support" if name == "desk" else "shop"
        events = [
            {
                "behavior": b,
                "columns": {"customer": "CustomerID", "amount": "sum(Quantity * UnitPrice)"},
                "where": "Quantity > 0",
            }
            for b in behaviors
        ]
        body = {"rows": f"{name}/*.parquet", "time": "occurred", "known_after": "2h", "events": events}
        found.append(_declared("source", name, owner, body | {"contract": f"contracts/sources/{name}.yaml"}))
    for version in (3, 4):
        body = {
            "version": version,
            "entity": "customer",
            "of": "commerce.purchase",
            "brief": "How often, how recently and how regularly a customer buys, and how much of it comes back.",
            "freshness": "live",
            "delay": "0s",
            "stability": "stable",
            "features": [
                {
                    "name": name,
                    "aggregate": aggregate,
                    "behaviors": [behavior],
                    "property": property,
                    "window": window,
                    "type": "integer" if aggregate == "count" else "double",
                    "unit": "1" if unit == "EUR" else unit,
                    "property_type": "money" if property else None,
                    "where": None,
                }
                for name, aggregate, behavior, property, window, unit, _ in FEATURES
            ],
        }
        found.append(_declared("signal", f"purchase_rhythm@{version}", "growth", body))
    desk = [
        {"name": f"tickets_{w}", "aggregate": "count", "behaviors": ["support.ticket_opened"], "window": w, "unit": "1",
         "type": "integer", "where": "severity = 'high'"}
        for w in ("30d", "90d")
    ]  # fmt: skip
    brief = f"How often a customer needs help. {HOSTILE}"
    body = {"version": 1, "entity": "customer", "brief": brief, "freshness": "daily", "delay": "2h", "features": desk}
    found.append(_declared("signal", "desk_contacts@1", "support", body))
    for name, kind, behavior in (
        ("lapsed_90d", "absence", "commerce.purchase"),
        ("reopened_30d", "occurrence", "support.ticket_reopened"),
    ):
        body = {
            "entity": "customer",
            "happens": {"kind": kind, "behaviors": [behavior], "within": name.split("_")[1], "where": None},
            "among": "purchase_rhythm.purchases_180d >= 2",
            "matures_after": "1d",
            "brief": "",
        }
        found.append(_declared("outcome", name, "risk", body))
    body = {
        "outcome": "lapsed_90d",
        "signals": ["purchase_rhythm@4", "desk_contacts"],
        "intent": "Rank customers for the winback campaign, which reaches 400 a day.",
        "limits": ["Not for customers with fewer than two purchases.", "Not calibrated for store-only customers."],
        "purpose": "churn_prevention",
        "risk": "medium",
        "value": {"contact": "1.20", "saved": "38.00", "currency": "EUR", "accepts": "0.12"},
        "score": "contracts/scores/lapse.yaml",
    }
    found.append(_declared("model", "lapse", "risk", body, "registry/models/lapse.yaml:1"))
    found.append(
        _declared(
            "model", "reopen", "support", body | {"outcome": "reopened_30d", "intent": "Spot fixes that will not hold."}
        )
    )
    for provider, approved, ends in (("growth", "growth.lead", "2027-03-31"), ("support", "", "2027-06-30")):
        body = {
            "provider": provider,
            "consumer": "risk",
            "assets": ["purchase_rhythm", "lapse_score"] if provider == "growth" else ["desk_contacts", "gone"],
            "features": [],
            "purposes": ["churn_prevention"],
            "starts": "2026-01-01",
            "ends": ends,
            "approved_by": approved,
        }
        found.append(
            _declared("agreement", f"{provider}-risk", provider, body, f"contracts/agreements/{provider}-risk.yaml:1")
        )
    return found


def _changes(declarations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    told = [("platform.ci", "create", f"{d['kind']} {d['name']}", NOW - timedelta(days=2)) for d in declarations]
    told += [
        ("risk.modeller", "model.register", "model lapse 7", NOW - timedelta(days=1, hours=5)),
        ("risk.lead", "model.approve", "model lapse 7", NOW - timedelta(days=1, hours=2)),
        ("risk.lead", "alias.move", "model lapse 7", NOW - timedelta(days=1)),
        ("risk.modeller", "model.register", "model lapse 8", NOW - timedelta(hours=2)),
        ("growth.analyst", "change", "signal purchase_rhythm@4", NOW - timedelta(minutes=40)),
    ]
    return [
        {
            "seq": i,
            "at": at,
            "principal": who,
            "action": action,
            "subject": " ".join(subject.split()[:2]),
            "body": {"version": int(subject.split()[2])} if subject.startswith("model lapse ") else {},
            "previous": f"{i - 1:064x}",
            "hash": f"{i:064x}",
        }
        for i, (who, action, subject, at) in enumerate(told, start=1)
    ]


def _weeks(chance: random.Random) -> list[dict[str, Any]]:
    rows = []
    for id, (*_, usual) in BEHAVIORS.items():
        for week in range(WEEKS):
            season = 1 + 0.35 * math.sin(week / 51 * 2 * math.pi + 2)
            outage = 0.25 if week == 44 and id.split(".")[0] in {"commerce", "engagement"} else 1.0
            trouble = 2.5 if week in {44, 45} and id.startswith("support") else 1.0
            events = round(usual * season * outage * trouble * chance.uniform(0.85, 1.15))
            if events:
                rows.append({"behavior": id, "week": FIRST_WEEK + timedelta(weeks=week), "events": events})
    return rows


def _consent(i: int) -> dict[str, Any]:
    return {
        "entity": "customer",
        "id": i + 1,
        "purpose": "churn_prevention",
        "allowed": i % 4 == 3,
        "changed_at": NOW - timedelta(days=i),
        "recorded_by": "shop.ingest",
    }


def _sources(add: Any) -> None:
    runs, units, kept = [], [], []
    for i, (name, rows, events, anonymous, unmapped) in enumerate(
        (
            (
                "receipts",
                541909,
                {"commerce.purchase": 57321, "commerce.refund": 3180, "commerce.coupon_redeemed": 4861},
                135080,
                1181,
            ),
            (
                "web_events",
                4312877,
                {"engagement.page_viewed": 3110200, "engagement.session_started": 714001},
                402133,
                0,
            ),
            (
                "mailings",
                88214,
                {"campaign.opened": 71411, "campaign.clicked": 15800, "campaign.unsubscribed": 301},
                0,
                702,
            ),
            (
                "desk",
                18202,
                {"support.ticket_opened": 10772, "support.call": 6630, "support.ticket_reopened": 800},
                0,
                0,
            ),
        )
    ):
        at = NOW - timedelta(hours=5 + i)
        state = "failed" if name == "desk" else "done"
        report = {"error": "desk/2026-11.parquet ends in the middle of a row group"} if state == "failed" else {}
        runs.append(
            {"run": f"{name}-20261123-07", "source": name, "principal": "shop.ingest", "started_at": at,
             "finished_at": at + timedelta(seconds=41), "state": state, "report": report}
        )  # fmt: skip
        mapped = rows - anonymous - unmapped - 14
        report = {
            "rows": rows,
            "mapped": mapped,
            "events": events,
            "anonymous": anonymous,
            "unmapped": unmapped,
            "quarantined": 14,
            "made": True,
        }
        units.append(
            {"source": name, "unit": f"{i:032x}", "path": f"{name}/2026-11.parquet", "mapping": "m1",
             "run": f"{name}-20261123-07", "done_at": at + timedelta(seconds=40), "report": report}
        )  # fmt: skip
    for row in range(14):
        rule = "price_is_not_negative" if row < 11 else "time_is_not_in_the_future"
        column = "UnitPrice" if row < 11 else "InvoiceDate"
        why = "UnitPrice is -11062.06, below 0" if row < 11 else "12 days after its arrival"
        kept.append(
            {"source": "receipts", "unit": f"{0:032x}", "row": 299984 + row, "path": "receipts/2026-11.parquet",
             "run": "receipts-20261123-07", "raw": {"UnitPrice": "-1"},
             "reasons": [{"rule": rule, "column": column, "message": why}]}
        )  # fmt: skip
    add(tables.source_run, runs)
    add(tables.source_unit, units)
    add(tables.quarantine, kept)


def histogram(middle: float, *, bins: int = 24, shift: float = 0.0, rows: int = 3800) -> dict[str, Any]:
    top = max(middle * 3, 1.0)
    edges = [top * i / bins for i in range(bins + 1)]
    weights = [math.exp(-(((e - middle * (0.8 + shift)) / (top / 5)) ** 2)) + 0.02 for e in edges[:-1]]
    return {"edges": edges, "counts": [round(rows * w / sum(weights)) for w in weights]}


def _profile(median: float, *, shift: float = 0.0, rows: int = 3800) -> dict[str, Any]:
    quantiles = {
        "p01": 0.0,
        "p05": median * 0.2,
        "p25": median * 0.6,
        "p50": median,
        "p75": median * 1.6,
        "p95": median * 2.4,
    }
    quantiles["p99"] = median * 3 + 1
    return {
        "count": rows,
        "null_share": 0.042 if median == 17.0 else 0.0,
        "mean": median * 1.2,
        "quantiles": quantiles,
        "histogram": histogram(median, shift=shift, rows=rows),
    }


def _profiles(chance: random.Random) -> list[dict[str, Any]]:
    rows = []
    for name, *_, median in FEATURES:
        for week in range(12):
            moved = median * (1 + 0.1 * math.sin(week / 2 + len(name)) + chance.uniform(-0.03, 0.03))
            shift = 0.75 if name == "days_since_purchase" and week == 11 else 0.0
            if week == 11 and not shift:
                moved = median
            rows.append(
                {
                    "signal": "purchase_rhythm@4",
                    "feature": name,
                    "as_of": NOW.replace(hour=0) - timedelta(weeks=11 - week),
                    "profile": _profile(moved, shift=shift),
                }
            )
    return rows


def _training_sets(chance: random.Random) -> list[dict[str, Any]]:
    profiles = {name: _profile(median) for name, *_, median in FEATURES}
    return [
        {
            "version": f"lapsed_90d/{digest}",
            "outcome": "lapsed_90d",
            "purpose": "churn_prevention",
            "created_at": NOW - timedelta(days=age),
            "created_by": "risk.modeller",
            "request": {
                "signals": ["purchase_rhythm@4", "desk_contacts@1"],
                "every": "7d",
                "start": "2026-03-01",
                "end": "2026-08-01",
                "tables": {"events/commerce.purchase": 41},
            },
            "report": {
                "rows": 61204 + chance.randint(0, 99),
                "entities": 3871,
                "left_out": 12,
                "label_rate": 0.318,
                "noun": "customers",
                "audited": 40,
                "future_features": [],
                "features": profiles,
            },
        }
        for digest, age in (("9f2c4107d5be", 9), ("41d0aa9c3e62", 1))
    ]


def report(auc: float, ece: float) -> dict[str, Any]:
    figures = {
        "auc": auc, "brier": 0.161, "log_loss": 0.487, "ece": ece, "ece_noise": 0.011, "citl": 0.004, "lift_10": 2.31,
        "base_rate": 0.318, "validation_rows": 12180, "validation_cases": 3873, "validation_entities": 2104,
    }  # fmt: skip
    bins = [
        (0.03, 0.04),
        (0.09, 0.08),
        (0.15, 0.17),
        (0.22, 0.2),
        (0.29, 0.31),
        (0.36, 0.35),
        (0.44, 0.47),
        (0.55, 0.52),
        (0.66, 0.7),
        (0.82, 0.78),
    ]
    return {
        "chosen": "logistic",
        "why": "logistic: the simpler one within one standard error (loss 0.487 and 0.486)",
        "figures": figures,
        "learners": {"logistic": figures, "boosted": figures | {"auc": auc + 0.002, "log_loss": 0.486}},
        "curve": [{"rows": 1218 - 60 * i, "predicted": p, "observed": o} for i, (p, o) in enumerate(bins)],
        "importance": [
            {"feature": f"purchase_rhythm__{name}", "added_loss": 0.041 / (i + 1)}
            for i, (name, *_) in enumerate(FEATURES)
        ],
        "folds": {
            name: {
                "rows": rows,
                "entities": 900,
                "cases": rows // 3,
                "from": f"{begins}T00:00:00+00:00",
                "to": f"{ends}T00:00:00+00:00",
            }
            for name, rows, begins, ends in (
                ("train", 36000, "2026-03-01", "2026-06-01"),
                ("calibrate", 13024, "2026-06-08", "2026-06-28"),
                ("validate", 12180, "2026-07-05", "2026-08-01"),
            )
        },
    }


def _models(add: Any) -> None:
    versions, gates = [], []
    for version, learner, auc, ece, age in (
        (6, "boosted", 0.771, 0.034, 9.0),
        (7, "logistic", 0.782, 0.021, 1.2),
        (8, "logistic", 0.786, 0.018, 0.1),
    ):
        digest = f"{version:x}" * 64
        versions.append(
            {
                "model": "lapse",
                "version": version,
                "digest": digest,
                "author": "risk.modeller",
                "run_id": f"{version}" * 32,
                "training_set": "lapsed_90d/9f2c4107d5be" if version < 8 else "lapsed_90d/41d0aa9c3e62",
                "learner": learner,
                "created_at": NOW - timedelta(days=age),
                "manifest": {"files": {"scorer.json": "ab" * 32}, "signals": ["purchase_rhythm@4", "desk_contacts@1"]},
                "report": report(auc, ece),
            }
        )
        for gate, detail in (
            ("beats_baseline", "log loss 0.487 < 0.625"),
            ("calibrated", f"ECE {ece} ≤ 0.05"),
            ("enough_cases", "3,873 validation cases ≥ 200"),
            ("no_lookahead", "0 features look ahead"),
            ("says_its_limits", "2 limits"),
        ):
            failed = version == 6 and gate == "enough_cases"
            gates.append(
                {
                    "model": "lapse",
                    "version": version,
                    "gate": gate,
                    "digest": digest,
                    "verdict": "fail" if failed else "pass",
                    "detail": detail,
                    "evaluated_at": NOW - timedelta(days=age),
                }
            )
    add(tables.model_version, versions)
    add(tables.gate_result, gates)
    decided = {"model": "lapse", "alias": "champion", "principal": "risk.lead"}
    rejected = {"version": 6, "digest": "6" * 64, "decision": "reject", "note": "Too few cases."}
    approved = {"version": 7, "digest": "7" * 64, "decision": "approve", "note": "Fit for winback."}
    add(
        tables.approval,
        [
            {**decided, **rejected, "at": NOW - timedelta(days=8)},
            {**decided, **approved, "at": NOW - timedelta(days=1, hours=2)},
        ],
    )
    add(tables.alias_move, [{**decided, "version": 7, "digest": "7" * 64, "at": NOW - timedelta(days=1)}])
    scored = {"model": "lapse", "version": 7, "digest": "7" * 64, "principal": "risk.batch", "report": {"rows": 388}}
    as_of = NOW - timedelta(hours=12)
    add(tables.score_run, [{**scored, "run": "score-20261123", "as_of": as_of, "created_at": as_of}])


def _reads() -> list[dict[str, Any]]:
    rows = [
        {"at": NOW - timedelta(hours=i % 140), "principal": "risk.batch", "team": "risk", "purpose": "churn_prevention",
         "asset": "purchase_rhythm", "verdict": "compliant", "rows": 100, "how": "lookup", "duration_s": 0.0004}
        for i in range(240)
    ]  # fmt: skip
    rows += [{**rows[0], "team": "support", "purpose": "service", "verdict": "gap", "rows": 0} for _ in range(3)]
    return rows
