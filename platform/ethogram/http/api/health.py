from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from ethogram.http.proxy import Proxy
from ethogram.ports import CatalogReader


@dataclass(frozen=True, slots=True)
class Health:
    """`mlflow` is "ok", "starting" (it does not answer yet) or "off"; `made` is true where any data is made."""

    catalog: str
    mlflow: str
    made: bool


def routes(reader: CatalogReader, proxy: Proxy | None) -> APIRouter:
    """Whether the front can do its work; fails with the catalog's error when it cannot."""
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("")
    async def health() -> Health:
        """Asks the catalog and MLflow's server."""
        made = await run_in_threadpool(reader.made) > 0
        return Health("ok", await proxy.state() if proxy else "off", made)

    return router
