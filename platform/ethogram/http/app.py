"""The front as one ASGI application: pages, JSON and MLflow behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ethogram.http import api, errors, pages
from ethogram.http.pages.site import STATIC, Site
from ethogram.http.proxy import PREFIX, Proxy
from ethogram.http.security import SecurityHeaders
from ethogram.ports import CatalogReader

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def nobody(_request: Request) -> str:
    """No principal: MLflow's server refuses whatever needs one."""
    return ""


def create_app(
    reader: CatalogReader,
    *,
    mlflow_url: str | None,
    mlflow_secret: str = "",
    now: Callable[[], datetime],
    principal: Callable[[Request], str] = nobody,
    hosts: Sequence[str] = LOOPBACK,
) -> FastAPI:
    """The front over one state.

    Args:
        reader: Where pages read.
        mlflow_url: MLflow's own server, "http://127.0.0.1:5001" or "unix:/path.sock"; None leaves /mlflow out.
        mlflow_secret: The word by which that server knows the front.
        now: This instant, UTC.
        principal: Who sends a request, from what it proves; what it says of itself is never passed on.
        hosts: Names under which the front may be asked. A page that finds it under another name, as DNS rebinding
            does, gets nothing.
    """
    proxy = Proxy(mlflow_url, principal=principal, secret=mlflow_secret) if mlflow_url else None

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        if proxy:
            await proxy.close()

    app = FastAPI(title="Ethogram", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", lifespan=lifespan)
    site = Site(reader, now, mlflow=proxy is not None)
    errors.install(app, site)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in pages.routers(site):
        for route in router.routes:
            if isinstance(route, APIRoute) and route.methods is not None:
                route.methods.add("HEAD")
        app.include_router(router, include_in_schema=False)
    for router in api.routers(reader, now, proxy):
        app.include_router(router, prefix="/api")
    if proxy:
        app.include_router(_behind(proxy, site), include_in_schema=False)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.add_middleware(SecurityHeaders)
    return app


def _behind(proxy: Proxy, site: Site) -> APIRouter:
    router = APIRouter()

    def starting(request: Request) -> Response:
        response = site.page(request, "starting.html", None, status=502)
        response.headers["retry-after"] = "3"
        return response

    @router.get(PREFIX)
    def without_slash() -> Response:
        return RedirectResponse(PREFIX + "/")  # MLflow's page finds its files relative to the folder

    @router.api_route(PREFIX + "/{path:path}", methods=_METHODS)
    async def forward(request: Request) -> Response:
        return await proxy.forward(request, starting)

    return router
