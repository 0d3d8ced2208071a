"""Features made of other features: derived ones, those of a roll-up or of everyone, shrunken means, states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ethogram.core.signals.aggregates.aggregate import Aggregate, BadFeature
from ethogram.core.signals.aggregates.basic import count, recency, total
from ethogram.core.signals.declaration import EVERYONE, Feature, settings


def derived(name: str, expression: str) -> Feature:
    """A feature computed from other features of the same signal, in the language of docs/expressions.md.

    Division is double and null on division by zero; null goes through everything. A cycle is refused.

    >>> derived("refund_rate_180d", "refunds_180d / nullif(purchases_180d, 0)").name
    'refund_rate_180d'
    """
    return Feature("derived", name=name, settings=settings(expression=expression))


def rolled_up(entity: str, feature: Feature) -> Feature:
    """The feature of the larger unit that the entity belongs to, e.g. of the customer's household.

    Which one that is, is the one named by the entity's latest visible event that names one; null, or nothing counted,
    where none does.

    >>> rolled_up("household", count(of="commerce.purchase", over="90d", name="household_purchases_90d")).via
    'household'
    """
    return replace(feature, via=entity)


def everyone(feature: Feature) -> Feature:
    """The feature over the events of all entities together: what goes on around, joined as of the instant.

    >>> everyone(count(of="support.ticket_opened", over="1d", name="tickets_of_all_1d")).via
    'everyone'
    """
    return replace(feature, via=EVERYONE)


def during(started: str, ended: str, *, name: str) -> Feature:
    """Whether something is going on at the instant: it has started, and has not ended since. False before all history.

    The events may be anybody's or nobody's: an outage, a promotion.

    >>> during("operations.outage_started", "operations.outage_ended", name="outage").name
    'outage'
    """
    begun = everyone(recency(of=started, unit="seconds", name=f"{name}__started"))
    over = everyone(recency(of=ended, unit="seconds", name=f"{name}__ended"))
    text = f"{begun.name} is not null and coalesce({begun.name} < {over.name}, true)"
    return Feature("derived", name=name, inputs=(begun, over), settings=settings(expression=text))


def shrunk(
    property: str,
    *,
    toward: str = EVERYONE,
    strength: float,
    name: str,
    over: str | None = None,
    of: str | None = None,
    where: str | None = None,
) -> Feature:
    """Mean of a property, drawn toward the mean of a roll-up or of everyone the less the entity has to say for itself.

    (sum + strength * group mean) / (n + strength): the posterior mean under a conjugate prior worth `strength` events
    (Efron and Morris, 1973). The group's mean where the entity has no events, null where the group has none.

    >>> shrunk("amount", strength=5, over="90d", name="basket_shrunk_90d").aggregate
    'derived'
    """
    if not strength > 0:
        raise BadFeature(f"strength={strength}: a prior is worth more than 0 events")
    own = _sum_and_count(property, f"{name}__own", over, of, where)
    group = [replace(each, via=toward) for each in _sum_and_count(property, f"{name}__group", over, of, where)]
    (own_sum, own_n), (group_sum, group_n) = own, group
    prior = f"number({group_sum.name}) / nullif({group_n.name}, 0)"
    text = f"(number({own_sum.name}) + {float(strength)!r} * ({prior})) / ({own_n.name} + {float(strength)!r})"
    return Feature("derived", name=name, inputs=(*own, *group), settings=settings(expression=text))


def _sum_and_count(
    property: str, name: str, over: str | Sequence[str] | None, of: str | None, where: str | None
) -> list[Feature]:
    there = f"{property} is not null"
    where_there = there if where is None else f"({where}) and {there}"
    return [
        total(property, over=over, of=of, where=where, name=f"{name}_sum"),
        count(over=over, of=of, where=where_there, name=f"{name}_n"),
    ]


AGGREGATES: tuple[Aggregate, ...] = ()
WORDS = (derived, rolled_up, everyone, during, shrunk)
