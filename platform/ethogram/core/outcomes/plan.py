"""An outcome after its names were resolved: what an engine labels with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ethogram.core import time
from ethogram.core.expressions import check, parse
from ethogram.core.outcomes.declaration import Outcome
from ethogram.errors import EthogramError, Problems, did_you_mean

if TYPE_CHECKING:
    from ethogram.core.expressions import Expression
    from ethogram.core.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """Label of (entity, as_of): whether an event of `behavior` occurs in [as_of, as_of + horizon), as known at
    as_of + horizon + matures_after; `negate` for an absence."""

    name: str
    entity: str
    behavior: str
    where: Expression | None
    horizon: timedelta
    matures_after: timedelta
    negate: bool
    among: Expression | None

    def ripe_at(self, as_of: datetime) -> datetime:
        """When the label of an observation is known for good."""
        return as_of + self.horizon + self.matures_after


def plan_outcome(outcome: Outcome, taxonomy: Taxonomy) -> OutcomePlan:
    """Resolve `outcome`; raises `Problems` with every problem and its line. Names in `among` are checked by apply."""
    problems: list[str] = []
    happens = outcome.happens
    where = among = None
    horizon = matures = timedelta(0)
    try:
        horizon = time.duration(happens.within, what="within")
        matures = time.duration(outcome.matures_after, what="matures_after")
        behavior = taxonomy.behavior(happens.behavior)
        if outcome.entity not in behavior.entities:
            hint = did_you_mean(outcome.entity, behavior.entities, otherwise=f"it has {', '.join(behavior.entities)}")
            problems.append(f"{outcome.origin}: {behavior.id} has no entity {outcome.entity!r}; {hint}")
        if happens.where is not None:
            where = parse(happens.where, where=str(happens.origin))
            check(where, behavior.types())
        if outcome.among is not None:
            among = parse(outcome.among, where=str(outcome.origin))
    except Problems as several:
        problems.extend(several.problems)
    except EthogramError as error:
        problems.append(f"{outcome.origin}: {error}")
    if problems:
        raise Problems(problems)
    return OutcomePlan(
        outcome.name, outcome.entity, happens.behavior, where, horizon, matures, happens.kind == "absence", among
    )
