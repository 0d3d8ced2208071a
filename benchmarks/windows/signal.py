"""The task as a signal of ours, and the vocabulary that it needs."""

from __future__ import annotations

from benchmarks.events import BEHAVIOR
from benchmarks.windows.spans import COLUMNS, WINDOWS
from ethogram import Signal, count, maximum, recency, total
from ethogram.core.signals.plan import SignalPlan, plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy

TAXONOMY = Taxonomy(
    entities={"customer": Entity("customer", "Who buys.", "customers", "customer_id")},
    behaviors={
        BEHAVIOR: Behavior(
            BEHAVIOR,
            "Paid.",
            "purchase",
            "purchases",
            "customer",
            ("customer",),
            properties={"amount": Property("amount", "money", scale=6)},
        )
    },
)


def plan(freshness: str = "live") -> SignalPlan:
    """Four windows of count, sum and maximum, and recency; columns are `COLUMNS`, in that order."""
    features = []
    for over in WINDOWS:
        features.append(count(over=over, name=f"count_{over}"))
        features.append(total("amount", over=over, name=f"sum_{over}"))
        features.append(maximum("amount", over=over, name=f"max_{over}"))
    features.append(recency(unit="days", name="recency"))
    signal = Signal("windows", version=1, entity="customer", of=BEHAVIOR, features=features, freshness=freshness)
    made = plan_signal(signal, TAXONOMY)
    assert [feature.name for feature in made.features] == COLUMNS
    for name, (length, hop) in WINDOWS.items():
        found = next(f.window for f in made.features if f.name == f"count_{name}")
        assert found is not None
        assert found.hop is not None
        assert (found.length.total_seconds() * 1e6, found.hop.total_seconds() * 1e6) == (length, hop)
    return made
