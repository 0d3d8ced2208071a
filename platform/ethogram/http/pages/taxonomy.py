from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ethogram.http.pages.site import Site
from ethogram.usecases import catalog


def routes(site: Site) -> APIRouter:
    """Every behavior, and one behavior."""
    router = APIRouter(prefix="/taxonomy", default_response_class=HTMLResponse)

    @router.get("")
    def taxonomy(
        request: Request, q: str = "", domain: str = "", stability: str = "", seen: bool = False
    ) -> HTMLResponse:
        found = catalog.taxonomy(site.reader, query=q, domain=domain, stability=stability, seen=seen)
        return site.page(request, "taxonomy.html", found)

    @router.get("/{id}")
    def behavior(request: Request, id: str) -> HTMLResponse:
        return site.page(request, "behavior.html", catalog.behavior(site.reader, id))

    return router
