"""The ledger of changes as pages show it: like entries in a row are told as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ethogram.core.catalog import Change
from ethogram.ports import CatalogReader

TOGETHER = timedelta(minutes=1)
_WORDS = {"alias.move": "promote", "alias.drop": "take away", "training_set.made": "make"}


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Changes of one kind that one principal made together; newest first.

    Attributes:
        kind: First word of the subjects, e.g. "signal".
        names: The rest of each subject, each once.
    """

    at: datetime
    principal: str
    action: str
    kind: str
    names: tuple[str, ...]
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class ChangesView:
    groups: tuple[ChangeGroup, ...]
    before: int | None  # asks for the next page; None on the last


def changes(reader: CatalogReader, *, limit: int = 500, before: int | None = None) -> ChangesView:
    """Newest first, `limit` entries a page, grouped."""
    rows = reader.changes(limit=limit, before=before)
    more = rows[-1].seq if len(rows) == limit and rows[-1].seq > 1 else None
    return ChangesView(tuple(group(rows)), more)


def group(rows: Sequence[Change]) -> list[ChangeGroup]:
    """Neighbours of the same principal, action and kind within a minute become one."""
    found: list[ChangeGroup] = []
    for row in rows:
        kind, _, name = row.subject.partition(" ")
        kind = kind.replace("_", " ")
        name = f"{name} {row.version}" if row.version else name
        last = found[-1] if found else None
        action = _WORDS.get(row.action, row.action.rpartition(".")[2])
        alike = last and (last.principal, last.action, last.kind) == (row.principal, action, kind)
        if last and alike and last.at - row.at <= TOGETHER:
            names = last.names if name in last.names else (*last.names, name)
            found[-1] = ChangeGroup(last.at, last.principal, last.action, kind, names, row.seq, last.last_seq)
        else:
            found.append(ChangeGroup(row.at, row.principal, action, kind, (name,), row.seq, row.seq))
    return found
