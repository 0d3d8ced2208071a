"""An outcome after its names were resolved: what an engine labels with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ethogram.core import time
from ethogram.core.expressions import parse
from ethogram.core.outcomes.declaration import Outcome
from ethogram.core.signals.condition import Condition, condition
from ethogram.core.signals.plan import FeaturePlan, Stream
from ethogram.core.signals.window import Window
from ethogram.errors import EthogramError, Problems, did_you_mean

if TYPE_CHECKING:
    from ethogram.core.expressions import Expression
    from ethogram.core.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """Label of (entity, as_of): whether an event of `behaviors` occurs in [as_of, as_of + horizon), as known at
    as_of + horizon + matures_after; `negate` for an absence."""

    name: str
    entity: str
    stream: Stream
    horizon: timedelta
    matures_after: timedelta
    negate: bool
    among: Expression | None

    @property
    def behaviors(self) -> tuple[str, ...]:
        return self.stream.behaviors

    @property
    def where(self) -> Condition | None:
        return self.stream.where

    @property
    def happens(self) -> FeaturePlan:
        """How many events the horizon holds: a feature as of its end, known `matures_after` later."""
        return FeaturePlan("happens", "count", self.stream, None, None, 0, Window(self.horizon, None), "integer", "1")

    def ripe_at(self, as_of: datetime) -> datetime:
        """When the label of an observation is known for good."""
        return as_of + self.horizon + self.matures_after


def plan_outcome(outcome: Outcome, taxonomy: Taxonomy) -> OutcomePlan:
    """Resolve `outcome`; raises `Problems` with every problem and its line.

    Which features `among` names is checked with the signals at hand: see `core.observations`.
    """
    problems: list[str] = []
    happens = outcome.happens
    where: Condition | None = None
    among = None
    behaviors: tuple[str, ...] = ()
    horizon = matures = timedelta(0)
    try:
        horizon = time.duration(happens.within, what="within")
        if not horizon:
            problems.append(f"{outcome.origin}: within={happens.within!r} is no time at all; give it a length")
        matures = time.duration(outcome.matures_after, what="matures_after")
        if outcome.entity not in taxonomy.entities:
            hint = did_you_mean(outcome.entity, taxonomy.entities, otherwise="see `ethogram taxonomy`")
            raise Problems([*problems, f"{outcome.origin}: no entity named {outcome.entity!r}; {hint}"])
        matched = [b for pattern in happens.behaviors for b in taxonomy.match(pattern, entity=outcome.entity)]
        found = list({behavior.id: behavior for behavior in matched}.values())
        behaviors = tuple(sorted(behavior.id for behavior in found))
        wrong = [b for b in found if outcome.entity not in b.entities]
        if wrong:
            hint = did_you_mean(outcome.entity, wrong[0].entities, otherwise=f"it has {', '.join(wrong[0].entities)}")
            problems.append(f"{outcome.origin}: {wrong[0].id} has no entity {outcome.entity!r}; {hint}")
        where = condition(happens.where, found, origin=str(outcome.origin))
        if outcome.among is not None:
            among = parse(outcome.among, where=str(outcome.origin))
    except Problems as several:
        problems.extend(several.problems)
    except EthogramError as error:
        problems.append(_placed(str(error), str(outcome.origin)))
    if problems:
        raise Problems(problems)
    return OutcomePlan(
        outcome.name, outcome.entity, Stream(behaviors, where), horizon, matures, happens.kind == "absence", among
    )


def _placed(message: str, origin: str) -> str:
    return message if message.startswith(origin) else f"{origin}: {message}"
