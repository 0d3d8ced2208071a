from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.basic import count, last, mean, recency, total
from ethogram.core.signals.aggregates.derivation import derived, during, everyone, rolled_up, shrunk
from ethogram.core.signals.declaration import Signal

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def bought(at: datetime, customer: int = 1, household: int | None = None, *, known: datetime | None = None,
           **properties: Any) -> Event:  # fmt: skip
    entities = {"customer": customer} if household is None else {"customer": customer, "household": household}
    id = f"{customer}/{at.isoformat()}/{household}/{known}/{sorted(properties.items(), key=repr)}"
    return Event(id, "commerce.purchase", entities, at, known or at, properties, "web")


def outage(word: str, at: datetime, *, known: datetime | None = None) -> Event:
    return Event(f"{word}{at}", f"operations.outage_{word}", {"site": 1}, at, known or at, {})


def signal(*features: Any) -> Signal:
    return Signal("s", version=1, entity="customer", of="commerce.purchase", features=list(features))


def values(engine: Any, declared: Signal, events: list[Event], asked: list[tuple[int | None, datetime]]) -> list[Any]:
    rows = engine.features(declared, events, asked)
    return [tuple(value for name, value in row.items() if name not in {"at", "known_at"}) for row in rows]


def test_a_derived_feature_is_computed_from_others_and_null_goes_through(engine):
    declared = signal(
        count(over="7d", name="n"), total("amount", over="7d", name="t"),
        derived("each", "t / nullif(n, 0)"), derived("double", "each * 2"), derived("large", "t > 10"),
        derived("twice", "t + t"),
    )  # fmt: skip
    events = [bought(NOON - DAY, amount=Decimal("7.5")), bought(NOON - 2 * DAY, amount=Decimal("2.5"))]
    first, nobody = values(engine, declared, events, [(1, NOON), (None, NOON)])
    assert first == (2, Decimal(10), 5.0, 10.0, False, Decimal(20))
    assert nobody == (0, Decimal(0), None, None, False, Decimal(0))


def test_what_is_only_an_input_is_computed_and_not_served(engine):
    declared = signal(shrunk("amount", strength=2, name="basket"))
    (row,) = engine.features(declared, [bought(NOON - DAY, amount=Decimal(4))], [(1, NOON)])
    assert list(row) == ["at", "known_at", "basket"]


def test_a_shrunken_mean_lies_between_its_own_and_the_mean_of_all(engine):
    events = [bought(NOON - DAY, 1, amount=Decimal(10))]
    events += [bought(NOON - k * DAY, 2, amount=Decimal(1)) for k in range(1, 4)]
    declared = signal(shrunk("amount", strength=2, name="basket"), mean("amount", name="own"))
    group = 13 / 4
    rows = values(engine, declared, events, [(1, NOON), (2, NOON), (9, NOON), (1, NOON - 9 * DAY)])
    assert rows == [((10 + 2 * group) / 3, 10.0), ((3 + 2 * group) / 5, 1.0), (2 * group / 2, None), (None, None)]


def test_a_shrunken_mean_counts_no_events_without_the_property(engine):
    events = [bought(NOON - DAY, 1, amount=Decimal(10)), bought(NOON - 2 * DAY, 1)]
    assert values(engine, signal(shrunk("amount", strength=1, name="b")), events, [(1, NOON)]) == [(10.0,)]


def test_a_household_is_the_one_last_named_and_known(engine):
    events = [
        bought(NOON - 5 * DAY, 1, 70, items=1), bought(NOON - 3 * DAY, 2, 70, items=10),
        bought(NOON - 2 * DAY, 2, 71, items=100),
        bought(NOON - DAY, 1, 71, known=NOON + DAY, items=1000), bought(NOON - HOUR, 1, items=5),
    ]  # fmt: skip
    declared = signal(rolled_up("household", total("items", name="h")), total("items", name="own"))
    rows = values(engine, declared, events, [(1, NOON), (2, NOON), (1, NOON + DAY), (3, NOON), (None, NOON)])
    # Customer 1 moved to household 71 with a purchase that became known a day later.
    assert rows == [(11, 6), (100, 110), (1100, 1006), (0, 0), (0, 0)]


def test_what_everyone_does_is_joined_as_of_the_instant(engine):
    events = [bought(NOON - 3 * HOUR, 1), bought(NOON - HOUR, 2), bought(NOON - 2 * HOUR, 3, known=NOON + HOUR)]
    declared = signal(everyone(count(over="1d", name="all")), everyone(recency(unit="hours", name="since")))
    rows = values(engine, declared, events, [(1, NOON), (9, NOON + HOUR), (None, NOON - 3 * HOUR), (1, NOON - HOUR)])
    assert rows == [(2, 1.0), (3, 2.0), (0, None), (1, 2.0)]


def test_an_outage_is_on_from_its_start_to_its_end_as_far_as_known(engine):
    events = [outage("started", NOON), outage("ended", NOON + 2 * HOUR, known=NOON + 3 * HOUR), bought(NOON)]
    declared = signal(during("operations.outage_started", "operations.outage_ended", name="down"))
    instants = [NOON, NOON + HOUR, NOON + 2.5 * HOUR, NOON + 3 * HOUR]
    assert values(engine, declared, events, [(1, at) for at in instants]) == [(False,), (True,), (True,), (False,)]
    assert values(engine, declared, [*events, outage("started", NOON + 4 * HOUR)], [(1, NOON + 5 * HOUR)]) == [(True,)]


def test_texts_can_be_derived_from(engine):
    declared = signal(last("category", name="c"), derived("book", "coalesce(c = 'book', false)"))
    asked = [(1, NOON), (2, NOON)]
    assert values(engine, declared, [bought(NOON - DAY, category="book")], asked) == [("book", True), (None, False)]
