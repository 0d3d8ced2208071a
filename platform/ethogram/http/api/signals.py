from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from ethogram.ports import CatalogReader
from ethogram.usecases import catalog
from ethogram.usecases.catalog.signals import SignalSummary, SignalView


def routes(reader: CatalogReader, now: Callable[[], datetime]) -> APIRouter:
    """Signals as JSON."""
    router = APIRouter(prefix="/signals", tags=["signals"])

    @router.get("")
    def signals(q: str = "", owner: str = "") -> tuple[SignalSummary, ...]:
        """Every version of every signal that matches."""
        return catalog.signals(reader, query=q, owner=owner)

    @router.get("/{ref}")
    def signal(ref: str, feature: str = "") -> SignalView:
        """One signal by `name@version`, or by name for its newest version."""
        return catalog.signal(reader, ref, now=now(), feature=feature)

    return router
