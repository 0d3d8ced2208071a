"""Headers that every answer carries."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STRICT = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
# MLflow's own pages need inline code; they still reach no other host.
_MLFLOW = "; ".join(
    [
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def headers_for(path: str) -> dict[str, str]:
    """Headers of an answer at `path`."""
    mlflow = path == "/mlflow" or path.startswith("/mlflow/")
    headers = {
        **_ALWAYS,
        "content-security-policy": _MLFLOW if mlflow else _STRICT,
        "x-frame-options": "SAMEORIGIN" if mlflow else "DENY",
    }
    if not mlflow and not path.startswith("/static/"):
        headers["cache-control"] = "no-cache"
    return headers


class SecurityHeaders:
    """Sets a strict policy on our pages and a confined one on MLflow's."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers_for(scope["path"]))
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
