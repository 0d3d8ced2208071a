"""What entities allow: record one's word, and read everybody's as the mask that a read obeys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from ethogram.core.governance.consent import Mask, mask
from ethogram.core.governance.purpose import Purpose
from ethogram.core.taxonomy.taxonomy import Taxonomy
from ethogram.ports import Consents, Keys, Lake


def consent(
    entity: str,
    key: str,
    purpose: Purpose,
    *,
    allowed: bool,
    principal: str,
    keys: Keys,
    consents: Consents,
    now: datetime,
) -> bool:
    """Record that the entity with `key` allows or refuses `purpose` from `now` on; False if that was its last word.

    A key that was never seen is taken all the same: a refusal must hold for what comes in later.
    """
    (number,) = keys.intern(entity, pa.array([key], pa.string())).to_pylist()
    return consents.say(entity, number, purpose=purpose.name, allowed=allowed, at=now, by=principal)


def consent_mask(
    entity: str,
    purpose: Purpose,
    *,
    taxonomy: Taxonomy,
    consents: Consents,
    lake: Lake,
    now: datetime,
    only: Sequence[int] | None = None,
) -> Mask:
    """The mask that a read for `purpose` at `now` obeys; with `only`, for these entities and nobody else.

    What an entity rolls up to counts too: a student's refusal is one of all their enrolments. Who belongs to whom is
    what events say that name both; it is looked for only where somebody above refuses.
    """
    return _mask(entity, purpose, purpose.basis, taxonomy, consents, lake, now, only)


def _mask(
    entity: str,
    purpose: Purpose,
    basis: str,
    taxonomy: Taxonomy,
    consents: Consents,
    lake: Lake,
    now: datetime,
    only: Sequence[int] | None,
) -> Mask:
    changes = consents.changes(entity, purpose.name, only=only)
    own = mask(
        changes["id"].to_numpy(),
        changes["changed_at"].cast(pa.int64()).to_numpy(),
        changes["allowed"].to_numpy(zero_copy_only=False),
        basis=basis,
        now=now,
    )
    parent = taxonomy.entity(entity).rolls_up_to
    if parent is None:
        return own
    # Silence above neither allows nor refuses, whatever the purpose's basis.
    above = _mask(parent, purpose, "opt_out", taxonomy, consents, lake, now, None)
    speak = above.ids[~above.allowed]
    if not len(speak):
        return own
    pairs = [
        lake.pairs(f"events/{behavior.id}", entity, parent, sorted(set(speak.tolist())))
        for behavior in taxonomy
        if entity in behavior.entities and parent in behavior.entities
    ]
    belongs = pa.concat_tables(pairs).group_by([entity, parent]).aggregate([]) if pairs else None
    if belongs is None or not belongs.num_rows:
        return own
    if only is not None:
        belongs = belongs.filter(pc.is_in(belongs[entity], pa.array(list(only), pa.int64())))
    return own.below(above, belongs[entity].to_numpy(), belongs[parent].to_numpy())
