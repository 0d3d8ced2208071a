"""The slow registers of a block: consent changes and the customer list."""

from __future__ import annotations

import numpy as np

from ethogram.core.sample.block import Block, coded
from ethogram.core.sample.life import NEVER, Ints, opt_outs
from ethogram.core.sample.tables import NULL, Column, Rows
from ethogram.core.sample.truths import TRUTHS

PURPOSES = ("churn_prevention", "campaigns", "product_improvement")
REGIONS = ("north", "east", "south", "west", "islands")
SEGMENTS = ("household", "student", "business")


def consents(block: Block) -> Rows:
    """One row a change; campaigns' opt-outs are those that `lives` acted on, the other purposes' are drawn here."""
    rules, people, lives = TRUTHS.opt_outs, block.lives.people, block.lives
    changes = [
        opt_outs(block.rng, people.registered, block.period, rules.churn_prevention),
        (lives.opted_out, lives.opted_back),
        opt_outs(block.rng, people.registered, block.period, rules.product_improvement),
    ]
    at = np.concatenate([moment for change in changes for moment in change])
    who = np.tile(np.arange(block.size), 2 * len(PURPOSES))
    purpose = np.repeat(np.arange(len(PURPOSES)), 2 * block.size)
    allowed = np.tile(np.repeat([False, True], block.size), len(PURPOSES))

    def columns(rows: Ints) -> dict[str, Column]:
        return {
            "change_id": block.ids("d", "consent", rows),
            "user_id": block.users(who[rows]),
            "purpose": coded(purpose[rows], PURPOSES),
            "allowed": allowed[rows],
            "changed_at": block.instants(at[rows]),
        }

    return block.rows(who, at, columns)


def customers(block: Block, spent: Ints) -> Rows:
    """Everybody of the block, by registration."""
    rng, registered, lapsed = block.rng, block.lives.people.registered, block.lives.lapsed_at
    region = rng.choice(len(REGIONS), block.size, p=(0.3, 0.2, 0.25, 0.2, 0.05))
    segment = rng.choice(len(SEGMENTS), block.size, p=(0.7, 0.2, 0.1))
    rows = np.argsort(registered, kind="stable")
    churned = np.where(lapsed < block.period.length, block.instants(np.where(lapsed == NEVER, 0, lapsed)), NULL)
    return Rows(
        {
            "user_id": block.users(rows),
            "registered_at": block.instants(registered[rows]),
            "region": coded(region[rows], REGIONS),
            "segment": coded(segment[rows], SEGMENTS),
            "lifetime_value_final": spent[rows],
            "churned_at": churned[rows],
        },
        rows,
    )
