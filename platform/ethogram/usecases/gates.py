"""Evaluate a version's gates, with the policy that is applied now."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.core.models.gate import GateResult
from ethogram.ports import Models


def gates(model: str, version: int, *, models: Models) -> Sequence[GateResult]:
    """What every gate of the model's risk tier says of the version; remembered for pages."""
    return models.gates(model, version)
