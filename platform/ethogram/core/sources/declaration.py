"""What a team writes to map raw rows onto behaviors: `Source`, `event`, `reference`, `sql_table`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin


@dataclass(frozen=True, slots=True)
class EventMapping:
    """One rule: which rows are an event of `behavior`, and what fills its entities and properties.

    `columns` maps each entity and property name of the behavior to an expression over the row's columns (with
    `group_by`, over the group's rows, so aggregates are allowed). `time` defaults to the source's.
    """

    behavior: str
    columns: Mapping[str, str]
    where: str | None = None
    group_by: str | None = None
    time: str | None = None
    known_at: str | None = None
    channel: str | None = None
    event_id: str | None = None
    op: str = "assert"
    target: str | None = None
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def event(
    behavior: str,
    *,
    where: str | None = None,
    group_by: str | None = None,
    time: str | None = None,
    known_at: str | None = None,
    channel: str | None = None,
    event_id: str | None = None,
    op: str = "assert",
    target: str | None = None,
    **columns: str,
) -> EventMapping:
    """Map rows onto events of `behavior`.

    Args:
        behavior: Canonical id, e.g. "commerce.purchase".
        where: Which rows; every row if absent.
        group_by: Comma-separated expressions; the rows of one group make one event, at the time of its first line.
        time: When it happened; the source's `time` if absent.
        known_at: When we could first know it; else the source's rule.
        channel: A channel of the taxonomy, or an expression that gives one.
        event_id: An expression that names the event uniquely; derived from the row if absent.
        op: "assert"; "correct" where the row says how an event really was, in full, or "retract" where it says that it
            never was.
        target: For those, the `event_id` of the event that they are about; its own rule has to state `event_id`.
        columns: For each entity and property of the behavior, the expression that fills it.

    >>> event("commerce.refund", where="starts_with(InvoiceNo, 'C')", customer="CustomerID", amount="-Quantity * UnitPrice").behavior
    'commerce.refund'
    """  # noqa: E501 - one line to paste
    return EventMapping(behavior, columns, where, group_by, time, known_at, channel, event_id, op, target)


@dataclass(frozen=True, slots=True)
class Reference:
    """A small table looked up by key for every raw row (many rows to one); its columns are facts that never change."""

    rows: str
    on: tuple[str, ...]
    columns: tuple[str, ...]
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def reference(rows: str, *, on: list[str], columns: list[str]) -> Reference:
    """Add `columns` of the table at `rows` to every row that agrees on `on`; a key found twice is an error.

    >>> reference("vle.parquet", on=["id_site"], columns=["activity_type"]).on
    ('id_site',)
    """
    return Reference(rows, tuple(on), tuple(columns))


@dataclass(frozen=True, slots=True)
class SqlTable:
    """Raw rows in a database table; the address comes from the environment, never from the repository."""

    table: str
    url_env: str
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def sql_table(table: str, *, url_env: str) -> SqlTable:
    """Rows of `table` in the database whose SQLAlchemy URL the environment variable `url_env` holds.

    >>> sql_table("orders", url_env="SHOP_DATABASE_URL").table
    'orders'
    """
    return SqlTable(table, url_env)


@dataclass(frozen=True, slots=True)
class Source:
    """A raw stream, where its rows are, when they happened and were known, and the behaviors in them.

    Attributes:
        name: Unique in the workspace.
        rows: Files below the data directory: a path or a glob of Parquet, CSV or JSON lines; or `sql_table(...)`.
        contract: The ODCS document that the rows must meet.
        time: Expression for when a row happened.
        timezone: Zone of times that carry none (IANA name).
        known_at: Expression for when we could first know a row; wins over `known_after`.
        known_after: Delay after `time` until a row could be known, for rows older than `live_since`; a source of
            whole days needs at least "1d".
        live_since: Instant from which arrival itself is the earliest time a row was known.
        currency: ISO 4217 code of every `money` column of this source.
        joins: Small reference tables joined to each row.
        dataset: The data directory this source belongs to, e.g. "oulad"; ingest finds it under that name.
        brief: One sentence.
    """

    name: str
    rows: str | SqlTable
    time: str
    events: list[EventMapping]
    contract: str | None = None
    timezone: str = "UTC"
    known_at: str | None = None
    known_after: str = "0s"
    live_since: str | None = None
    currency: str | None = None
    joins: list[Reference] = field(default_factory=list)
    channel: str | None = None
    dataset: str | None = None
    brief: str = ""
    owner: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
