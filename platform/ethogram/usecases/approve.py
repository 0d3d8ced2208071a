"""Approve or reject a model version for an alias, as a reviewer other than its author."""

from __future__ import annotations

from ethogram.core.models.promotion import Approval
from ethogram.ports import Models


def approve(
    model: str, version: int, *, principal: str, models: Models, alias: str = "champion", note: str = ""
) -> Approval:
    """Record the approval of exactly this content; one changed byte voids it.

    Raises:
        MayNotApprove: If `principal` trained it, or reviews no models of this risk.
        ApprovalVoid: If its files are not those that were registered.
    """
    return models.decide(model, version, alias, decision="approve", principal=principal, note=note)


def reject(
    model: str, version: int, *, principal: str, models: Models, alias: str = "champion", note: str = ""
) -> Approval:
    """Record a rejection; it stands until the same reviewer approves."""
    return models.decide(model, version, alias, decision="reject", principal=principal, note=note)
