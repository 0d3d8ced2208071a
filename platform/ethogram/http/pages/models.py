from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ethogram.http.pages.site import Site
from ethogram.usecases import catalog


def routes(site: Site) -> APIRouter:
    """Every model, one model, and one of its versions."""
    router = APIRouter(prefix="/models", default_response_class=HTMLResponse)

    @router.get("")
    def models(request: Request) -> HTMLResponse:
        return site.page(request, "models.html", catalog.models(site.reader))

    @router.get("/{name}")
    def model(request: Request, name: str) -> HTMLResponse:
        return site.page(request, "model.html", catalog.model(site.reader, name))

    @router.get("/{name}/{version}")
    def version(request: Request, name: str, version: int) -> HTMLResponse:
        return site.page(request, "model.html", catalog.model(site.reader, name, version=version))

    return router
