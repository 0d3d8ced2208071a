"""What entities allow: record one's word, and read everybody's as the mask that a read obeys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from ethogram.core.governance.consent import Mask, mask
from ethogram.core.governance.purpose import Purpose
from ethogram.ports import Consents, Keys


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
    entity: str, purpose: Purpose, *, consents: Consents, now: datetime, only: Sequence[int] | None = None
) -> Mask:
    """The mask that a read for `purpose` at `now` obeys; with `only`, for these entities and nobody else."""
    changes = consents.changes(entity, purpose.name, only=only)
    return mask(
        changes["id"].to_numpy(),
        changes["changed_at"].cast(pa.int64()).to_numpy(),
        changes["allowed"].to_numpy(zero_copy_only=False),
        basis=purpose.basis,
        now=now,
    )
