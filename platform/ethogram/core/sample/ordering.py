"""Orders of a block as the shop's order book and the app each report them, and refunds."""

from __future__ import annotations

import numpy as np

from ethogram.core.sample.block import Block, coded, euros, nulls
from ethogram.core.sample.browsing import Checkouts
from ethogram.core.sample.catalogue import CATEGORIES, catalogue
from ethogram.core.sample.life import Ints
from ethogram.core.sample.period import DAY, SECOND
from ethogram.core.sample.tables import Column, Rows
from ethogram.core.sample.truths import TRUTHS

REASONS = ("damaged", "did_not_fit", "late", "changed_mind")


def order(block: Block, checkouts: Checkouts) -> tuple[dict[str, Rows], Ints]:
    """The tables orders, app_orders and refunds, and what each customer had spent by the period's end, in cents."""
    rng, rule = block.rng, TRUTHS.feeds
    who, at, count = checkouts.who, checkouts.at, len(checkouts.who)
    items = 1 + rng.poisson(0.7, count)
    worth = catalogue().cents[checkouts.product] * items * block.lives.people.spend[who]
    worth *= np.where(checkouts.coupon >= 0, 1 - TRUTHS.campaigns.coupon_discount, 1.0)
    amount = np.maximum(worth.astype(np.int64), 100) + rule.shipping_cents
    refund = np.flatnonzero(checkouts.refunded < block.period.length)
    whole = rng.random(len(refund)) < TRUTHS.purchases.fully_refunded
    given_back = (amount[refund] * np.where(whole, 1.0, rng.uniform(0.2, 0.8, len(refund)))).astype(np.int64)
    reason = rng.integers(0, len(REASONS), len(refund))

    in_orders = ~(checkouts.app & (rng.random(count) < rule.missing_in_orders))
    in_app = checkouts.app & (~in_orders | (rng.random(count) >= rule.missing_in_app_orders))
    booked, reported = np.flatnonzero(in_orders), np.flatnonzero(in_app)
    differs = rng.random(count) < rule.amount_differs
    amount_app = amount - np.where(differs, rule.shipping_cents, 0)
    at_app = at + rng.integers(-rule.clock_off_s * SECOND, rule.clock_off_s * SECOND, count)
    received = np.maximum(at, at_app) + checkouts.wait + rng.integers(0, 5 * SECOND, count)
    next_order = _days_to_next(who, at)

    def ids(numbers: Ints) -> Column:
        return block.ids("o", "order", numbers)

    def orders(rows: Ints) -> dict[str, Column]:
        n = booked[rows]
        coupon = block.ids("k", "send", np.maximum(checkouts.coupon[n], 0))
        return {
            "order_id": ids(n),
            "user_id": block.users(who[n]),
            "placed_at": block.instants(at[n]),
            "channel": coded(checkouts.app[n], ("web", "app")),
            "amount": amount[n],
            "currency": euros(len(n)),
            "items": items[n],
            "category": coded(catalogue().category[checkouts.product[n]], CATEGORIES),
            "coupon_code": np.where(checkouts.coupon[n] >= 0, coupon, b""),
            "next_order_days": next_order[n],
        }

    def app_orders(rows: Ints) -> dict[str, Column]:
        n = reported[rows]
        return {
            "order_id": ids(n),
            "user_id": block.users(who[n]),
            "purchased_at": block.instants(at_app[n]),
            "received_at": block.instants(received[n]),
            "amount": amount_app[n],
            "currency": euros(len(n)),
            "items": items[n],
        }

    def refunds(rows: Ints) -> dict[str, Column]:
        n = refund[rows]
        return {
            "refund_id": block.ids("r", "refund", n),
            "order_id": ids(n),
            "user_id": block.users(who[n]),
            "refunded_at": block.instants(checkouts.refunded[n]),
            "amount": given_back[rows],
            "currency": euros(len(n)),
            "reason": coded(reason[rows], REASONS),
        }

    spent = np.bincount(who, weights=amount, minlength=block.size)
    spent -= np.bincount(who[refund], weights=given_back, minlength=block.size)
    return {
        "orders": block.rows(who[booked], at[booked], orders),
        "app_orders": block.rows(who[reported], received[reported], app_orders),
        "refunds": block.rows(who[refund], checkouts.refunded[refund], refunds),
    }, spent.astype(np.int64)


def _days_to_next(who: Ints, at: Ints) -> Ints:
    """Whole days from each order to the same customer's next; null on the last one."""
    days = nulls(len(who))
    by_customer = np.lexsort((at, who))
    same = who[by_customer[1:]] == who[by_customer[:-1]]
    gaps = (at[by_customer[1:]] - at[by_customer[:-1]]) // DAY
    days[by_customer[:-1][same]] = gaps[same]
    return days
