"""Campaign sends of a block with their arms, the responses to them, and coupons."""

from __future__ import annotations

import numpy as np

from ethogram.core.sample.block import Block, campaign_names, coded
from ethogram.core.sample.browsing import Checkouts
from ethogram.core.sample.life import KINDS, Ints
from ethogram.core.sample.tables import Column, Rows


def market(block: Block, checkouts: Checkouts) -> dict[str, Rows]:
    """The tables campaign_sends, campaign_responses and coupons."""
    sends, names = block.lives.sends, campaign_names(block.period)
    kind = sends.campaign % len(KINDS)
    push = block.lives.people.app_first & (block.rng.random(block.size) < 0.6)

    def send_ids(n: Ints) -> Column:
        return block.ids("s", "send", n)

    def campaign_sends(n: Ints) -> dict[str, Column]:
        return {
            "send_id": send_ids(n),
            "campaign_id": coded(sends.campaign[n], names),
            "kind": coded(kind[n], KINDS),
            "user_id": block.users(sends.who[n]),
            "arm": coded(sends.treated[n], ("control", "treatment")),
            "medium": coded(push[sends.who[n]], ("email", "push")),
            "sent_at": block.instants(sends.at[n]),
        }

    every = np.arange(len(sends.who))
    number = np.concatenate([every, every])
    clicked = np.repeat(np.arange(2), len(every))
    responded = np.concatenate([sends.opened, sends.clicked])

    def campaign_responses(rows: Ints) -> dict[str, Column]:
        n = number[rows]
        return {
            "response_id": block.ids("x", "response", rows),
            "send_id": send_ids(n),
            "campaign_id": coded(sends.campaign[n], names),
            "user_id": block.users(sends.who[n]),
            "action": coded(clicked[rows], ("opened", "clicked")),
            "responded_at": block.instants(responded[rows]),
        }

    issued = np.flatnonzero(sends.treated & (kind == KINDS.index("voucher")))
    used = np.flatnonzero(checkouts.coupon >= 0)
    coupon = np.concatenate([issued, checkouts.coupon[used]])
    order = np.concatenate([issued * 0, used])
    redeemed = np.repeat(np.arange(2), [len(issued), len(used)])
    changed = np.concatenate([sends.at[issued], checkouts.at[used]])

    def coupons(rows: Ints) -> dict[str, Column]:
        n = coupon[rows]
        return {
            "coupon_code": block.ids("k", "send", n),
            "user_id": block.users(sends.who[n]),
            "action": coded(redeemed[rows], ("issued", "redeemed")),
            "campaign_id": coded(sends.campaign[n], names),
            "order_id": np.where(redeemed[rows] == 1, block.ids("o", "order", order[rows]), b""),
            "changed_at": block.instants(changed[rows]),
        }

    return {
        "campaign_sends": block.rows(sends.who, sends.at, campaign_sends),
        "campaign_responses": block.rows(sends.who[number], responded, campaign_responses),
        "coupons": block.rows(sends.who[coupon], changed, coupons),
    }
