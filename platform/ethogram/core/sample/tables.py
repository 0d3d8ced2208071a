"""The raw tables that the made shop exports: names, columns and what they hold, as a shop would have named them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["text", "instant", "integer", "money", "flag"]
Ints = NDArray[np.int64]

NULL = np.iinfo(np.int64).min
"""Stands for a missing instant, integer or amount."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A text column as codes into `words`; -1 is null."""

    codes: NDArray[np.int16]
    words: tuple[str, ...]


Column = NDArray[np.generic] | Coded
"""Text is `Coded`, or bytes of one width (empty: null); instants are µs since 1970 UTC, money whole cents."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table, sorted by the table's `ordered_by`; `owner` is the customer, in its block, that each is of."""

    columns: Mapping[str, Column]
    owner: Ints

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, index: NDArray[np.bool_] | slice) -> Rows:
        return Rows({name: _take(column, index) for name, column in self.columns.items()}, self.owner[index])


def _take(column: Column, index: NDArray[np.bool_] | slice) -> Column:
    if isinstance(column, Coded):
        return Coded(column.codes[index], column.words)
    return column[index]


@dataclass(frozen=True, slots=True)
class Table:
    """`by_month`: large samples have one file a month of `ordered_by`; else the table is one file."""

    name: str
    brief: str
    ordered_by: str
    columns: Mapping[str, Kind]
    by_month: bool = False
    counted: bool = True


TABLES: tuple[Table, ...] = (
    Table(
        "web_events",
        "What a browser did; user_id only while signed in.",
        "received_at",
        {
            "event_id": "text",
            "name": "text",
            "anonymous_id": "text",
            "user_id": "text",
            "ts": "instant",
            "received_at": "instant",
            "device": "text",
            "product_id": "text",
            "category": "text",
            "campaign_id": "text",
        },
        by_month=True,
    ),
    Table(
        "app_events",
        "What a phone did; received_at may be hours or days after ts.",
        "received_at",
        {
            "event_id": "text",
            "name": "text",
            "anonymous_id": "text",
            "user_id": "text",
            "ts": "instant",
            "received_at": "instant",
            "os": "text",
            "product_id": "text",
            "category": "text",
            "campaign_id": "text",
        },
        by_month=True,
    ),
    Table(
        "orders",
        "The shop's order book: every channel, one row an order. next_order_days is filled in later: it leaks.",
        "placed_at",
        {
            "order_id": "text",
            "user_id": "text",
            "placed_at": "instant",
            "channel": "text",
            "amount": "money",
            "currency": "text",
            "items": "integer",
            "category": "text",
            "coupon_code": "text",
            "next_order_days": "integer",
        },
        by_month=True,
    ),
    Table(
        "app_orders",
        "The app's own report of what was bought in it; disagrees with orders here and there.",
        "received_at",
        {
            "order_id": "text",
            "user_id": "text",
            "purchased_at": "instant",
            "received_at": "instant",
            "amount": "money",
            "currency": "text",
            "items": "integer",
        },
        by_month=True,
    ),
    Table(
        "refunds",
        "Money given back.",
        "refunded_at",
        {
            "refund_id": "text",
            "order_id": "text",
            "user_id": "text",
            "refunded_at": "instant",
            "amount": "money",
            "currency": "text",
            "reason": "text",
        },
    ),
    Table(
        "campaign_sends",
        "Who was targeted; arm control is the holdout, to whom nothing was sent.",
        "sent_at",
        {
            "send_id": "text",
            "campaign_id": "text",
            "kind": "text",
            "user_id": "text",
            "arm": "text",
            "medium": "text",
            "sent_at": "instant",
        },
        by_month=True,
    ),
    Table(
        "campaign_responses",
        "Opens and clicks.",
        "responded_at",
        {
            "response_id": "text",
            "send_id": "text",
            "campaign_id": "text",
            "user_id": "text",
            "action": "text",
            "responded_at": "instant",
        },
        by_month=True,
    ),
    Table(
        "coupons",
        "Coupons issued and redeemed.",
        "changed_at",
        {
            "coupon_code": "text",
            "user_id": "text",
            "action": "text",
            "campaign_id": "text",
            "order_id": "text",
            "changed_at": "instant",
        },
    ),
    Table(
        "tickets",
        "One row an update of a support ticket.",
        "updated_at",
        {
            "update_id": "text",
            "ticket_id": "text",
            "user_id": "text",
            "action": "text",
            "topic": "text",
            "medium": "text",
            "updated_at": "instant",
        },
    ),
    Table(
        "calls",
        "Telephone calls to support; ticket_id when the call was about one.",
        "started_at",
        {
            "call_id": "text",
            "user_id": "text",
            "ticket_id": "text",
            "started_at": "instant",
            "duration_s": "integer",
            "waited_s": "integer",
        },
    ),
    Table(
        "consents",
        "Changes of consent; nobody is listed until they change something.",
        "changed_at",
        {"change_id": "text", "user_id": "text", "purpose": "text", "allowed": "flag", "changed_at": "instant"},
    ),
    Table(
        "identities",
        "Which browser or phone turned out to be whose.",
        "linked_at",
        {"anonymous_id": "text", "user_id": "text", "device": "text", "linked_at": "instant"},
    ),
    Table(
        "customers",
        "The customer list as exported at the end: lifetime_value_final and churned_at are known only then and leak.",
        "registered_at",
        {
            "user_id": "text",
            "registered_at": "instant",
            "region": "text",
            "segment": "text",
            "lifetime_value_final": "money",
            "churned_at": "instant",
        },
        counted=False,
    ),
)
