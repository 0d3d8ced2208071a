"""MLflow behind the front: what goes through, what does not, and what is said while nobody answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from ethogram.http.app import create_app


class Nothing:
    """A reader of an empty store."""

    def __getattr__(self, name: str):
        return lambda *_args, **_more: 0.0 if name == "made" else {} if name in {"entities", "opted_out"} else []


async def echo(request: Request) -> Response:
    body = await request.body()
    facts = {
        "method": request.method,
        "path": request.scope["raw_path"].decode(),
        "query": request.scope["query_string"].decode(),
        "headers": dict(request.headers),
        "body": len(body),
    }
    return JSONResponse(facts, headers={"x-from": "mlflow"})


async def stream(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 65536

    return StreamingResponse(parts())


async def away(_request: Request) -> Response:
    return RedirectResponse("/models?x=1")


@pytest.fixture(scope="module", params=["port", "socket"])
def upstream(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stand-in for MLflow's server that tells what reached it, at a port or a unix socket."""
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
    routes = [
        Route("/health", lambda _request: Response("OK")),
        Route("/stream", stream),
        Route("/away", away),
        Route("/{path:path}", echo, methods=methods),
    ]
    if request.param == "port":
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    else:
        path = tmp_path_factory.mktemp("s") / "m.sock"
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(str(path))
        url = f"unix:{path}"
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield url
    server.should_exit = True
    thread.join()
    bound.close()


def front(url: str, **more) -> TestClient:
    app = create_app(Nothing(), mlflow_url=url, now=lambda: datetime(2026, 11, 23, tzinfo=UTC), **more)
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


@pytest.fixture
def client(upstream: str) -> Iterator[TestClient]:
    with front(
        upstream, principal=lambda request: "risk.modeller" if request.headers.get("authorization") else ""
    ) as client:
        yield client


def test_the_principal_is_ours_to_say_whatever_a_client_claims(client: TestClient):
    claims = {
        "X-Ethogram-Principal": "risk.lead",
        "x-ethogram-team": "risk",
        "X-Forwarded-Host": "evil.example",
        "Cookie": "a=b",
    }
    seen = client.get("/mlflow/api/2.0/x", headers={**claims, "Authorization": "Bearer t"}).json()["headers"]
    assert seen["x-ethogram-principal"] == "risk.modeller"
    assert not {"x-ethogram-team", "x-forwarded-host", "cookie", "authorization"} & set(seen)
    assert "evil.example" not in json.dumps(seen)
    assert "x-ethogram-principal" not in client.get("/mlflow/api/2.0/x", headers=claims).json()["headers"]


def test_method_path_query_and_body_arrive_as_they_were_sent(client: TestClient):
    seen = client.post("/mlflow/api/2.0/models%2Fget?name=a%20b&x=%26", content=b"z" * 300_000).json()
    assert (seen["method"], seen["path"], seen["query"], seen["body"]) == (
        "POST",
        "/api/2.0/models%2Fget",
        "name=a%20b&x=%26",
        300_000,
    )
    assert client.delete("/mlflow/x").json()["method"] == "DELETE"
    assert client.patch("/mlflow/x", content=iter([b"ab", b"cd"])).json()["body"] == 4
    assert client.head("/mlflow/x").headers["x-from"] == "mlflow"


def test_a_large_answer_is_streamed_whole(client: TestClient):
    with client.stream("GET", "/mlflow/stream") as answer:
        assert sum(len(chunk) for chunk in answer.iter_bytes()) == 50 * 65536


def test_redirects_stay_below_mlflow_and_the_bare_path_gets_its_slash(client: TestClient):
    assert client.get("/mlflow/away").headers["location"] == "/mlflow/models?x=1"
    assert client.get("/mlflow").headers["location"] == "/mlflow/"


def test_its_pages_get_a_policy_that_names_no_other_host(client: TestClient):
    policy = client.get("/mlflow/").headers["content-security-policy"]
    assert "default-src 'self' 'unsafe-inline'" in policy
    assert "http" not in policy
    assert "*" not in policy


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.evil.example", "http://localhost:9999"]
)
def test_a_page_of_another_site_may_change_nothing(client: TestClient, origin: str):
    assert client.post("/mlflow/api/2.0/x", headers={"origin": origin}).status_code == 403


def test_our_own_origin_may(client: TestClient):
    assert client.post("/mlflow/api/2.0/x", headers={"origin": "http://localhost"}).status_code == 200


def test_the_server_behind_hears_the_word_that_only_the_front_knows(upstream: str):
    with front(upstream, mlflow_secret="s3cret") as client:
        seen = client.get("/mlflow/x", headers={"X-Ethogram-Proxy": "guess"}).json()["headers"]
    assert seen["x-ethogram-proxy"] == "s3cret"


def test_health_says_whether_mlflow_answers(client: TestClient):
    assert client.get("/api/health").json()["mlflow"] == "ok"


def test_while_mlflow_starts_a_page_says_so_and_the_catalog_works(tmp_path: Path):
    with front(f"unix:{tmp_path / 'none.sock'}") as client:
        answer = client.get("/mlflow/")
        assert answer.status_code == 502
        assert "MLflow is not answering yet" in answer.text
        assert answer.headers["retry-after"] == "3"
        assert client.get("/").status_code == 200
        assert client.get("/api/health").json()["mlflow"] == "starting"


def test_without_mlflow_there_is_no_such_place():
    app = create_app(Nothing(), mlflow_url=None, now=lambda: datetime(2026, 11, 23, tzinfo=UTC))
    client = TestClient(app, base_url="http://localhost")
    assert client.get("/mlflow/").status_code == 404
    assert "/mlflow/" not in client.get("/").text


def test_a_client_that_stops_reading_frees_the_connection(upstream: str):
    with front(upstream) as client:
        for _ in range(5):
            with client.stream("GET", "/mlflow/stream") as answer:
                next(answer.iter_bytes())
        assert client.get("/mlflow/x").status_code == 200


def test_the_address_is_never_taken_from_the_environment(upstream: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with front(upstream) as client:
        assert client.get("/mlflow/x").status_code == 200
