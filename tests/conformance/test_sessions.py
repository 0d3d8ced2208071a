from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ethogram.core.events import Event
from ethogram.core.signals.aggregates.basic import count, first, last, maximum, mean, recency, total
from ethogram.core.signals.aggregates.sequences import ngrams, sequence, transitions
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.sessions import Sessions

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR, MINUTE, TICK = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(microseconds=1)
BOUGHT, BACK = "commerce.purchase", "commerce.refund"


def event(
    at: datetime,
    behavior: str = BOUGHT,
    *,
    customer: int = 1,
    known: datetime | None = None,
    channel: str | None = "web",
    op: str = "assert",
    about: str | None = None,
    **properties: Any,
) -> Event:
    id = f"{customer}/{at.isoformat()}/{behavior}/{known}"
    return Event(id, behavior, {"customer": customer}, at, known or at, properties, channel, op, about)


def visits(**settings: Any) -> Sessions:
    return Sessions("visits", entity="customer", of="commerce.*", **settings)


def signal(of: Sessions, *features: Any, **settings: Any) -> Signal:
    return Signal("s", version=1, entity="customer", of=of, features=list(features), **settings)


def row(engine: Any, declared: Signal, events: list[Event], as_of: datetime = NOON, entity: int | None = 1) -> Any:
    (found,) = engine.features(declared, events, [(entity, as_of)])
    return {name: value for name, value in found.items() if name not in {"at", "known_at"}}


def only(engine: Any, of: Sessions, feature: Any, events: list[Event], as_of: datetime = NOON) -> Any:
    (value,) = row(engine, signal(of, feature), events, as_of).values()
    return value


def test_an_event_at_exactly_the_gap_starts_a_new_session(engine):
    start = NOON - 5 * HOUR
    apart = [start, start + 30 * MINUTE, start + 60 * MINUTE - TICK]
    assert only(engine, visits(), count(), [event(at) for at in apart]) == 2
    assert only(engine, visits(gap="31m"), count(), [event(at) for at in apart]) == 1


def test_an_event_at_exactly_the_greatest_length_starts_a_new_session(engine):
    start = NOON - 5 * HOUR
    going_on = [event(start + k * 20 * MINUTE) for k in range(7)]  # 0:00 to 2:00
    assert only(engine, visits(max_length="1h"), count(), going_on) == 3
    assert only(engine, visits(max_length="61m"), count(), going_on) == 2
    assert only(engine, visits(), count(), going_on) == 1


def test_a_session_ends_at_midnight_where_asked_in_the_zone_asked(engine):
    late = datetime(2026, 3, 9, 22, 50, tzinfo=UTC)  # ten to midnight in Berlin
    events = [event(late), event(late + 10 * MINUTE), event(late + 20 * MINUTE)]
    assert only(engine, visits(cut="midnight"), count(), events) == 1
    assert only(engine, visits(cut="midnight", timezone="Europe/Berlin"), maximum("events"), events) == 2
    assert only(engine, visits(cut="midnight", timezone="Europe/Berlin"), count(), events) == 2


def test_midnight_follows_the_change_of_clocks(engine):
    summer = datetime(2026, 3, 29, 21, 50, tzinfo=UTC)  # the clock went forward this morning: ten to midnight again
    events = [event(summer), event(summer + 10 * MINUTE)]
    berlin = visits(cut="midnight", timezone="Europe/Berlin")
    assert only(engine, berlin, count(), events, as_of=summer + DAY) == 2
    # In Havana the clock goes from midnight straight to one: the day starts then.
    havana = datetime(2026, 3, 8, 4, 50, tzinfo=UTC)
    cut = visits(cut="midnight", timezone="America/Havana")
    assert only(engine, cut, count(), [event(havana), event(havana + 10 * MINUTE)], as_of=NOON) == 2


def test_another_campaign_starts_a_session_and_no_campaign_does_not(engine):
    start = NOON - 5 * HOUR

    def named(*campaigns: str | None) -> list[Event]:
        return [event(start + k * MINUTE, category=name) for k, name in enumerate(campaigns)]

    cut = visits(cut="campaign", campaign="category")
    assert only(engine, cut, count(), named("a", None, "a")) == 1
    assert only(engine, cut, count(), named("a", None, "b", "b", "a")) == 3
    assert only(engine, cut, count(), named(None, None, "a")) == 2
    # What was named before a pause is over.
    after_a_pause = [*named("a"), event(start + HOUR), event(start + HOUR + MINUTE, category="a")]
    assert only(engine, cut, count(), after_a_pause) == 3


