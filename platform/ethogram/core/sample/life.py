"""How a block of customers lives through the period, week by week: what they are like, do, are sent and go through.

All arrays are parallel; instants are µs since the period's start (negative: before it); `who` indexes the block.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ethogram.core.sample.period import DAY, HOUR, SECOND, WEEK, Period
from ethogram.core.sample.truths import TRUTHS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max
KINDS = ("newsletter", "voucher", "winback")
TOPICS = ("order", "refund", "checkout", "site_down", "question")
_BEFORE = 16  # weeks of visits that customers of old bring along, for the fall in their visits to be defined


@dataclass(frozen=True, slots=True)
class People:
    """What a customer is like; nothing of it but `registered` and `app_first` shows directly."""

    registered: Ints
    app_first: Bools
    visits_per_week: Floats
    buys: Floats
    spend: Floats


@dataclass(frozen=True, slots=True)
class Sessions:
    """`failed`: a checkout that the outage broke. `campaign`: number of the campaign that led here, -1 none."""

    who: Ints
    at: Ints
    app: Bools
    bought: Bools
    failed: Bools
    campaign: Ints
    coupon: Ints


@dataclass(frozen=True, slots=True)
class Sends:
    who: Ints
    at: Ints
    campaign: Ints
    treated: Bools
    opened: Ints
    clicked: Ints


@dataclass(frozen=True, slots=True)
class TicketLives:
    """`reopened` and `resolved_again` are NEVER for most."""

    who: Ints
    opened: Ints
    topic: Ints
    resolved: Ints
    reopened: Ints
    resolved_again: Ints


_Part = TypeVar("_Part", Sessions, Sends, TicketLives)


def _joined(kind: type[_Part], parts: list[_Part]) -> _Part:
    return kind(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(kind)))


@dataclass(frozen=True, slots=True)
class Lives:
    """A session with `refunded` other than NEVER was an order given back; `coupon` numbers a send that was redeemed."""

    people: People
    sessions: Sessions
    refunded: Ints
    sends: Sends
    tickets: TicketLives
    opted_out: Ints
    opted_back: Ints
    lapsed_at: Ints


def campaign_weeks(period: Period) -> range:
    """Weeks that start with a campaign: the eighth and every fourth after, halfway in periods under 16 weeks."""
    rule = TRUTHS.campaigns
    return range(min(rule.first_week, period.weeks // 2), period.weeks, rule.every_weeks)


def live(rng: np.random.Generator, count: int, period: Period) -> Lives:
    """The lives of `count` customers; the same generator state gives the same lives."""
    people = _born(rng, count, period)
    out, back = opt_outs(rng, people.registered, period, TRUTHS.opt_outs.campaigns)
    state = _State(people, out, back, rng, count, period)
    for week, season in enumerate(period.seasons()):
        state.step(week, float(season))
    return state.lives()


def opt_outs(rng: np.random.Generator, registered: Ints, period: Period, share: float) -> tuple[Ints, Ints]:
    """When each customer opts out of a purpose and when back in; NEVER for most."""
    count = len(registered)
    chance = 1 - (1 - share) ** (period.days / 365)
    at = rng.integers(0, period.length, count)
    out = np.where((rng.random(count) < chance) & (at >= registered), at, NEVER)
    returns = (out != NEVER) & (rng.random(count) < TRUTHS.opt_outs.come_back)
    back = np.where(returns, np.minimum(out, period.length) + rng.integers(7 * DAY, 90 * DAY, count), NEVER)
    return out, back


def _born(rng: np.random.Generator, count: int, period: Period) -> People:
    who, visits, buys = TRUTHS.customers, TRUTHS.visits, TRUTHS.purchases
    earlier = rng.random(count) < who.before_start
    during = period.spread(rng, count) % period.length
    registered = np.where(earlier, -rng.integers(1, who.earlier_days * DAY, count), during)
    return People(
        registered=registered,
        app_first=rng.random(count) < who.app_first,
        visits_per_week=rng.gamma(visits.gamma_shape, visits.mean_per_week / visits.gamma_shape, count),
        buys=rng.beta(buys.beta_a, buys.beta_b, count),
        spend=np.exp(rng.normal(0.0, 0.35, count)),
    )


class _State:
    """Where each customer stands at the start of a week, and what has been recorded so far."""

    def __init__(
        self, people: People, out: Ints, back: Ints, rng: np.random.Generator, count: int, period: Period
    ) -> None:
        self.people, self.rng, self.count, self.period = people, rng, count, period
        self.opted_out, self.opted_back = out, back
        self.alive = np.ones(count, dtype=np.bool_)
        self.lapsed_at = np.full(count, NEVER)
        self.mood = rng.normal(0.0, 0.3, count)
        self.visits = np.zeros((count, _BEFORE + period.weeks), dtype=np.int64)
        old = people.registered < -_BEFORE * WEEK
        self.visits[:, :_BEFORE] = rng.poisson(np.where(old, people.visits_per_week, 0)[:, None], (count, _BEFORE))
        self.refunds = np.zeros((count, period.weeks + 1), dtype=np.int64)
        self.ticket_from = np.full(count, NEVER)
        self.ticket_until = np.full(count, -1, dtype=np.int64)
        self.persuaded_until = np.full(count, -1, dtype=np.int64)
        self.annoyed_until = np.full(count, -1, dtype=np.int64)
        self.clicked_at = np.full(count, NEVER)
        self.campaign = np.full(count, -1, dtype=np.int64)
        self.coupon = np.full(count, -1, dtype=np.int64)
        self.coupon_until = np.full(count, -1, dtype=np.int64)
        self.sends_so_far = 0
        self.sessions: list[Sessions] = []
        self.refunded: list[Ints] = []
        none = np.zeros(0, dtype=np.int64)
        self.sends: list[Sends] = [Sends(none, none, none, none.astype(np.bool_), none, none)]
        self.tickets: list[TicketLives] = []

    def step(self, week: int, season: float) -> None:
        if week in (weeks := campaign_weeks(self.period)):
            self._send(week, weeks.index(week))
        self._visit(week, season)
        self._decide_to_stay(week)

    def _send(self, week: int, campaign: int) -> None:
        rng, rule, starts = self.rng, TRUTHS.campaigns, week * WEEK
        reachable = (self.people.registered < starts) & ((self.opted_out > starts) | (self.opted_back <= starts))
        who = np.flatnonzero(reachable & (rng.random(self.count) < rule.targeted))
        treated = rng.random(len(who)) < rule.treated
        at = starts + 5 * HOUR + rng.integers(0, HOUR, len(who))
        recent = self.visits[who, _BEFORE + week - rule.recent_days // 7 : _BEFORE + week].sum(axis=1)
        app_first = self.people.app_first[who]
        low, high = rule.persuadable_visits
        persuaded = treated & app_first & (recent >= low) & (recent <= high)
        annoyed = treated & ~app_first & (recent >= rule.sleeping_dog_visits)
        until = week + rule.effect_days // 7
        self.persuaded_until[who[persuaded]] = until
        self.annoyed_until[who[annoyed]] = until
        leaves = who[annoyed & (rng.random(len(who)) < rule.sleeping_dog_opts_out)]
        leaves = leaves[self.opted_out[leaves] == NEVER]
        self.opted_out[leaves] = starts + 8 * HOUR + rng.integers(0, 2 * DAY, len(leaves))

        opens = treated & (rng.random(len(who)) < np.where(persuaded, rule.opened_persuadable, rule.opened))
        opened = np.where(opens, at + (rng.exponential(8.0, len(who)) * HOUR).astype(np.int64), NEVER)
        clicks = opens & (rng.random(len(who)) < rule.clicked_when_opened)
        clicked = np.where(clicks, np.where(opens, opened, 0) + rng.integers(5, 90, len(who)) * SECOND, NEVER)
        self.clicked_at[who] = clicked
        self.campaign[who] = campaign
        if KINDS[campaign % len(KINDS)] == "voucher":
            self.coupon[who] = np.where(treated, self.sends_so_far + np.arange(len(who)), -1)
            self.coupon_until[who] = until
        self.sends.append(Sends(who, at, np.full(len(who), campaign), treated, opened, clicked))
        self.sends_so_far += len(who)

    def _visit(self, week: int, season: float) -> None:
        rng, people, rule = self.rng, self.people, TRUTHS
        starts, ends = week * WEEK, (week + 1) * WEEK
        persuaded, annoyed = self.persuaded_until > week, self.annoyed_until > week
        rate = people.visits_per_week * np.exp(self.mood) * season
        rate *= np.where(self.alive, 1.0, rule.visits.lapsed_factor)
        rate *= np.where(persuaded, rule.campaigns.persuadable_visit_factor, 1.0)
        rate[people.registered >= ends] = 0.0
        who = np.repeat(np.arange(self.count), rng.poisson(rate))
        at = starts + self.period.moments(rng, len(who))
        there = (at >= people.registered[who]) & (at < self.period.length)
        who, at = who[there], at[there]
        order = np.lexsort((at, who))
        who, at = who[order], at[order]

        share = np.where(people.app_first, rule.customers.app_share_app_first, rule.customers.app_share_web_first)
        app = rng.random(len(who)) < share[who]
        down = self.period.in_outage(at) & ~app
        lost = down & (rng.random(len(who)) < rule.outage.web_sessions_lost)
        lost_who, lost_at = who[lost], at[lost]
        who, at, app, down = who[~lost], at[~lost], app[~lost], down[~lost]
        self.visits[:, _BEFORE + week] = np.bincount(who, minlength=self.count)

        chance = people.buys * np.where(self.alive, 1.0, rule.purchases.lapsed_factor)
        chance *= np.where(persuaded, rule.campaigns.persuadable_purchase_factor, 1.0)
        chance *= np.where(annoyed, rule.campaigns.sleeping_dog_purchase_factor, 1.0)
        luck = rng.random(len(who))
        failed = down & (luck < rule.outage.checkout_tried)
        bought = ~down & (luck < chance[who])

        clicked = self.clicked_at[who]
        from_campaign = (clicked <= at) & (at < clicked + 2 * DAY) & (rng.random(len(who)) < 0.6)
        campaign = np.where(from_campaign, self.campaign[who], -1)
        coupon = self._redeem(week, who, bought)

        refund = bought & (rng.random(len(who)) < rule.purchases.refunded)
        first, last = rule.purchases.refund_days
        refunded = np.where(refund, at + rng.integers(first * DAY, last * DAY, len(who)), NEVER)
        back = refunded[refund]
        np.add.at(self.refunds, (who[refund], np.minimum(back // WEEK, self.period.weeks)), 1)

        self.sessions.append(Sessions(who, at, app, bought, failed, campaign, coupon))
        self.refunded.append(refunded)
        self._complain(week, who, at, bought, failed, refunded, lost_who, lost_at)

    def _redeem(self, week: int, who: Ints, bought: Bools) -> Ints:
        """The coupon that each session's order uses: a customer's first order of the week may, once."""
        used = np.full(len(who), -1, dtype=np.int64)
        orders = np.flatnonzero(bought & (self.coupon[who] >= 0) & (self.coupon_until[who] > week))
        _, first = np.unique(who[orders], return_index=True)
        orders = orders[first]
        orders = orders[self.rng.random(len(orders)) < TRUTHS.campaigns.coupon_redeemed]
        used[orders] = self.coupon[who[orders]]
        self.coupon[who[orders]] = -1
        return used

    def _complain(
        self,
        week: int,
        who: Ints,
        at: Ints,
        bought: Bools,
        failed: Bools,
        refunded: Ints,
        lost_who: Ints,
        lost_at: Ints,
    ) -> None:
        rng, rule, ends = self.rng, TRUTHS.tickets, (week + 1) * WEEK
        after_order = np.flatnonzero(bought & (rng.random(len(who)) < rule.after_order))
        after_refund = np.flatnonzero((refunded != NEVER) & (rng.random(len(who)) < rule.after_refund))
        after_failure = np.flatnonzero(failed & (rng.random(len(who)) < rule.after_failed_checkout))
        after_loss = np.flatnonzero(rng.random(len(lost_who)) < rule.after_lost_visit)
        bored = np.flatnonzero(
            (rng.random(self.count) < rule.per_week) & self.alive & (self.people.registered < week * WEEK)
        )
        asked = (after_order, after_refund, after_failure, after_loss, bored)
        customer = np.concatenate(
            [who[after_order], who[after_refund], who[after_failure], lost_who[after_loss], bored]
        )
        opened = np.concatenate(
            [
                at[after_order] + rng.integers(DAY, 6 * DAY, len(after_order)),
                refunded[after_refund] + rng.integers(-DAY, 2 * DAY, len(after_refund)),
                at[after_failure] + rng.integers(DAY // 48, 2 * DAY, len(after_failure)),
                lost_at[after_loss] + rng.integers(DAY // 48, 2 * DAY, len(after_loss)),
                week * WEEK + rng.integers(0, WEEK, len(bored)),
            ]
        )
        topic = np.repeat(np.arange(len(TOPICS)), [len(one) for one in asked])
        # One ticket at a time: a customer whose last one is open into the next week does not open a second.
        free = np.flatnonzero(self.ticket_until[customer] <= ends)
        order = free[np.lexsort((opened[free], customer[free]))]
        _, first = np.unique(customer[order], return_index=True)
        chosen = order[first]
        customer, opened, topic = customer[chosen], opened[chosen], topic[chosen]

        slow = rng.random(len(chosen)) < rule.slow
        median = np.where(slow, rule.median_days_slow, rule.median_days)
        takes = np.maximum(median * np.exp(rng.normal(0.0, 0.8, len(chosen))) * DAY, 0.5 * HOUR)
        resolved = opened + takes.astype(np.int64)
        again = rng.random(len(chosen)) < rule.reopened
        reopened = np.where(again, resolved + rng.integers(HOUR, 12 * DAY, len(chosen)), NEVER)
        finally_ = np.where(again, np.where(again, reopened, 0) + rng.integers(DAY, 10 * DAY, len(chosen)), NEVER)
        self.ticket_from[customer] = opened
        self.ticket_until[customer] = np.where(again, finally_, resolved)
        self.tickets.append(TicketLives(customer, opened, topic, resolved, reopened, finally_))

    def _decide_to_stay(self, week: int) -> None:
        """Lapse or not, by what has happened up to the week's end."""
        rng, rule, ends = self.rng, TRUTHS.lapse, (week + 1) * WEEK
        now = _BEFORE + week + 1
        recent = self.visits[:, now - 4 : now].sum(axis=1)
        before = self.visits[:, now - 16 : now - 4].sum(axis=1) / 3
        fall = np.clip((before - recent) / (before + 1), 0.0, 1.0)
        unresolved = (self.ticket_from <= ends) & (ends < self.ticket_until)
        logit = (
            rule.intercept
            + rule.unresolved_ticket * unresolved
            + rule.refund * self.refunds[:, max(week - 7, 0) : week + 1].sum(axis=1)
            + rule.visit_fall * fall
            + rule.unwelcome_campaign * (self.annoyed_until > week)
        )
        luck = rng.random(self.count)
        lapses = self.alive & (self.people.registered < ends) & (luck < 1 / (1 + np.exp(-logit)))
        returns = ~self.alive & (luck < rule.returns_per_week)
        self.alive = (self.alive & ~lapses) | returns
        self.lapsed_at[lapses] = ends
        self.lapsed_at[returns] = NEVER
        visits = TRUTHS.visits
        self.mood = (
            visits.mood_persistence * self.mood
            + rng.normal(0.0, visits.mood_shock, self.count)
            + visits.mood_per_unresolved_ticket * unresolved
        )

    def lives(self) -> Lives:
        return Lives(
            people=self.people,
            sessions=_joined(Sessions, self.sessions),
            refunded=np.concatenate(self.refunded),
            sends=_joined(Sends, self.sends),
            tickets=_joined(TicketLives, self.tickets),
            opted_out=self.opted_out,
            opted_back=self.opted_back,
            lapsed_at=self.lapsed_at,
        )
