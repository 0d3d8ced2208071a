from datetime import UTC, datetime, timedelta

import pytest

from ethogram.core.observations import BadSchedule, population, ripe, schedule
from ethogram.core.outcomes.declaration import Outcome, absence
from ethogram.core.outcomes.plan import plan_outcome
from ethogram.core.signals.aggregates.basic import count, recency
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Taxonomy
from ethogram.errors import AskedWrongly, EthogramError

TAXONOMY = Taxonomy(
    entities={name: Entity(name, "Who.", f"{name}s", f"{name}_id") for name in ("customer", "user")},
    behaviors={"a.b": Behavior("a.b", "Did.", "deed", "deeds", "customer", ("customer", "user"))},
)
DEEDS = plan_signal(
    Signal("deeds", version=1, entity="customer", of="a.b", features=[count(over="30d"), recency()]), TAXONOMY
)
MEMBERS = plan_signal(Signal("members", version=1, entity="user", of="a.b", features=[count()]), TAXONOMY)


def outcome(among: str | None = None, **settings: str):
    return plan_outcome(Outcome("o", "customer", absence("a.b", within="30d"), among=among, **settings), TAXONOMY)


def test_the_end_of_a_schedule_is_excluded():
    assert len(schedule("7d", "2026-01-01", "2026-01-08").instants()) == 1
    assert len(schedule("7d", "2026-01-01", "2026-01-08T00:00:01+00:00").instants()) == 2


@pytest.mark.parametrize("asked", [("0s", "2026-01-01", "2026-02-01"), ("7d", "2026-02-01", "2026-02-01"),
                                   ("1s", "2020-01-01", "2026-02-01")])  # fmt: skip
def test_a_schedule_without_end_or_sense_is_refused(asked):
    with pytest.raises(BadSchedule):
        schedule(*asked)


def test_a_schedule_needs_a_zone():
    with pytest.raises(EthogramError, match="no time zone"):
        schedule("7d", datetime(2026, 1, 1), datetime(2026, 2, 1, tzinfo=UTC))


def test_instants_are_ripe_once_horizon_and_waiting_have_passed():
    instants = schedule("1d", "2026-01-01", "2026-02-01").instants()
    found, unripe = ripe(instants, outcome(matures_after="2d"), instants[0] + timedelta(days=34))
    assert (found, unripe) == (instants[:3], 28)


def test_a_population_computes_only_the_features_that_it_names():
    ((plan, types),) = population(outcome("deeds.deeds_30d >= 2"), {"deeds": DEEDS})
    assert [feature.name for feature in plan.features] == ["deeds_30d"]
    assert {name: kind.kind for name, kind in types.items()} == {"deeds.deeds_30d": "integer"}
    assert population(outcome(), {"deeds": DEEDS}) == []


@pytest.mark.parametrize(
    ("among", "said"),
    [
        ("deeds.deeds_30 > 1", "did you mean deeds_30d"),
        ("deds.deeds_30d > 1", "did you mean deeds"),
        ("deeds_30d > 1", "write signal.feature"),
        ("members.deeds > 1", "a feature of user, not of customer"),
        ("deeds.deeds_30d", "a boolean is needed"),
    ],
)
def test_a_population_that_makes_no_sense_is_refused_with_a_hint(among, said):
    with pytest.raises(AskedWrongly, match=said):
        population(outcome(among), {"deeds": DEEDS, "members": MEMBERS})