def test_a_session_is_in_a_window_if_its_start_is(engine):
    edge = NOON - DAY  # a day's window steps by the hour
    events = [event(edge - TICK), event(edge + 10 * MINUTE), event(edge + 2 * HOUR)]
    assert only(engine, visits(), count(over="1d"), events) == 1
    assert only(engine, visits(), total("events", over="1d"), events) == 1
    assert only(engine, visits(), total("events"), events) == 3


def test_a_session_that_is_open_is_seen_so_far(engine):
    start = NOON - 20 * MINUTE
    events = [event(start), event(start + 15 * MINUTE), event(start + 25 * MINUTE, BACK)]
    declared = signal(visits(), last("events", name="n"), last("duration", name="d"), last("exit", name="x"),
                      last("open", name="o"), last("ended_at", name="e"))  # fmt: skip
    assert row(engine, declared, events) == {
        "n": 2, "d": Decimal("900.000000"), "x": BOUGHT, "o": True, "e": start + 15 * MINUTE,
    }  # fmt: skip
    assert row(engine, declared, events, as_of=start + 55 * MINUTE - TICK) == {
        "n": 3, "d": Decimal("1500.000000"), "x": BACK, "o": True, "e": start + 25 * MINUTE,
    }  # fmt: skip
    assert row(engine, declared, events, as_of=start + 55 * MINUTE)["o"] is False


def test_a_session_as_long_as_it_may_be_or_past_midnight_is_not_open(engine):
    start = NOON - 59 * MINUTE
    events = [event(start + k * 20 * MINUTE) for k in range(3)]
    hour = visits(max_length="1h")
    assert only(engine, hour, last("open", name="o"), events) is True
    assert only(engine, hour, last("open", name="o"), events, as_of=NOON + MINUTE) is False
    midnight = datetime(2026, 3, 10, tzinfo=UTC)
    cut, at_night = visits(cut="midnight"), [event(midnight - MINUTE)]
    assert only(engine, cut, last("open", name="o"), at_night, as_of=midnight - TICK) is True
    assert only(engine, cut, last("open", name="o"), at_night, as_of=midnight) is False


def test_what_a_session_is(engine):
    first_visit, second = NOON - 6 * HOUR, NOON - 3 * HOUR
    events = [
        event(first_visit), event(first_visit + 10 * MINUTE, BACK, channel="store"), event(first_visit + 12 * MINUTE),
        event(second, BACK, channel=None),
    ]  # fmt: skip
    names = ["events", "behaviors", "entry", "exit", "channel", "since_previous", "occurred_at", "duration"]
    earliest = row(engine, signal(visits(), *[first(name, name=name) for name in names]), events)
    latest = row(engine, signal(visits(), *[last(name, name=name) for name in names]), events)
    assert earliest == {
        "events": 3, "behaviors": 2, "entry": BOUGHT, "exit": BOUGHT, "channel": "web", "since_previous": None,
        "occurred_at": first_visit, "duration": Decimal("720.000000"),
    }  # fmt: skip
    assert latest == {
        "events": 1, "behaviors": 1, "entry": BACK, "exit": BACK, "channel": None,
        "since_previous": Decimal("10080.000000"), "occurred_at": second, "duration": Decimal("0.000000"),
    }  # fmt: skip


def test_aggregates_over_sessions_are_those_over_events(engine):
    starts = [NOON - 30 * HOUR, NOON - 20 * HOUR, NOON - 10 * HOUR]
    events = [event(start + k * MINUTE) for n, start in enumerate(starts) for k in range(n + 1)]
    declared = signal(visits(), count(over=["1d", "2d"]), mean("duration", over="2d"), maximum("events", over="2d"),
                      total("duration", over="1d"), recency(unit="hours"))  # fmt: skip
    assert row(engine, declared, events) == {
        "visits_1d": 2, "visits_2d": 3, "visit_duration_mean_2d": 60.0, "visit_events_max_2d": 3,
        "visit_duration_sum_1d": Decimal("180.000000"), "hours_since_visit": 10.0,
    }  # fmt: skip
    assert row(engine, declared, [], entity=None) == {
        "visits_1d": 0, "visits_2d": 0, "visit_duration_mean_2d": None, "visit_events_max_2d": None,
        "visit_duration_sum_1d": Decimal("0.000000"), "hours_since_visit": None,
    }  # fmt: skip


