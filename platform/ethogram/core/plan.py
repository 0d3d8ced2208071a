"""What `apply` would do: declared things against applied ones, as an ordered list of steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Providers before consumers, so that nothing ever points at what is not there yet.
KINDS = (
    "team",
    "purpose",
    "entity",
    "behavior",
    "contract",
    "source",
    "signal",
    "outcome",
    "agreement",
    "policy",
    "model",
)


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared thing, ready to be stored.

    Attributes:
        kind: One of `KINDS`.
        name: Unique in its kind; a signal's carries its version: "purchase_rhythm@4".
        owner: Team, or "platform" for what all share.
        body: JSON-ready content; its digest says whether anything changed.
        origin: path:line.
    """

    kind: str
    name: str
    owner: str
    body: Mapping[str, Any]
    origin: str

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of `body`, first 16 hex digits.

        >>> Declared("team", "a", "a", {"x": 1, "y": 2}, "f:1").digest == Declared("team", "a", "a", {"y": 2, "x": 1}, "g:9").digest
        True
        """  # noqa: E501 - one example
        text = json.dumps(self.body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that `apply` does: "create", "change" or "remove"."""

    action: str
    kind: str
    name: str
    owner: str

    def __str__(self) -> str:
        sign = {"create": "+", "change": "~", "remove": "-"}[self.action]
        return f"{self.owner:<12} {sign} {self.kind} {self.name.replace('@', ' ')}"


def plan(declared: Sequence[Declared], applied: Mapping[tuple[str, str], str]) -> list[Step]:
    """Steps that turn what is `applied` (digest by kind and name) into what is `declared`; removals come last.

    >>> team = Declared("team", "growth", "growth", {}, "f:1")
    >>> [str(step) for step in plan([team], {("signal", "old@1"): "d"})]
    ['growth       + team growth', 'platform     - signal old 1']
    """
    order = {kind: place for place, kind in enumerate(KINDS)}
    wanted = {(item.kind, item.name): item for item in declared}
    steps = []
    for key, item in sorted(wanted.items(), key=lambda pair: (order[pair[0][0]], pair[0][1])):
        if key not in applied:
            steps.append(Step("create", item.kind, item.name, item.owner))
        elif applied[key] != item.digest:
            steps.append(Step("change", item.kind, item.name, item.owner))
    gone = sorted((key for key in applied if key not in wanted), key=lambda key: (-order.get(key[0], 0), key[1]))
    steps.extend(Step("remove", kind, name, "platform") for kind, name in gone)
    return steps
