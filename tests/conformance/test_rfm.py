from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.rfm import active_span, frequency, monetary, tenure
from ethogram.core.signals.declaration import Signal

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


def bought(at: datetime, *, customer: int = 1, known: datetime | None = None, id: str = "", channel: str | None = "web",
           **properties: Any) -> Event:  # fmt: skip
    event_id = id or f"{customer}/{at.isoformat()}/{sorted(properties.items(), key=repr)}"
    return Event(event_id, "commerce.purchase", {"customer": customer}, at, known or at, properties, channel)


def values(engine: Any, features: list[Any], events: list[Event], as_of: datetime = NOON, **settings: Any) -> list[Any]:
    """Of customer 1, in the order of the features."""
    signal = Signal("s", version=1, entity="customer", of="commerce.purchase", features=features, **settings)
    (row,) = engine.features(signal, events, [(1, as_of)])
    return list(row.values())[2:]


def test_frequency_counts_periods_after_the_first(engine):
    days = [NOON - 9 * DAY, NOON - 9 * DAY + HOUR, NOON - 2 * DAY, NOON - DAY]
    features = [frequency(), frequency(period="week"), frequency(over="7d", name="f")]
    assert values(engine, features, [bought(at) for at in days]) == [2, 2, 1]


def test_a_day_ends_at_midnight_utc_and_a_week_on_sunday(engine):
    monday = datetime(2026, 3, 9, tzinfo=UTC)
    for edge, weeks in [(monday, 1), (monday - DAY, 0), (monday + DAY, 0)]:
        events = [bought(edge - TICK), bought(edge)]
        assert values(engine, [frequency(), frequency(period="week")], events) == [1, weeks]
    before_the_epoch = datetime(1969, 12, 29, tzinfo=UTC)  # a Monday
    events = [bought(before_the_epoch - TICK), bought(before_the_epoch)]
    assert values(engine, [frequency(period="week")], events, before_the_epoch + DAY) == [1]


def test_nothing_repeats_over_nothing_and_over_one_event(engine):
    features = [frequency(), active_span(), tenure(), monetary("amount")]
    assert values(engine, features, []) == [0, None, None, None]
    assert values(engine, features, [bought(NOON - DAY, amount=Decimal(5))]) == [0, 0.0, 1.0, None]


def test_the_span_is_between_the_first_and_the_last_and_tenure_goes_on_to_the_instant(engine):
    events = [bought(NOON - 21 * DAY), bought(NOON - 14 * DAY), bought(NOON - 7 * DAY)]
    features = [
        active_span(),
        active_span(unit="weeks"),
        tenure(),
        tenure(unit="weeks"),
        active_span(over="15d", name="w"),
    ]
    assert values(engine, features, events) == [14.0, 2.0, 21.0, 3.0, 7.0]


def test_tenure_starts_anew_when_an_earlier_event_becomes_known(engine):
    events = [bought(NOON - DAY), bought(NOON - 30 * DAY, known=NOON)]
    assert values(engine, [tenure()], events, NOON - TICK) == [float((DAY - TICK) / DAY)]
    assert values(engine, [tenure()], events) == [30.0]


def test_monetary_leaves_the_first_period_out_and_adds_up_within_each(engine):
    days = [(9, "100"), (9, "50"), (7, "1.25"), (7, "2.5"), (6, "4")]  # a Sunday, a Tuesday, a Wednesday
    events = [bought(NOON - day * DAY, id=str(k), amount=Decimal(v)) for k, (day, v) in enumerate(days)]
    assert values(engine, [monetary("amount"), monetary("amount", period="week")], events) == [7.75 / 2, 7.75]
    assert values(engine, [monetary("amount", over="7d")], events) == [4.0]


def test_purchases_without_an_amount_are_as_if_they_were_not_there_for_monetary(engine):
    events = [bought(NOON - 5 * DAY), bought(NOON - 4 * DAY, amount=Decimal(9)), bought(NOON - 3 * DAY)]
    events += [bought(NOON - 2 * DAY, amount=Decimal(3)), bought(NOON - DAY, amount=None)]
    assert values(engine, [monetary("amount"), frequency()], events) == [3.0, 4]


def test_monetary_is_exact_at_any_size(engine):
    most = Decimal("999999999999.999999")
    events = [bought(NOON - day * DAY, id=str(day), amount=most) for day in range(1, 9)]
    events += [bought(NOON - day * DAY, id=f"i{day}", items=2**63 - 1) for day in range(1, 9)]
    assert values(engine, [monetary("amount"), monetary("items")], events) == [float(most), float(2**63 - 1)]


def test_an_unknown_entity_repeats_nothing(engine):
    events = [bought(NOON - DAY, customer=2), bought(NOON - 2 * DAY, customer=2)]
    assert values(engine, [frequency(), tenure(), active_span()], events) == [0, None, None]