def test_what_was_reached_counts_and_filters(engine):
    with_refund, without = NOON - 6 * HOUR, NOON - 3 * HOUR
    events = [event(with_refund), event(with_refund + MINUTE, BACK), event(without), event(without + MINUTE)]
    declared = signal(
        visits(),
        count(where=f"reached('{BACK}')", name="some"),
        count(where=f"not reached('{BACK}') and duration >= 60", name="others"),
        count(where="entry = 'commerce.purchase' and events > 1 and not open", name="entered"),
        last(f"reached('{BACK}')", name="latest"),
        mean(f"steps('{BOUGHT}', '{BACK}')", name="steps"),
        maximum(f"steps('{BACK}', '{BOUGHT}')", name="backwards"),
    )
    assert row(engine, declared, events) == {
        "some": 1, "others": 1, "entered": 2, "latest": False, "steps": 1.5, "backwards": 1,
    }  # fmt: skip


def test_a_condition_is_asked_of_an_open_session_so_far(engine):
    start = NOON - 10 * MINUTE
    events = [event(start), event(start + 5 * MINUTE), event(start + 15 * MINUTE, BACK)]
    reached = count(where=f"reached('{BACK}')", name="n")
    assert only(engine, visits(), reached, events) == 0
    assert only(engine, visits(), reached, events, as_of=start + 16 * MINUTE) == 1
    assert only(engine, visits(), count(where="duration >= 600", name="n"), events) == 0


def test_an_event_that_becomes_known_late_joins_two_sessions_from_then_on(engine):
    start = NOON - 3 * HOUR
    bridge = event(start + 20 * MINUTE, known=NOON)
    events = [event(start), event(start + 40 * MINUTE), bridge]
    assert only(engine, visits(), count(), events, as_of=NOON - TICK) == 2
    assert only(engine, visits(), count(), events) == 1
    assert only(engine, visits(), last("events", name="n"), events) == 3


def test_events_later_than_the_late_window_are_left_out_for_good(engine):
    start = NOON - 3 * HOUR
    events = [event(start), event(start + 40 * MINUTE), event(start + 20 * MINUTE, known=start + 50 * MINUTE + TICK)]
    assert only(engine, visits(late="30m"), count(), events) == 2
    assert only(engine, visits(late="31m"), count(), events) == 1


def test_a_session_is_cut_short_by_what_is_not_known_yet(engine):
    start = NOON - 20 * MINUTE
    events = [event(start), event(start + MINUTE, known=NOON + TICK), event(start + 2 * MINUTE)]
    assert only(engine, visits(), last("events", name="n"), events) == 2
    assert only(engine, visits(), last("events", name="n"), events, as_of=NOON + TICK) == 3


def test_a_retracted_event_parts_a_session(engine):
    start = NOON - 3 * HOUR
    bridge = event(start + 20 * MINUTE)
    gone = event(start + 20 * MINUTE, known=NOON - HOUR, op="retract", about=bridge.event_id)
    events = [event(start), bridge, event(start + 40 * MINUTE), gone]
    assert only(engine, visits(), count(), events, as_of=NOON - HOUR - TICK) == 1
    assert only(engine, visits(), count(), events) == 2


def test_only_events_that_the_sessions_ask_for_make_them(engine):
    start = NOON - 3 * HOUR
    events = [event(start), event(start + 20 * MINUTE, channel="store"), event(start + 40 * MINUTE)]
    assert only(engine, visits(where="channel = 'web'"), count(), events) == 2


def test_transitions_of_sessions_stay_within_each(engine):
    start = NOON - 6 * HOUR
    events = [event(start), event(start + MINUTE, BACK), event(start + 2 * MINUTE, BACK), event(start + 3 * HOUR)]
    assert only(engine, visits(), transitions(as_="count"), events) == {f"{BOUGHT} > {BACK}": 1, f"{BACK} > {BACK}": 1}
    assert only(engine, visits(), ngrams(1, where="events > 1"), events) == {BOUGHT: 1, BACK: 2}
    assert only(engine, visits(), transitions(as_="count"), events, as_of=start + 2 * MINUTE) == {
        f"{BOUGHT} > {BACK}": 1
    }


def test_sequences_of_sessions_have_an_item_a_session(engine):
    events = [event(NOON - 6 * HOUR), event(NOON - 3 * HOUR), event(NOON - MINUTE, BACK)]
    assert only(engine, visits(), sequence(2, property="exit"), events) == [BOUGHT, BACK]


def test_sessions_of_several_entities_do_not_mix(engine):
    start = NOON - HOUR
    events = [event(start + k * MINUTE, customer=k % 2 + 1) for k in range(10)]
    declared = signal(visits(), last("events", name="n"), last("duration", name="d"))
    found = engine.features(declared, events, [(1, NOON), (2, NOON), (2, start + 4 * MINUTE), (3, NOON)])
    assert [(each["n"], each["d"]) for each in found] == [
        (5, Decimal("480.000000")), (5, Decimal("480.000000")), (2, Decimal("120.000000")), (None, None),
    ]  # fmt: skip
