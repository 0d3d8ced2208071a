"""How far the channels that report a behavior can be relied on."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.core.monitoring.channels import ChannelReport
from ethogram.core.signals.condition import condition
from ethogram.core.signals.plan import Stream
from ethogram.core.signals.reconciled import Reconciled, matched, plan_reconciled
from ethogram.core.taxonomy import Taxonomy
from ethogram.errors import AskedWrongly, Problems
from ethogram.ports import Engine, Lake


def channel_report(
    behaviors: Sequence[str],
    *,
    match: Sequence[str],
    within: str,
    where: str | None,
    taxonomy: Taxonomy,
    engine: Engine,
    lake: Lake,
) -> ChannelReport:
    """Coverage, delay and agreement of the channels of one behavior, or of several behaviors held against each other.

    Reports are of one happening as `Reconciled` has it: the same entity, equal `match` properties, at most `within`
    apart. All properties that the behaviors have in common are compared. Several behaviors are believed in their order,
    the channels of one behavior in the taxonomy's.

    Args:
        behaviors: Ids; with one, its channels are the channels, with several each is one.
        where: Only events for which this holds.

    Raises:
        AskedWrongly: nothing to hold against each other, or names that are not there.
    """
    declared = [taxonomy.behavior(id) for id in behaviors]
    if not declared:
        raise AskedWrongly("name a behavior, as in commerce.purchase")
    entity = declared[0].actor
    for other in declared[1:]:
        if other.actor != entity:
            raise AskedWrongly(f"{other.id} is of a {other.actor} and {declared[0].id} of a {entity}; name one's alone")
    by = "behavior" if len(declared) > 1 else "channel"
    names = [each.id for each in declared] if by == "behavior" else list(declared[0].channels or taxonomy.channels)
    if len(names) < 2:
        raise AskedWrongly(f"{declared[0].id} has one channel alone; name another behavior to hold it against")
    asked = Reconciled("happenings", of=list(behaviors), priority=names, within=within, match=list(match), by=by)
    found = matched(asked, taxonomy, entity)
    try:
        rule = plan_reconciled(asked, found, taxonomy)
    except Problems as several:  # no file's, but the question's
        raise AskedWrongly("\n".join(each.removeprefix(f"{asked.origin}: ") for each in several.problems)) from several
    compare = {}
    for name in declared[0].properties:
        theirs = [property for each in found if (property := each.properties.get(name)) is not None]
        if name not in match and len(theirs) == len(found) and len({each.type for each in theirs}) == 1:
            compare[name] = (theirs[0].type, max(each.scale for each in theirs))
    stream = Stream(tuple(each.id for each in found), condition(where, found, origin="--where"))
    tables = {each.id: lake.files(f"events/{each.id}") for each in found}
    return engine.channels(rule, stream, entity, compare, tables)
