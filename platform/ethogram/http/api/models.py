from __future__ import annotations

from fastapi import APIRouter

from ethogram.ports import CatalogReader
from ethogram.usecases import catalog
from ethogram.usecases.catalog.models import ModelSummary, ModelView


def routes(reader: CatalogReader) -> APIRouter:
    """Models as JSON."""
    router = APIRouter(prefix="/models", tags=["models"])

    @router.get("")
    def models() -> tuple[ModelSummary, ...]:
        """Every model with its champion and its newest version."""
        return catalog.models(reader)

    @router.get("/{name}")
    def model(name: str) -> ModelView:
        """One model, showing its champion, else its newest version."""
        return catalog.model(reader, name)

    @router.get("/{name}/{version}")
    def version(name: str, version: int) -> ModelView:
        """One model, showing one version."""
        return catalog.model(reader, name, version=version)

    return router
