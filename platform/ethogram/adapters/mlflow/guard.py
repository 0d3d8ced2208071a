"""The route guard before MLflow's server: what is not known to be safe is refused, so that a new route fails closed."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ethogram.adapters.mlflow.caller import requested_by

# The front sends these; it drops them from what browsers and clients send.
PROXY_HEADER = "x-ethogram-proxy"
PRINCIPAL_HEADER = "x-ethogram-principal"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_API = re.compile(r"/(?:ajax-)?api/[23]\.0/(.*)")
_QUESTIONS = re.compile(
    r"mlflow/(?:experiments/(?:search|search-datasets)|runs/search|logged-models/search"
    r"|registered-models/get-latest-versions|traces/search|datasets/search)"
)
_WRITES = {
    "POST": re.compile(
        r"mlflow/(?:experiments/(?:create|delete|restore|update|set-experiment-tag|delete-experiment-tag)"
        r"|runs/(?:create|delete|restore|update|set-tag|delete-tag|log-batch|log-inputs|log-metric|log-parameter|log-model|outputs)"
        r"|logged-models(?:/[\w-]+/params)?"
        r"|registered-models/(?:create|rename|alias|set-tag)"
        r"|model-versions/(?:create|set-tag|transition-stage))"
    ),
    "PATCH": re.compile(r"mlflow/(?:logged-models/[\w-]+(?:/tags)?|registered-models/update|model-versions/update)"),
    "PUT": re.compile(r"mlflow-artifacts/artifacts/.+"),
    "DELETE": re.compile(
        r"mlflow/(?:logged-models/[\w-]+(?:/tags/[^/]+)?|registered-models/(?:delete|alias|delete-tag)"
        r"|model-versions/(?:delete|delete-tag))|mlflow-artifacts/artifacts/.+"
    ),
}
# Reading them shows secrets, or makes the server call somebody else.
_CLOSED = re.compile(
    r"(?:mlflow/)?(?:gateway|assistant|webhooks|mcp-servers|jobs|workspaces|prompt-optimization|genai|scorer)"
)


def verdict(method: str, path: str) -> str:
    """What a request is: "read", "write" or "refused".

    >>> verdict("GET", "/api/2.0/mlflow/runs/get"), verdict("POST", "/ajax-api/2.0/mlflow/registered-models/alias")
    ('read', 'write')
    >>> verdict("POST", "/api/3.0/mlflow/skills/register"), verdict("GET", "/api/3.0/mlflow/gateway/secrets/list")
    ('refused', 'refused')
    """
    matched = _API.fullmatch(path)
    tail = matched[1] if matched else path.lstrip("/")
    if _CLOSED.match(tail):
        return "refused"
    if method in ("GET", "HEAD", "OPTIONS"):
        return "read"
    # MLflow's GraphQL has no mutation that changes anything; a test asserts it of the installed release.
    if (method == "POST" and matched and _QUESTIONS.fullmatch(tail)) or (method == "POST" and path == "/graphql"):
        return "read"
    writes = _WRITES.get(method)
    return "write" if matched and writes and writes.fullmatch(tail) else "refused"


class Guard:
    """ASGI: only the front gets through, only known routes, and the store learns who is asking."""

    def __init__(self, app: Any, *, secret: str) -> None:
        self.app, self._secret = app, secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        path, method = scope["path"], scope["method"]
        if path == "/health":
            await self.app(scope, receive, send)
            return
        if not hmac.compare_digest(headers.get(PROXY_HEADER, b""), self._secret):
            await _answer(
                send, 401, "UNAUTHENTICATED", "refused: MLflow is reached through `ethogram up`, under /mlflow"
            )
            return
        principal = headers.get(PRINCIPAL_HEADER, b"").decode("latin-1")
        said = verdict(method, path)
        if said == "refused":
            await _answer(send, 403, "PERMISSION_DENIED", f"refused: {method} {path} is not served here")
            return
        if said == "write" and not principal:
            message = "refused: nobody is asking; sign in, or give the client a token: MLFLOW_TRACKING_TOKEN=…"
            await _answer(send, 401, "UNAUTHENTICATED", message)
            return
        token = requested_by.set(principal)
        try:
            await self.app(scope, receive, send)
        finally:
            requested_by.reset(token)


async def _answer(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"error_code": code, "message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
