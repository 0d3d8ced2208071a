from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ethogram.http.pages.site import Site
from ethogram.usecases import catalog


def routes(site: Site) -> APIRouter:
    """The first page, the ledger and the search."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/")
    def home(request: Request) -> HTMLResponse:
        return site.page(request, "home.html", catalog.overview(site.reader, now=site.now()))

    @router.get("/changes")
    def changes(request: Request, before: int | None = None) -> HTMLResponse:
        return site.page(request, "changes.html", catalog.changes(site.reader, before=before))

    @router.get("/search")
    def search(request: Request, q: str = "") -> HTMLResponse:
        return site.page(request, "search.html", catalog.search(site.reader, q), asked=q)

    return router
