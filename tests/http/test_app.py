"""The front as a whole: its headers, its JSON, what it must not import, what it says when the store is gone."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import create_engine

from ethogram.adapters.postgres.catalog import PostgresCatalog
from ethogram.http.app import create_app

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Broken:
    """A reader with a defect."""

    def __getattr__(self, name: str) -> object:
        raise ZeroDivisionError(name)


def test_every_answer_carries_a_strict_policy_and_no_page_may_be_framed(client: TestClient):
    for path in ("/", "/signals/purchase_rhythm", "/nope", "/static/ethogram.css", "/api/models"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "script-src" not in policy  # so that default-src forbids every script
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_a_page_can_be_asked_for_its_headers_alone(client: TestClient):
    answer = client.head("/signals")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_a_host_that_we_are_not_gets_nothing(client: TestClient):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"host": "127.0.0.1:8400"}).status_code == 200


def test_json_says_the_same_as_the_pages(client: TestClient):
    model = client.get("/api/models/lapse").json()
    assert model["shown"]["version"] == 7
    assert model["shown"]["aliases"] == ["champion"]
    assert model["summary"]["newest"]["state"]["word"] == "approve"
    signal = client.get("/api/signals/purchase_rhythm").json()
    assert [f["name"] for f in signal["features"] if f["state"]["word"] == "drifting"] == ["days_since_purchase"]
    behaviors = client.get("/api/taxonomy?domain=support").json()["behaviors"]
    assert [b["id"] for b in behaviors] == ["support.call", "support.ticket_opened", "support.ticket_reopened"]
    assert client.get("/api/health").json() == {"catalog": "ok", "mlflow": "off", "made": True}


def test_an_api_error_has_a_stable_code_and_a_message(client: TestClient):
    missing = client.get("/api/signals/purchase_rythm")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "not-in-catalog"
    assert "did you mean purchase_rhythm" in missing.json()["error"]["message"]
    assert client.get("/api/nope").json()["error"]["code"] == "not-found"
    assert client.post("/api/models").json()["error"]["code"] == "method-not-allowed"


def test_a_store_that_does_not_answer_is_503_with_what_to_do(tmp_path: Path):
    engine = create_engine(f"postgresql+psycopg://u@/d?host={tmp_path}&connect_timeout=2")
    app = create_app(PostgresCatalog(engine), mlflow_url=None, now=lambda: NOW)
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    page = client.get("/signals")
    assert page.status_code == 503
    assert "ethogram doctor" in page.text
    assert client.get("/api/health").json()["error"]["code"] == "catalog-unavailable"


def test_a_defect_of_ours_tells_no_detail_but_where_to_look(caplog):
    app = create_app(Broken(), mlflow_url=None, now=lambda: NOW)  # type: ignore[arg-type]
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    page = client.get("/signals")
    assert page.status_code == 500
    assert "ZeroDivisionError" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    (record,) = [r for r in caplog.records if r.name == "ethogram.http.errors"]
    assert record.args is not None
    assert str(record.args[0]) in page.text
    assert record.exc_info is not None


def test_the_front_imports_no_heavy_library(project: Path):
    heavy = ("feast", "mlflow", "great_expectations", "sklearn", "duckdb", "deltalake", "pandas", "scipy", "pyarrow")
    code = f"""
import sys
import ethogram.http.app, ethogram.adapters.postgres.catalog, ethogram.adapters.postgres.engine
from fastapi.testclient import TestClient
class Nothing:
    def __getattr__(self, name):
        return lambda *a, **k: 0.0 if name == "made" else {{}} if name in ("entities", "opted_out") else []
from datetime import datetime, UTC
now = lambda: datetime.now(UTC)
app = ethogram.http.app.create_app(Nothing(), mlflow_url="http://127.0.0.1:1", now=now)
client = TestClient(app, base_url="http://localhost")
for path in ("/", "/taxonomy", "/signals", "/models", "/sources", "/teams", "/api/openapi.json", "/api/health"):
    assert client.get(path).status_code == 200, path
print([name for name in {heavy!r} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=project, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[]"
