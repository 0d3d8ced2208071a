"""MLflow's server behind our front: /mlflow streams to it, with the principal that we know and no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from urllib.parse import urlsplit

import httpx
from fastapi import Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

PREFIX = "/mlflow"
PRINCIPAL = "x-ethogram-principal"
SECRET = "x-ethogram-proxy"
_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade",
}  # fmt: skip
# What we answer for ourselves, and what a client must not say to the server behind us.
_OURS = {"host", "origin", "authorization", "cookie", "forwarded"}
_OUR_PREFIXES = ("x-ethogram-", "x-forwarded-")


class Proxy:
    """Streams requests to MLflow at `url`: "http://127.0.0.1:5001", or "unix:/run/mlflow.sock"."""

    def __init__(self, url: str, *, principal: Callable[[Request], str], secret: str = "") -> None:
        socket = url.removeprefix("unix:") if url.startswith("unix:") else None
        self._principal, self._secret = principal, secret
        self._client = httpx.AsyncClient(
            base_url="http://localhost" if socket else url.rstrip("/"),
            transport=httpx.AsyncHTTPTransport(uds=socket, limits=httpx.Limits(max_connections=200)),
            timeout=httpx.Timeout(300, connect=5),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def state(self) -> str:
        """ "ok" when MLflow's server answers, else "starting"."""
        try:
            answer = await self._client.get("/health", headers={SECRET: self._secret}, timeout=2)
        except httpx.TransportError:
            return "starting"
        return "ok" if answer.status_code == 200 else "starting"

    async def forward(self, request: Request, starting: Callable[[Request], Response]) -> Response:
        """The answer of MLflow's server; `starting` makes the one for when it does not answer."""
        if _from_elsewhere(request):
            return PlainTextResponse("a page of another site may not ask this\n", status_code=403)
        headers = list(_passed(request.headers.items()))
        if self._secret:
            headers.append((SECRET, self._secret))
        if name := self._principal(request):
            headers.append((PRINCIPAL, name))
        sized = {"content-length", "transfer-encoding"} & set(request.headers)
        # The path as it was sent: decoding it would change what a %2F means.
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        path = raw.split(b"?")[0].removeprefix(PREFIX.encode()) or b"/"
        query = request.scope["query_string"]
        url = self._client.base_url.copy_with(raw_path=path + (b"?" + query if query else b""))
        outgoing = self._client.build_request(
            request.method, url, headers=headers, content=request.stream() if sized else None
        )
        try:
            answer = await self._client.send(outgoing, stream=True)
        except httpx.TransportError:
            return starting(request)
        response = StreamingResponse(_body(answer), status_code=answer.status_code)
        response.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.lower().decode() not in _HOP | {"date", "server"}
        ]
        if location := answer.headers.get("location"):
            response.headers["location"] = _inside(location)
        return response


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def _passed(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Headers that go on to MLflow: a client can neither name a principal nor pass as another host."""
    for name, value in headers:
        key = name.lower()
        if key not in _HOP and key not in _OURS and not key.startswith(_OUR_PREFIXES):
            yield name, value


def _from_elsewhere(request: Request) -> bool:
    """Whether a browser sends this for a page of another site; we drop `Origin`, so we must look at it first."""
    origin = request.headers.get("origin")
    if not origin or request.method in {"GET", "HEAD", "OPTIONS"}:
        return False
    return urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()


def _inside(location: str) -> str:
    """A redirect of MLflow's, as seen from outside.

    >>> _inside("http://localhost/models?x=1"), _inside("/mlflow/models")
    ('/mlflow/models?x=1', '/mlflow/models')
    """
    parts = urlsplit(location)
    path = parts.path if parts.path.startswith(PREFIX + "/") else PREFIX + (parts.path or "/")
    query = f"?{parts.query}" if parts.query else ""
    return path + query + (f"#{parts.fragment}" if parts.fragment else "")
