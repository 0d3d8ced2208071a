"""Point an alias at a version, if gates, approval and content allow it."""

from __future__ import annotations

from ethogram.core.models.promotion import ModelVersion
from ethogram.ports import Models


def promote(model: str, version: int, alias: str = "champion", *, principal: str, models: Models) -> ModelVersion:
    """The version that the alias now points at; promoting it again changes nothing.

    Gates are evaluated now and remembered, also when they refuse.

    Raises:
        GatesFailed: If a gate fails or is unknown.
        NotApproved: If no reviewer other than the author approved this content for this alias.
        ApprovalVoid: If one byte of it changed since.
    """
    models.gates(model, version)
    moved = models.move(model, version, alias, principal=principal)
    return moved or models.version(model, version)
