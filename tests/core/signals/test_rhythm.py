"""Repeats, gaps, streaks, trends, decay, seasons and touches as they are declared: names, types, refusals."""

from typing import Any

import pytest

from ethogram.core.signals.aggregates import AGGREGATES
from ethogram.core.signals.aggregates.decay import decay
from ethogram.core.signals.aggregates.gaps import gaps
from ethogram.core.signals.aggregates.rfm import active_span, frequency, monetary, tenure
from ethogram.core.signals.aggregates.seasonal import concentration, seasonal
from ethogram.core.signals.aggregates.streaks import streak
from ethogram.core.signals.aggregates.touch import first_touch, last_touch, since_first
from ethogram.core.signals.aggregates.trend import change, slope
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import FeaturePlan, plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy
from ethogram.errors import Problems

PURCHASE = Behavior(
    "commerce.purchase", "Paid.", "purchase", "purchases", "customer", ("customer",),
    properties={
        "amount": Property("amount", "money", scale=6, unit="EUR"), "items": Property("items", "integer", unit="1"),
        "rating": Property("rating", "double", unit="1"), "category": Property("category", "string"),
    },
)  # fmt: skip
TAXONOMY = Taxonomy(
    entities={"customer": Entity("customer", "Who.", "customers", "customer_id")}, behaviors={PURCHASE.id: PURCHASE}
)


def planned(*features: Any, **settings: Any) -> tuple[FeaturePlan, ...]:
    signal = Signal("s", version=1, entity="customer", of="commerce.purchase", features=list(features), **settings)
    return plan_signal(signal, TAXONOMY).features


@pytest.mark.parametrize(
    ("feature", "name", "type", "unit"),
    [
        (frequency(), "purchase_frequency", "integer", "1"),
        (frequency(period="week", over="90d"), "purchase_weekly_frequency_90d", "integer", "1"),
        (active_span(unit="weeks"), "purchase_span_weeks", "double", "weeks"),
        (tenure(), "purchase_tenure_days", "double", "days"),
        (monetary("amount"), "purchase_amount_monetary", "double", "EUR"),
        (monetary("amount", period="week"), "purchase_amount_weekly_monetary", "double", "EUR"),
        (gaps("mean", over="365d"), "purchase_gap_mean_days_365d", "double", "days"),
        (gaps("cv"), "purchase_gap_cv", "double", "1"),
        (streak("current"), "purchase_streak_days_current", "integer", "days"),
        (streak("longest", period="week", over="90d"), "purchase_streak_weeks_longest_90d", "integer", "weeks"),
        (slope(every="7d", over="56d"), "purchases_slope_per_7d_56d", "double", "1"),
        (slope("amount", every="7d", over="56d"), "purchase_amount_slope_per_7d_56d", "double", "EUR"),
        (change(over="30d"), "purchases_change_30d", "integer", "1"),
        (change("amount", over="30d"), "purchase_amount_change_30d", "decimal", "EUR"),
        (change("items", over="30d"), "purchase_items_change_30d", "integer", "1"),
        (change("amount", over="30d", by="ratio"), "purchase_amount_change_ratio_30d", "double", "1"),
        (decay(half_life="14d"), "purchases_decayed_14d", "double", "1"),
        (decay("amount", half_life="14d", over="90d"), "purchase_amount_decayed_14d_90d", "double", "EUR"),
        (seasonal("hour_of_week", over="90d"), "purchases_by_hour_of_week_90d", "list<double>", "1"),
        (concentration("hour_of_day"), "purchases_hour_of_day_concentration", "double", "1"),
        (first_touch(), "purchase_channel_first_touch", "string", "1"),
        (last_touch("items", over="30d"), "purchase_items_last_touch_30d", "integer", "1"),
        (since_first(over="30d"), "days_since_first_purchase_30d", "double", "days"),
    ],
)
def test_features_are_named_and_typed(feature, name, type, unit):
    (found,) = planned(feature)
    assert (found.name, found.type, found.unit) == (name, type, unit)


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        (frequency(period="month"), 'period="month" is none of day, week'),
        (tenure(unit="years"), 'unit="years" is none of weeks, days'),
        (monetary("category"), "monetary of category, which is a string"),
        (monetary("rating"), "an unscaled double"),
        (gaps("median"), 'gaps("median") is none of mean'),
        (gaps("cv", unit="days"), "a cv is a plain number"),
        (gaps("mean", unit="years"), 'unit="years" is none of'),
        (streak("best"), 'streak("best") is none of current, longest'),
        (streak("current", period="month"), 'period="month" is none of'),
        (slope(every="7d", over="30d"), 'every="7d" does not divide over="30d"'),
        (slope(every="30d", over="30d"), "into two steps or more"),
        (slope(every="0d", over="30d"), "does not divide"),
        (slope(every="7", over="28d"), 'every="7" has no unit'),
        (slope(every="12h", over="30d"), 'no multiple of the hop 1d of over="30d"'),
        (slope("category", every="7d", over="28d"), "slope of category, which is a string"),
        (change(over="30d", by="percent"), 'by="percent" is none of difference, ratio'),
        (change("amuont", over="30d"), "did you mean amount?"),
        (decay(half_life="0d"), "is not between 1 second and 100 years"),
        (decay(half_life="40000d"), "is not between 1 second and 100 years"),
        (decay(half_life="2w"), 'half_life="2w" is not a duration'),
        (decay("rating", half_life="2d"), "an unscaled double"),
        (seasonal("month"), '"month" is none of hour_of_day'),
        (seasonal("hour_of_day", timezone="Europe/Londn"), 'timezone="Europe/Londn" is not known'),
        (concentration("hour_of_day", timezone="../etc"), "is not known"),
        (first_touch("chanel"), "has no property 'chanel'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_said(feature, said):
    with pytest.raises(Problems) as caught:
        planned(feature)
    (only,) = caught.value.problems
    assert said in only


def test_steps_may_be_many_but_not_without_end():
    (found,) = planned(slope(every="1h", over="400h"), hop="1h")
    assert found.name == "purchases_slope_per_1h_400h"
    with pytest.raises(Problems, match="400 is the most"):
        planned(slope(every="1h", over="401h"), hop="1h")


def test_a_change_reaches_back_twice_as_far_as_its_window():
    this, both, life = planned(slope(every="7d", over="28d"), change(over="28d"), frequency())
    assert this.span == this.window
    assert both.span is not None
    assert both.span.length == 2 * this.window.length
    assert both.span.hop == both.window.hop
    assert life.span is None


def test_why_a_value_is_null_is_said_by_what_it_lacks():
    said = {
        gaps("cv"): "fewer than 3 purchases in the last 30d, or all at one instant",
        gaps("mean"): "fewer than 2 purchases in the last 30d",
        monetary("amount"): "no purchase on a second day in the last 30d",
        change(over="30d", by="ratio"): "no purchase in the window before",
        tenure(): "no purchase in the last 30d",
    }
    for feature, expected in said.items():
        text = AGGREGATES[feature.aggregate].lacks(dict(feature.settings))
        assert text.format(noun="purchase", plural="purchases", span="in the last 30d") == expected
