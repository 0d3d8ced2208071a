"""Every primitive at once, over events with all that is awkward about them, on every engine: a run of Spark is dear."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

import ethogram as e
from ethogram.core.events import Event
from ethogram.core.outcomes.declaration import Outcome, absence
from ethogram.core.signals.aggregates import AGGREGATES
from ethogram.core.signals.declaration import Feature, Signal
from ethogram.core.signals.numbers import Overflow
from ethogram.core.signals.plan import plan_signal

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)  # the day on which Berlin's clocks go forward
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VISITS = e.Sessions("visits", entity="customer", of="commerce.*", gap="3h", max_length="12h", cut="midnight", late="2d")
BOTH = e.Reconciled("bought", of="commerce.purchase", priority=["store", "web"], within="2h", match=["items"])


def events(seed: int, number: int) -> list[Event]:
    """Ties, twins, late ones, corrections, retractions, nulls, extremes, texts of all kinds, anonymous visitors."""
    random = Random(seed)
    made: list[Event] = []
    for n in range(number):
        at = NOON - random.choice([HOUR, DAY, 7 * DAY, 30 * DAY]) * random.randrange(0, 4)
        at += timedelta(microseconds=random.choice([0, 0, 0, 1, 1_800_000_000]))
        late = random.choice([timedelta(0)] * 4 + [HOUR, DAY, 9 * DAY])
        behavior = random.choice(["commerce.purchase"] * 4 + ["commerce.refund", "account.signed_in"])
        entities = {"customer": random.choice([1, 2, 3])}
        properties: dict[str, Any] = {}
        if behavior == "commerce.purchase":
            entities["household"] = random.choice([70, 71])
            if random.random() < 0.2:
                entities = {"visitor": random.choice([8, 9])}
            properties = {
                "amount": random.choice([None, Decimal("0.000001"), Decimal(-7), Decimal("999999999999.999999")]),
                "items": random.choice([None, 1, 2, 2, 3]),
                "weight": random.choice([Decimal("0.000000001"), Decimal(5)]),
                "rating": random.choice([None, -0.0, 4.5, 1e300]),
                "category": random.choice([None, "", "book", "thé", "𐀀", "a > b"]),
                "gift": random.choice([None, True, False]),
                "due": NOON + DAY,
                "day": at.date(),
            }
        elif behavior == "commerce.refund":
            properties = {"amount": Decimal(3)}
        else:
            entities["visitor"] = random.choice([8, 9])
        op, target = "assert", None
        if made and random.random() < 0.1:
            told = random.choice([each for each in made if each.op == "assert"])
            op, target, behavior, entities = (
                random.choice(["correct", "retract"]),
                told.event_id,
                told.behavior,
                told.entities,
            )
            properties = told.properties | ({"items": 9} if "items" in told.properties else {})
        channel = random.choice(["web", "store", None])
        made.append(Event(f"{n:04}", behavior, entities, at, at + late, properties, channel, op, target))
    made += [Event(f"o{n}", f"operations.outage_{word}", {"site": 1}, NOON - n * HOUR, NOON, {})
             for n, word in enumerate(["ended", "started"] * 2)]  # fmt: skip
    return made


def features() -> list[Feature]:
    """One of each, at least."""
    over = "7d"
    return [
        e.count(over=["7d", "30d"]),
        e.count(of="commerce.*", over=over, by="channel"),
        e.count(by="category", keys=["book"]),
        e.total("amount", over="30d"),
        e.total("items", by="category"),
        e.total("weight"),
        e.mean("amount", over=over),
        e.mean("items", by="channel"),
        e.minimum("amount", over="30d"),
        e.maximum("due"),
        e.minimum("items", by="channel"),
        e.maximum("amount", by="channel"),
        e.maximum("rating", over="30d"),
        e.first("category"),
        e.last("gift", over="30d"),
        e.recency(unit="hours"),
        e.recency(of="commerce.refund", over=over),
        e.first_k("category", 3),
        e.last_k("items", 4),
        e.top_k("amount", 3),
        e.bottom_k("rating", 2),
        e.frequent("category", 2),
        e.distinct("category"),
        e.distinct("category", at_most=2, over="30d"),
        e.distinct("items", sketch=10),
        e.distinct("category", by="channel"),
        e.histogram("category"),
        e.histogram("items", edges=[0, 2, 9]),
        e.quantile("amount", 0.5),
        e.quantile("weight", 0.9, sketch=0.01),
        e.variance("amount"),
        e.std("items", over="30d"),
        e.skew("items"),
        e.ratio("amount", "items"),
        e.rate(per="1d", over=over),
        e.share("gift", name="gifts"),
        e.decay("items", half_life="3d"),
        e.decay(half_life="1d", over="30d"),
        e.gaps("mean"),
        e.gaps("cv", over="30d"),
        e.frequency(),
        e.active_span(),
        e.tenure(),
        e.monetary("amount"),
        e.seasonal("hour_of_day", timezone="Europe/Berlin"),
        e.concentration("day_of_week"),
        e.streak("current"),
        e.streak("longest", period="week"),
        e.first_touch(),
        e.last_touch("category"),
        e.since_first(),
        e.slope(every="1d", over="30d"),
        e.slope("items", every="7d", over="28d"),
        e.change(over=over),
        e.change("amount", over=over, by="ratio"),
        e.sequence(4, of="commerce.*"),
        e.sequence_gaps(3, of="commerce.*"),
        e.transitions(of="commerce.*", over="90d"),
        e.ngrams(2, property="category"),
        e.time_since_each(of="commerce.*"),
        e.funnel(["commerce.refund", "commerce.purchase"], of="commerce.*"),
        e.count(where="amount > 0 and channel = 'web'", name="large"),
        e.during("operations.outage_started", "operations.outage_ended", name="down"),
        e.rolled_up("household", e.total("items", name="household_items")),
        e.everyone(e.count(over=over, name="all")),
        e.shrunk("amount", strength=5, name="shrunk"),
        e.derived("each", "weight / nullif(large, 0)"),
        e.total("weight", name="weight", over="30d"),
    ]


def signals() -> list[Signal]:
    """The primitives over events, sessions, reconciled events and stitched identities; live and daily."""
    one = Signal("one", version=1, entity="customer", of="commerce.purchase", features=features())
    sessions = [
        e.count(over="30d"),
        e.mean("duration", over="90d"),
        e.maximum("events"),
        e.last("exit"),
        e.recency(unit="hours"),
        e.share("reached('commerce.refund')", name="refunding"),
        e.gaps("mean", name="between"),
    ]
    some = [e.count(over="30d"), e.total("amount"), e.last("category"), e.count(where="items > 1", name="several")]
    return [
        one,
        replace(one, name="daily", freshness="daily", delay="2h", features=some),
        Signal("visits", version=1, entity="customer", of=VISITS, features=sessions),
        Signal("bought", version=1, entity="customer", of=BOTH, features=some),
        replace(one, name="known", identity="visitor", features=some),
    ]


def asked() -> list[tuple[int | None, datetime]]:
    instants = [NOON - 40 * DAY, NOON - 7 * DAY, NOON - HOUR, NOON, NOON + 9 * DAY]
    return [(entity, at) for at in instants for entity in (1, 2, 3, 7, None)]


def test_nothing_is_left_out(engines):
    planned = {f.aggregate for signal in signals() for f in plan_signal(signal, engines.TAXONOMY).computed}
    assert set(AGGREGATES) <= planned


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("signal", signals(), ids=lambda signal: signal.name)
def test_everything_at_once_is_the_reference(engines, tmp_path, signal, seed):
    engines.assert_same(tmp_path, signal, events(seed, 120), asked())


@pytest.mark.parametrize("signal", signals(), ids=lambda signal: signal.name)
def test_spark_is_the_reference(engines, tmp_path, spark, signal):
    def made(folder: Path) -> Any:
        return engines.Spark(folder, events_at_once=40, session=spark)

    engines.assert_same(tmp_path, signal, events(7, 150), asked(), {"spark": made})


def test_sparks_labels_are_the_reference(engines, tmp_path, spark):
    outcome = Outcome("o", "customer", absence("commerce.*", within="7d"), matures_after="1d")
    made = {"spark": lambda folder: engines.Spark(folder, events_at_once=40, session=spark)}
    engines.assert_same(tmp_path, outcome, events(8, 60), asked(), made)


def test_a_sum_that_does_not_fit_is_an_error_on_spark_too(engines, tmp_path, spark):
    edge = [Event(str(n), "commerce.purchase", {"customer": 1}, NOON - DAY, NOON, {"items": 2**62}) for n in range(2)]
    signal = Signal("s", version=1, entity="customer", of="commerce.purchase", features=[e.total("items")])
    with pytest.raises(Overflow, match="a sum is beyond 64-bit integers"):
        engines.Spark(tmp_path, events_at_once=40, session=spark).features(signal, edge, [(1, NOON)])
