"""What is planted can be found again, in 200,000 events, from the raw tables alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ethogram.core.sample.shop import Request
from ethogram.core.sample.tables import TABLES
from ethogram.core.sample.truths import TRUTHS

HISTORY = ["2025-04-15", "2025-05-15", "2025-06-15"]
LATER = "2025-09-20"
FEATURES = [
    "purchases_180d",
    "purchases_90d",
    "recency_d",
    "refunds_56d",
    "unresolved",
    "visits_28d",
    "visits_84d",
    "fall",
]


@pytest.fixture(scope="module")
def uplift(made: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[int, float, float]]:
    """(sends, mean orders in the effect's days, its standard error) by group and arm."""
    rule = TRUTHS.campaigns
    low, high = rule.persuadable_visits
    rows = made.execute(f"""
        with habits as (select user_id, avg(app::int) as app_share from visits group by all),
        recent as (
            select send_id, count(v.happened) as visits from campaign_sends s
            left join visits v on v.user_id = s.user_id
                and v.happened < sent_at and v.happened >= sent_at - interval {rule.recent_days} day
            group by all),
        bought as (
            select send_id, count(p.happened) as orders from campaign_sends s
            left join purchases p on p.user_id = s.user_id
                and p.happened >= sent_at and p.happened < sent_at + interval {rule.effect_days} day
            group by all)
        select case when app_share >= 0.5 and visits between {low} and {high} then 'persuadable'
                    when app_share < 0.5 and visits >= {rule.sleeping_dog_visits} then 'sleeping dog'
                    else 'rest' end as grp,
               arm, count(*), avg(orders), stddev(orders) / sqrt(count(*))
        from campaign_sends join recent using (send_id) join bought using (send_id) left join habits using (user_id)
        group by all
    """).fetchall()
    return {(group, arm): (count, mean, error) for group, arm, count, mean, error in rows}


def effect_in_errors(uplift: dict[tuple[str, str], tuple[int, float, float]], group: str) -> float:
    (_, treated, error), (_, held_out, other) = uplift[group, "treatment"], uplift[group, "control"]
    return float((treated - held_out) / np.hypot(error, other))


def test_a_campaign_persuades_the_persuadable(uplift):
    assert effect_in_errors(uplift, "persuadable") > 5


def test_a_campaign_drives_sleeping_dogs_away(uplift):
    assert effect_in_errors(uplift, "sleeping dog") < -2.5


def test_a_campaign_does_nothing_to_the_rest(uplift):
    assert abs(effect_in_errors(uplift, "rest")) < 3


def test_the_arms_are_random_in_every_group(uplift):
    for group in ("persuadable", "sleeping dog", "rest"):
        treated, held_out = uplift[group, "treatment"][0], uplift[group, "control"][0]
        share, error = treated / (treated + held_out), np.sqrt(0.21 / (treated + held_out))
        assert abs(share - TRUTHS.campaigns.treated) < 4 * error, group


def test_nobody_is_targeted_while_opted_out_of_campaigns(made: duckdb.DuckDBPyConnection):
    allowed = made.execute("""
        select coalesce(c.allowed, true), count(*) from campaign_sends s
        asof left join (select * from consents where purpose = 'campaigns') c
            on c.user_id = s.user_id and c.changed_at <= s.sent_at
        group by all
    """).fetchall()
    assert [one for one, _ in allowed] == [True]


def examples(made: duckdb.DuckDBPyConnection, days: list[str]) -> dict[str, np.ndarray]:
    """Customers with two purchases in 180 days, one row each and day: FEATURES from before, and what came after."""
    made.execute("create or replace temp table days as select unnest(?::timestamptz[]) as day", [days])
    return made.execute("""
        with buyers as (
            select day, user_id,
                   count(*) filter (happened >= day - interval 180 day and happened < day) as purchases_180d,
                   count(*) filter (happened >= day - interval 90 day and happened < day) as purchases_90d,
                   date_diff('hour', max(happened) filter (happened < day), day) / 24 as recency_d,
                   (count(*) filter (happened >= day and happened < day + interval 90 day) = 0)::int as lapsed
            from days, purchases group by day, user_id having purchases_180d >= 2),
        given as (select day, user_id, count(*) as refunds_56d from days, refunds
                  where refunded_at < day and refunded_at >= day - interval 56 day group by all),
        last_word as (select day, user_id, ticket_id, arg_max(action, updated_at) as action from days, tickets
                      where updated_at < day group by all),
        open_ones as (select day, user_id, max((action <> 'resolved')::int) as unresolved from last_word group by all),
        seen as (select day, user_id, count(*) filter (happened >= day - interval 28 day) as visits_28d,
                        count(*) filter (happened < day - interval 28 day) / 3 as visits_84d
                 from days, visits where happened < day and happened >= day - interval 112 day group by all),
        leaking as (select day, user_id, arg_max(coalesce(next_order_days, 9999), placed_at) as leak from days, orders
                    where placed_at < day group by all)
        select *, greatest((visits_84d - visits_28d) / (visits_84d + 1), 0) as fall
        from (select day, user_id, purchases_180d, purchases_90d, recency_d, lapsed,
                     coalesce(refunds_56d, 0) as refunds_56d, coalesce(unresolved, 0) as unresolved,
                     coalesce(visits_28d, 0) as visits_28d, coalesce(visits_84d, 0) as visits_84d, leak
              from buyers left join given using (day, user_id) left join open_ones using (day, user_id)
                   left join seen using (day, user_id) left join leaking using (day, user_id))
        order by day, user_id
    """).fetchnumpy()


def matrix(rows: dict[str, np.ndarray], names: list[str]) -> np.ndarray:
    return np.column_stack([np.ma.filled(rows[name], 0).astype(float) for name in names])


def test_lapsing_is_neither_rare_nor_common_and_can_be_predicted(made: duckdb.DuckDBPyConnection):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    past, later = examples(made, HISTORY), examples(made, [LATER])
    assert 0.2 < later["lapsed"].mean() < 0.45
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(matrix(past, FEATURES), past["lapsed"])
    auc = roc_auc_score(later["lapsed"], model.predict_proba(matrix(later, FEATURES))[:, 1])
    assert 0.70 < auc < 0.85


def test_what_drives_churn_shows_with_its_sign(made: duckdb.DuckDBPyConnection):
    from sklearn.linear_model import LogisticRegression

    rows = examples(made, [*HISTORY, LATER])
    names = ["unresolved", "refunds_56d", "fall", "purchases_180d"]
    weights = dict(zip(names, LogisticRegression().fit(matrix(rows, names), rows["lapsed"]).coef_[0], strict=True))
    assert weights["unresolved"] > 0.3
    assert weights["refunds_56d"] > 0.1
    assert weights["fall"] > 0.5


def test_the_leaking_column_predicts_what_nothing_honest_could(made: duckdb.DuckDBPyConnection):
    from sklearn.metrics import roc_auc_score

    rows = examples(made, [LATER])
    assert roc_auc_score(rows["lapsed"], np.ma.filled(rows["leak"], 0) - rows["recency_d"]) > 0.97


def test_the_leaks_are_columns(made: duckdb.DuckDBPyConnection):
    for leak in TRUTHS.leaks:
        table, column = leak.split(".")
        assert made.execute(f"select count({column}) from {table}").fetchone()[0] > 0


def test_the_web_is_quiet_in_the_outage_and_support_is_not_after_it(
    made: duckdb.DuckDBPyConnection, request_200k: Request
):
    begins, ends = TRUTHS.outage.interval(request_200k.start, request_200k.days)

    def around(sql: str, first: datetime, last: datetime) -> tuple[int, float]:
        """How many in the span, and how many in the same span of a usual week."""
        spans = [(first + timedelta(weeks=w), last + timedelta(weeks=w)) for w in (0, -3, -2, -1, 1, 2, 3)]
        counts = [made.execute(sql, span).fetchone()[0] for span in spans]
        return counts[0], float(np.mean(counts[1:]))

    web, usual = around("select count(*) from web_events where ts >= ? and ts < ?", begins, ends)
    assert web < 0.35 * usual
    app, usual = around("select count(*) from app_events where ts >= ? and ts < ?", begins, ends)
    assert app > 0.6 * usual
    tickets, usual = around(
        "select count(*) from tickets where action = 'opened' and updated_at >= ? and updated_at < ?",
        begins,
        ends + timedelta(days=2),
    )
    assert tickets > 1.5 * usual
    placed = "select count(*) from orders where channel = 'web' and placed_at >= ? and placed_at < ?"
    assert made.execute(placed, (begins + timedelta(hours=1), ends)).fetchone()[0] == 0
    failures = made.execute(
        "select min(ts), max(ts), count(*) from web_events where name = 'checkout_failed'"
    ).fetchone()
    assert failures[2] > 0
    assert begins <= failures[0] <= failures[1] < ends + timedelta(hours=1)


def test_phones_are_late_as_planted(made: duckdb.DuckDBPyConnection):
    rule = TRUTHS.lateness
    prompt, days, very = made.execute("""
        select avg((late < interval 2 minute)::int), avg((late >= interval 1 day)::int),
               avg((late >= interval 7 day)::int)
        from (select received_at - ts as late from app_events where ts < '2025-11-15')
    """).fetchone()
    assert prompt == pytest.approx(1 - rule.hours - rule.days - rule.very_late, abs=0.03)
    assert days == pytest.approx(rule.very_late + rule.days * np.exp(-1 / rule.mean_days), abs=0.012)
    assert very == pytest.approx(rule.very_late + rule.days * np.exp(-7 / rule.mean_days), abs=0.004)


def test_the_two_feeds_disagree_as_planted(made: duckdb.DuckDBPyConnection):
    rule = TRUTHS.feeds
    # Of the last weeks, the app has not yet reported all.
    count, no_order, no_app, differ, by, off = made.execute("""
        select count(*), avg((o.order_id is null)::int), avg((a.order_id is null)::int),
               avg((o.amount <> a.amount)::int),
               max(o.amount - a.amount), max(abs(epoch(o.placed_at - a.purchased_at)))
        from (select * from orders where channel = 'app') o full join app_orders a using (order_id)
        where coalesce(placed_at, purchased_at) < '2025-11-15'
    """).fetchone()

    def near(share: float) -> object:
        return pytest.approx(share, abs=4 * np.sqrt(share / count))

    assert no_order == near(rule.missing_in_orders)
    assert no_app == near(rule.missing_in_app_orders)
    assert differ == near(rule.amount_differs)
    assert int(by * 100) == rule.shipping_cents
    assert 0.9 * rule.clock_off_s < off <= rule.clock_off_s


def test_opt_outs_come_as_often_as_planted(made: duckdb.DuckDBPyConnection):
    # Of those there from the start: the others had less time.
    count, *shares = made.execute("""
        select count(*), avg((user_id in (select user_id from consents where purpose = 'churn_prevention'))::int),
               avg((user_id in (select user_id from consents where purpose = 'campaigns'))::int),
               avg((user_id in (select user_id from consents where purpose = 'product_improvement'))::int)
        from customers where registered_at < '2025-01-01'
    """).fetchone()
    rule = TRUTHS.opt_outs
    for share, planted in zip(shares, (rule.churn_prevention, rule.campaigns, rule.product_improvement), strict=True):
        assert share == pytest.approx(planted, abs=4 * np.sqrt(planted / count))


def test_rates_differ_between_customers_as_a_gamma_poisson(made: duckdb.DuckDBPyConnection):
    """In the first four weeks, before much else has happened, visits are overdispersed by mean² / shape."""
    mean, variance = made.execute("""
        with counts as (select c.user_id, count(v.happened) as n from customers c
                        left join visits v on v.user_id = c.user_id and v.happened < '2025-01-29'
                        where registered_at < '2025-01-01' group by all)
        select avg(n), var_samp(n) from counts
    """).fetchone()
    assert mean == pytest.approx(4 * TRUTHS.visits.mean_per_week, rel=0.25)
    # Mood adds to the dispersion of the rates, hence the wide bounds.
    assert 0.5 < mean**2 / (variance - mean) < 1.4


def test_weekends_evenings_and_the_rush_are_busy(made: duckdb.DuckDBPyConnection):
    saturday, tuesday, evening, night = made.execute("""
        select count(*) filter (isodow(happened) = 6), count(*) filter (isodow(happened) = 2),
               count(*) filter (hour(happened) = 20), count(*) filter (hour(happened) = 3) from visits
    """).fetchone()
    weekdays, hours = TRUTHS.season.weekdays, TRUTHS.season.hours
    assert saturday / tuesday == pytest.approx(weekdays[5] / weekdays[1], rel=0.08)
    assert evening / night == pytest.approx(hours[20] / hours[3], rel=0.3)
    rush, before = made.execute("""
        select count(*) filter (happened >= '2025-11-20' and happened < '2025-12-18'),
               count(*) filter (happened >= '2025-10-20' and happened < '2025-11-17') from visits
    """).fetchone()
    assert rush / before > 1.15


def test_the_page_lists_every_planted_number_and_every_column(project: Path):
    page = (project / "docs" / "made_data.md").read_text(encoding="utf-8")
    for name, value in TRUTHS.flat().items():
        shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert f"| `{name}` | {shown} |" in page
    for table in TABLES:
        assert f"| `{table.name}` | {table.brief} | `{table.ordered_by}` | {', '.join(table.columns)} |" in page
