"""What a team writes to say what is to be predicted: `Outcome`, `occurrence`, `absence`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin


@dataclass(frozen=True, slots=True)
class Happening:
    """A condition on what an entity does within a horizon after the observation; any of `behaviors` counts."""

    kind: str
    behaviors: tuple[str, ...]
    within: str
    where: str | None = None
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def occurrence(behavior: str | Sequence[str], *, within: str, where: str | None = None) -> Happening:
    """True when at least one such event occurs in [as_of, as_of + within).

    `behavior` is an id, a pattern as "engagement.*", or a list of them.

    >>> occurrence("learning.withdrawn", within="28d").kind
    'occurrence'
    """
    return Happening("occurrence", _several(behavior), within, where)


def absence(behavior: str | Sequence[str], *, within: str, where: str | None = None) -> Happening:
    """True when no such event occurs in [as_of, as_of + within).

    >>> absence(["engagement.question_posted", "engagement.answer_posted"], within="90d").behaviors
    ('engagement.question_posted', 'engagement.answer_posted')
    """
    return Happening("absence", _several(behavior), within, where)


def _several(behavior: str | Sequence[str]) -> tuple[str, ...]:
    return (behavior,) if isinstance(behavior, str) else tuple(behavior)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A target behavior: what happens, to whom, by when, and when the truth is ripe.

    Attributes:
        name: Unique in the workspace.
        entity: Whose outcome.
        happens: `occurrence(...)` or `absence(...)`.
        among: Expression over `signal.feature` names that says which observations count, evaluated as of each one.
        matures_after: Wait after the horizon until late events have arrived; an observation is labelled only then.
        brief: One sentence.
    """

    name: str
    entity: str
    happens: Happening
    among: str | None = None
    matures_after: str = "0s"
    brief: str = ""
    owner: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
