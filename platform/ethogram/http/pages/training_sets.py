from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ethogram.http.pages.site import Site
from ethogram.usecases import catalog


def routes(site: Site) -> APIRouter:
    """Training sets, one of them, and the outcome they are made for."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/training-sets")
    def training_sets(request: Request) -> HTMLResponse:
        return site.page(request, "training_sets.html", catalog.training_sets(site.reader))

    @router.get("/training-sets/{outcome}/{digest}")
    def training_set(request: Request, outcome: str, digest: str) -> HTMLResponse:
        return site.page(request, "training_set.html", catalog.training_set(site.reader, f"{outcome}/{digest}"))

    @router.get("/outcomes/{name}")
    def outcome(request: Request, name: str) -> HTMLResponse:
        return site.page(request, "outcome.html", catalog.outcome(site.reader, name))

    return router
