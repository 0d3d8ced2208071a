from __future__ import annotations

from fastapi import APIRouter

from ethogram.ports import CatalogReader
from ethogram.usecases import catalog
from ethogram.usecases.catalog.behaviors import BehaviorView, TaxonomyView


def routes(reader: CatalogReader) -> APIRouter:
    """Behaviors as JSON."""
    router = APIRouter(prefix="/taxonomy", tags=["taxonomy"])

    @router.get("")
    def taxonomy(q: str = "", domain: str = "", stability: str = "", seen: bool = False) -> TaxonomyView:
        """Behaviors that match, with their events per week."""
        return catalog.taxonomy(reader, query=q, domain=domain, stability=stability, seen=seen)

    @router.get("/{id}")
    def behavior(id: str) -> BehaviorView:
        """One behavior by its id."""
        return catalog.behavior(reader, id)

    return router
