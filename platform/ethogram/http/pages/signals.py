from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ethogram.http.pages.site import Site
from ethogram.usecases import catalog


def routes(site: Site) -> APIRouter:
    """Every signal, and one signal."""
    router = APIRouter(prefix="/signals", default_response_class=HTMLResponse)

    @router.get("")
    def signals(request: Request, q: str = "", owner: str = "") -> HTMLResponse:
        return site.page(
            request, "signals.html", catalog.signals(site.reader, query=q, owner=owner), asked=q, owner=owner
        )

    @router.get("/{ref}")
    def signal(request: Request, ref: str, feature: str = "") -> HTMLResponse:
        found = catalog.signal(site.reader, ref, now=site.now(), feature=feature)
        return site.page(request, "signal.html", found)

    return router
