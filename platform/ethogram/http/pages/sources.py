from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ethogram.http.pages.site import Site
from ethogram.usecases import catalog


def routes(site: Site) -> APIRouter:
    """Every source, and one source."""
    router = APIRouter(prefix="/sources", default_response_class=HTMLResponse)

    @router.get("")
    def sources(request: Request) -> HTMLResponse:
        return site.page(request, "sources.html", catalog.sources(site.reader))

    @router.get("/{name}")
    def source(request: Request, name: str) -> HTMLResponse:
        return site.page(request, "source.html", catalog.source(site.reader, name))

    return router
