"""Web and app events of a block, who turned out to be behind them, and the checkouts that became orders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ethogram.core.sample.block import Block, campaign_names, coded
from ethogram.core.sample.catalogue import CATEGORIES, catalogue
from ethogram.core.sample.life import Bools, Ints
from ethogram.core.sample.period import DAY, HOUR, SECOND
from ethogram.core.sample.tables import Coded, Column, Rows
from ethogram.core.sample.truths import TRUTHS

EVENTS = (
    *("page_view", "product_view", "search", "sign_in", "sign_up", "add_to_cart", "remove_from_cart"),
    *("checkout_started", "checkout_failed"),
)
PAGE_VIEW, PRODUCT_VIEW, SEARCH, SIGN_IN, SIGN_UP, ADD_TO_CART, REMOVE_FROM_CART, CHECKOUT, FAILURE = range(len(EVENTS))
_BROWSERS = ("desktop", "mobile_web")
_PHONES = ("android", "ios")
_SLOTS = 4  # anonymous ids of a customer: two cookies, a phone, and one to spare
_PHONE = 2


@dataclass(frozen=True, slots=True)
class Checkouts:
    """Orders by their number: when placed, what mainly, from where, and how long the phone kept its report back."""

    who: Ints
    at: Ints
    app: Bools
    product: NDArray[np.int16]
    coupon: Ints
    refunded: Ints
    wait: Ints


@dataclass(frozen=True, slots=True)
class _Visits:
    who: Ints
    at: Ints
    app: Bools
    bought: Bools
    failed: Bools
    campaign: Ints
    stranger: Bools
    signs_up: Bools


@dataclass(frozen=True, slots=True)
class _Anonymous:
    """Behind which anonymous id each visit is, whether signed in, and whether it is the first such of that id."""

    slot: Ints
    stranger_number: Ints
    signed: Bools
    links: Bools

    def ids(self, block: Block, who: Ints, stranger: Bools, visit: Ints) -> NDArray[np.bytes_]:
        known = block.ids("a", "known", np.arange(block.size * _SLOTS))
        unknown = block.ids("a", "stranger", np.arange(np.count_nonzero(stranger)))
        place = np.where(stranger, len(known) + self.stranger_number, who * _SLOTS + self.slot)
        return np.concatenate([known, unknown])[place[visit]]


def browse(block: Block) -> tuple[dict[str, Rows], Checkouts]:
    """The tables web_events, app_events and identities, and what the sessions that ended in a purchase ordered."""
    rng, lives = block.rng, block.lives
    visits = _visits(block)
    count = len(visits.who)
    hidden = _anonymous(block, visits)
    main = catalogue().pick(rng, count)

    cart = visits.bought | visits.failed | (rng.random(count) < 0.15)
    checkout = visits.bought | visits.failed | (cart & (rng.random(count) < 0.25))
    removes = cart & ~checkout & (rng.random(count) < 0.25)
    middle = np.maximum(rng.poisson(0.8, count), cart)
    first_middle = 1 + hidden.links
    at_cart = first_middle + middle
    at_removal = at_cart + cart
    at_checkout = at_removal + removes
    at_failure = at_checkout + checkout
    length = at_failure + visits.failed

    visit = np.repeat(np.arange(count), length)
    first = np.cumsum(length) - length
    place = np.arange(len(visit)) - first[visit]
    kind = rng.random(len(visit))
    name = np.full(len(visit), FAILURE, dtype=np.int16)
    name[place < at_failure[visit]] = CHECKOUT
    name[place < at_checkout[visit]] = REMOVE_FROM_CART
    name[place < at_removal[visit]] = ADD_TO_CART
    browsing = place < at_cart[visit]
    name[browsing] = np.select([kind[browsing] < 0.65, kind[browsing] < 0.82], [PRODUCT_VIEW, PAGE_VIEW], SEARCH)
    chosen = (place == first_middle[visit]) & cart[visit]
    name[chosen] = PRODUCT_VIEW
    name[place < first_middle[visit]] = SIGN_IN
    name[(place == 1) & (visits.signs_up & hidden.links)[visit]] = SIGN_UP
    name[place == 0] = PAGE_VIEW
    about = np.isin(name, (PRODUCT_VIEW, ADD_TO_CART, REMOVE_FROM_CART))
    product = np.where(chosen | (name != PRODUCT_VIEW), main[visit], catalogue().pick(rng, len(visit)))
    product = np.where(about, product, -1)

    gap = ((2 + rng.exponential(35.0, len(visit))) * SECOND).astype(np.int64)
    gap[first] = 0
    since = np.cumsum(gap)
    at = visits.at[visit] + since - since[first][visit]
    last = at[first + length - 1]
    wait = _waits(rng, count)
    app = visits.app[visit]
    prompt = (rng.exponential(np.where(app, TRUTHS.lateness.prompt_s, TRUTHS.lateness.web_s)) * SECOND).astype(np.int64)
    # A phone that was offline sends the whole session at once, in order.
    sent = last[visit] + wait[visit] + place * 20_000
    received = np.where(app & (wait[visit] > 0), np.maximum(sent, at + prompt), at + prompt)

    anonymous = hidden.ids(block, visits.who, visits.stranger, visit)
    signed = hidden.signed[visit] & ~(hidden.links[visit] & (place == 0))
    device = (rng.random(count) < 0.4)[visit]
    who = visits.who[visit]
    campaigns = campaign_names(block.period)

    def columns(space: str, kind_of_device: str, devices: tuple[str, ...], rows: Ints) -> dict[str, Column]:
        category = np.where(product[rows] >= 0, catalogue().category[product[rows]], -1)
        return {
            "event_id": block.ids("e", space, rows),
            "name": Coded(name[rows], EVENTS),
            "anonymous_id": anonymous[rows],
            "user_id": block.users(who[rows], signed[rows]),
            "ts": block.instants(at[rows]),
            "received_at": block.instants(received[rows]),
            kind_of_device: coded(device[rows], devices),
            "product_id": coded(product[rows], catalogue().names),
            "category": coded(category, CATEGORIES),
            "campaign_id": coded(visits.campaign[visit][rows], campaigns),
        }

    web, phone = np.flatnonzero(~app), np.flatnonzero(app)
    linking = np.flatnonzero(hidden.links[visit] & (place == 1))

    def identities(rows: Ints) -> dict[str, Column]:
        events = linking[rows]
        return {
            "anonymous_id": anonymous[events],
            "user_id": block.users(who[events]),
            "device": coded(app[events], ("browser", "phone")),
            "linked_at": block.instants(at[events]),
        }

    tables = {
        "web_events": block.rows(who[web], received[web], lambda rows: columns("web", "device", _BROWSERS, web[rows])),
        "app_events": block.rows(who[phone], received[phone], lambda rows: columns("app", "os", _PHONES, phone[rows])),
        "identities": block.rows(who[linking], at[linking], identities),
    }
    orders = np.flatnonzero(visits.bought)
    placed = last[orders] + rng.integers(15 * SECOND, 90 * SECOND, len(orders))
    return tables, Checkouts(
        who=visits.who[orders],
        at=placed,
        app=visits.app[orders],
        product=main[orders],
        coupon=lives.sessions.coupon[orders],
        refunded=lives.refunded[orders],
        wait=wait[orders],
    )


def strangers(block: Block, count: int) -> dict[str, Rows]:
    """Exactly `count` web page views, each of a visitor who never came back."""
    rng, period = block.rng, block.period
    at = period.spread(rng, count) % period.length
    at = np.sort(np.where(period.in_outage(at), at - 4 * DAY, at))
    nothing, numbers = np.full(count, -1), np.arange(count)
    columns: dict[str, Column] = {
        "event_id": block.ids("e", "web", numbers),
        "name": coded(np.full(count, PAGE_VIEW), EVENTS),
        "anonymous_id": block.ids("a", "stranger", numbers),
        "user_id": np.zeros(count, dtype="S11"),
        "ts": block.instants(at),
        "received_at": block.instants(at),
        "device": coded(rng.random(count) < 0.4, _BROWSERS),
        "product_id": coded(nothing, catalogue().names),
        "category": coded(nothing, CATEGORIES),
        "campaign_id": coded(nothing, campaign_names(period)),
    }
    return {"web_events": Rows(columns, np.zeros(count, dtype=np.int64))}


def _visits(block: Block) -> _Visits:
    """The customers' sessions first, in the order of `lives`, then those to sign up, those before and strangers'."""
    rng, period, people, own = block.rng, block.period, block.lives.people, block.lives.sessions
    rule = TRUTHS.customers
    new = np.flatnonzero(people.registered >= 0)
    ahead = np.repeat(new, rng.integers(0, 4, len(new)))
    foreign = np.repeat(np.arange(block.size), rng.poisson(rule.strangers_each * period.days / 365, block.size))
    who = np.concatenate([new, ahead, foreign])
    kind = np.repeat(np.arange(3), [len(new), len(ahead), len(foreign)])
    at = np.concatenate(
        [
            people.registered[new],
            people.registered[ahead]
            - rng.integers(0, 14, len(ahead)) * DAY
            - rng.integers(HOUR // 4, 2 * HOUR, len(ahead)),
            period.spread(rng, len(foreign)),
        ]
    )
    share = np.where(people.app_first, rule.app_share_app_first, rule.app_share_web_first)[who]
    app = rng.random(len(who)) < np.where(kind == 2, rule.app_share_strangers, share)
    lost = period.in_outage(at) & ~app & (rng.random(len(who)) < TRUTHS.outage.web_sessions_lost)
    kept = (at >= 0) & (at < period.length) & (~lost | (kind == 0))
    no = np.zeros(np.count_nonzero(kept), dtype=np.bool_)
    not_own = np.zeros(len(own.who), dtype=np.bool_)
    return _Visits(
        who=np.concatenate([own.who, who[kept]]),
        at=np.concatenate([own.at, at[kept]]),
        app=np.concatenate([own.app, app[kept]]),
        bought=np.concatenate([own.bought, no]),
        failed=np.concatenate([own.failed, no]),
        campaign=np.concatenate([own.campaign, no - 1]),
        stranger=np.concatenate([not_own, kind[kept] == 2]),
        signs_up=np.concatenate([not_own, kind[kept] == 0]),
    )


def _anonymous(block: Block, visits: _Visits) -> _Anonymous:
    rng, rule, count = block.rng, TRUTHS.customers, len(visits.who)
    changes = np.where(
        rng.random(block.size) < rule.second_cookie,
        rng.integers(0, block.period.length, block.size),
        block.period.length,
    )
    slot = np.where(visits.app, _PHONE, visits.at >= changes[visits.who])
    may = ~visits.stranger & (visits.at >= block.lives.people.registered[visits.who])
    chance = np.where(visits.app, rule.signed_in_app, rule.signed_in_web)
    signed = visits.bought | visits.failed | visits.signs_up | (may & (rng.random(count) < chance))
    order = np.flatnonzero(signed)
    order = order[np.argsort(visits.at[order], kind="stable")]
    _, first = np.unique(visits.who[order] * _SLOTS + slot[order], return_index=True)
    links = np.zeros(count, dtype=np.bool_)
    links[order[first]] = True
    return _Anonymous(slot, np.cumsum(visits.stranger) - 1, signed, links)


def _waits(rng: np.random.Generator, count: int) -> Ints:
    """How long a phone keeps a session back, in µs; 0 for most."""
    rule = TRUTHS.lateness
    luck = rng.random(count)
    low, high = rule.very_late_days
    wait = np.select(
        [luck < rule.very_late, luck < rule.very_late + rule.days, luck < rule.very_late + rule.days + rule.hours],
        [
            rng.uniform(low, high, count) * DAY,
            rng.exponential(rule.mean_days, count) * DAY,
            rng.exponential(rule.mean_hours, count) * HOUR,
        ],
        0.0,
    )
    return wait.astype(np.int64)
