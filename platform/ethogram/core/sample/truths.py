"""What is planted in the made shop: every number that the generator obeys and that a later test may look for."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Customers:
    """Who is there. `before_start` of them registered in the `earlier_days` before the period, the rest during it.

    `strangers_each`: visits a year, for each customer, of people who never become one.
    """

    before_start: float = 0.6
    earlier_days: int = 720
    app_first: float = 0.4
    app_share_app_first: float = 0.8
    app_share_web_first: float = 0.1
    signed_in_web: float = 0.75
    signed_in_app: float = 0.95
    second_cookie: float = 0.3
    strangers_each: float = 1.5
    app_share_strangers: float = 0.2


@dataclass(frozen=True, slots=True)
class Visits:
    """Sessions a week while active: Poisson with a gamma rate (the gamma-Poisson of RFM models), times season and mood.

    Mood is the logarithm of a customer's momentary rate over the lasting one, an AR(1) by week.
    """

    gamma_shape: float = 1.0
    mean_per_week: float = 0.28
    mood_persistence: float = 0.9
    mood_shock: float = 0.18
    mood_per_unresolved_ticket: float = -0.12
    lapsed_factor: float = 0.06


@dataclass(frozen=True, slots=True)
class Purchases:
    """A session ends in a purchase with the customer's own probability, beta distributed."""

    beta_a: float = 3.6
    beta_b: float = 5.4
    lapsed_factor: float = 0.15
    refunded: float = 0.08
    refund_days: tuple[int, int] = (2, 25)
    fully_refunded: float = 0.65


@dataclass(frozen=True, slots=True)
class Lapse:
    """Logit of the weekly hazard with which an active customer lapses; all terms are observable at the week's end.

    `unresolved_ticket` 0 or 1; `refund` each refund of the last 56 days; `visit_fall` in [0, 1]: the share by which the
    visits of the last 28 days fall short of the mean of the three 28-day spans before; `unwelcome_campaign` 0 or 1: a
    treated sleeping dog within the campaign's effect.
    """

    intercept: float = -5.2
    unresolved_ticket: float = 2.5
    refund: float = 1.3
    visit_fall: float = 2.2
    unwelcome_campaign: float = 1.5
    returns_per_week: float = 0.004


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Every fourth week; who is targeted and who is held out is random, whatever the customer.

    Persuadable: app-first with `persuadable_visits` sessions (both ends included) in the 56 days before the send.
    Sleeping dog: web-first with at least `sleeping_dog_visits` of them. On everybody else the effect is nil.
    """

    first_week: int = 8
    every_weeks: int = 4
    targeted: float = 0.4
    treated: float = 0.7
    effect_days: int = 14
    recent_days: int = 56
    persuadable_visits: tuple[int, int] = (2, 6)
    persuadable_visit_factor: float = 1.5
    persuadable_purchase_factor: float = 1.6
    sleeping_dog_visits: int = 6
    sleeping_dog_purchase_factor: float = 0.45
    sleeping_dog_opts_out: float = 0.05
    opened: float = 0.3
    opened_persuadable: float = 0.5
    clicked_when_opened: float = 0.35
    coupon_redeemed: float = 0.6
    coupon_discount: float = 0.1


@dataclass(frozen=True, slots=True)
class Tickets:
    """A ticket is opened after an order, a refund, a failed checkout, or for no reason that we can see."""

    after_order: float = 0.1
    after_refund: float = 0.25
    after_failed_checkout: float = 0.5
    after_lost_visit: float = 0.4
    per_week: float = 0.001
    slow: float = 0.3
    median_days: float = 1.5
    median_days_slow: float = 30.0
    reopened: float = 0.12
    called: float = 0.25
    other_calls: float = 0.05


@dataclass(frozen=True, slots=True)
class Outage:
    """The web shop is down from `after_share` of the period (whole days) plus `hour`, for `hours`; the app is not."""

    after_share: float = 0.55
    hour: int = 8
    hours: int = 30
    web_sessions_lost: float = 0.85
    checkout_tried: float = 0.4

    def interval(self, start: datetime, days: int) -> tuple[datetime, datetime]:
        """First instant of the outage and the first one after it.

        >>> from datetime import UTC
        >>> [str(at) for at in Outage().interval(datetime(2025, 1, 1, tzinfo=UTC), 365)]
        ['2025-07-20 08:00:00+00:00', '2025-07-21 14:00:00+00:00']
        """
        begins = start + timedelta(days=int(days * self.after_share), hours=self.hour)
        return begins, begins + timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True)
class Feeds:
    """`orders` and `app_orders` both report what is bought in the app, and do not agree.

    `amount_differs` of the orders in both feeds lack the shipping (`shipping_cents`) in the app's; the app's clock is
    off by up to `clock_off_s` seconds either way.
    """

    missing_in_orders: float = 0.02
    missing_in_app_orders: float = 0.03
    amount_differs: float = 0.05
    shipping_cents: int = 490
    clock_off_s: int = 120


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long an app session waits on the phone before it is received: prompt, hours, days or very late.

    Shares add up with the prompt rest to 1; the means are of exponentials, the very late are uniform in their days.
    A web event is there within `web_s` seconds.
    """

    hours: float = 0.15
    mean_hours: float = 3.0
    days: float = 0.045
    mean_days: float = 2.0
    very_late: float = 0.005
    very_late_days: tuple[int, int] = (7, 30)
    prompt_s: float = 4.0
    web_s: float = 1.5


