from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ethogram.http.pages.site import Site
from ethogram.usecases import catalog


def routes(site: Site) -> APIRouter:
    """Teams, agreements and purposes."""
    router = APIRouter(prefix="/teams", default_response_class=HTMLResponse)

    @router.get("")
    def teams(request: Request) -> HTMLResponse:
        return site.page(request, "teams.html", catalog.teams(site.reader, now=site.now()))

    return router
