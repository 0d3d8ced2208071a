"""Support tickets of a block, update by update, and telephone calls."""

from __future__ import annotations

import numpy as np

from ethogram.core.sample.block import Block, coded
from ethogram.core.sample.life import NEVER, TOPICS, Ints
from ethogram.core.sample.period import HOUR
from ethogram.core.sample.tables import Column, Rows
from ethogram.core.sample.truths import TRUTHS

ACTIONS = ("opened", "reply", "resolved", "reopened")


def support(block: Block) -> dict[str, Rows]:
    """The tables tickets and calls."""
    rng, lives = block.rng, block.lives.tickets
    count = len(lives.who)
    every = np.arange(count)
    replied = np.repeat(every, 1 + rng.poisson(0.8, count))
    reply_at = lives.opened[replied] + (
        (lives.resolved - lives.opened)[replied] * rng.uniform(0.02, 0.98, len(replied))
    ).astype(np.int64)
    again = np.flatnonzero(lives.reopened != NEVER)
    ticket = np.concatenate([every, replied, every, again, again])
    action = np.repeat([0, 1, 2, 3, 2], [count, len(replied), count, len(again), len(again)])
    at = np.concatenate([lives.opened, reply_at, lives.resolved, lives.reopened[again], lives.resolved_again[again]])
    medium = rng.choice(3, count, p=(0.6, 0.3, 0.1))

    def tickets(rows: Ints) -> dict[str, Column]:
        n = ticket[rows]
        return {
            "update_id": block.ids("t", "update", rows),
            "ticket_id": block.ids("t", "ticket", n),
            "user_id": block.users(lives.who[n]),
            "action": coded(action[rows], ACTIONS),
            "topic": coded(lives.topic[n], TOPICS),
            "medium": coded(medium[n], ("email", "chat", "form")),
            "updated_at": block.instants(at[rows]),
        }

    about = np.flatnonzero(rng.random(count) < TRUTHS.tickets.called)
    others = np.flatnonzero(rng.random(block.size) < TRUTHS.tickets.other_calls * block.period.days / 365)
    other_at = block.period.spread(rng, len(others))
    registered = other_at >= block.lives.people.registered[others]
    others, other_at = others[registered], other_at[registered]
    caller = np.concatenate([lives.who[about], others])
    began = np.concatenate([lives.opened[about] + (rng.exponential(6.0, len(about)) * HOUR).astype(np.int64), other_at])
    concerns = np.concatenate([about, np.full(len(others), -1)])
    lasted = np.maximum(np.exp(rng.normal(5.5, 0.8, len(caller))).astype(np.int64), 5)
    waited = rng.exponential(np.where(concerns >= 0, 150.0, 90.0)).astype(np.int64)

    def calls(rows: Ints) -> dict[str, Column]:
        n = concerns[rows]
        return {
            "call_id": block.ids("c", "call", rows),
            "user_id": block.users(caller[rows]),
            "ticket_id": np.where(n >= 0, block.ids("t", "ticket", np.maximum(n, 0)), b""),
            "started_at": block.instants(began[rows]),
            "duration_s": lasted[rows],
            "waited_s": waited[rows],
        }

    return {
        "tickets": block.rows(lives.who[ticket], at, tickets),
        "calls": block.rows(caller, began, calls),
    }