@dataclass(frozen=True, slots=True)
class OptOuts:
    """Share of customers who opt out of a purpose at some time of a full year, and of those who later come back."""

    churn_prevention: float = 0.025
    campaigns: float = 0.06
    product_improvement: float = 0.04
    come_back: float = 0.2


@dataclass(frozen=True, slots=True)
class Season:
    """Relative activity by weekday (Monday first), by hour (UTC) and over the year."""

    weekdays: tuple[float, ...] = (0.93, 0.91, 0.92, 0.96, 1.02, 1.16, 1.10)
    hours: tuple[float, ...] = (
        *(0.30, 0.18, 0.12, 0.10, 0.12, 0.25, 0.50, 0.80, 1.00, 1.10, 1.15, 1.20),
        *(1.30, 1.20, 1.15, 1.15, 1.25, 1.45, 1.70, 1.95, 2.05, 1.80, 1.25, 0.70),
    )
    winter_swing: float = 0.12
    rush_days_of_year: tuple[int, int] = (324, 355)
    rush_factor: float = 1.35


@dataclass(frozen=True, slots=True)
class Truths:
    """All that is planted. `leaks` are the columns that only the end of the period could fill in."""

    customers: Customers = field(default_factory=Customers)
    visits: Visits = field(default_factory=Visits)
    purchases: Purchases = field(default_factory=Purchases)
    lapse: Lapse = field(default_factory=Lapse)
    campaigns: Campaigns = field(default_factory=Campaigns)
    tickets: Tickets = field(default_factory=Tickets)
    outage: Outage = field(default_factory=Outage)
    feeds: Feeds = field(default_factory=Feeds)
    lateness: Lateness = field(default_factory=Lateness)
    opt_outs: OptOuts = field(default_factory=OptOuts)
    season: Season = field(default_factory=Season)
    leaks: tuple[str, ...] = ("orders.next_order_days", "customers.lifetime_value_final", "customers.churned_at")

    def flat(self) -> dict[str, object]:
        """Every planted number under its dotted name, as docs/made_data.md and the manifest list them.

        >>> TRUTHS.flat()["lapse.refund"]
        1.3
        """
        found: dict[str, object] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            if is_dataclass(value):
                found.update({f"{part.name}.{one.name}": getattr(value, one.name) for one in fields(value)})
            else:
                found[part.name] = value
        return found


TRUTHS = Truths()
