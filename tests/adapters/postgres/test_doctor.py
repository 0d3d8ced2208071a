"""The doctor names what is wrong and how to mend it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ethogram.adapters.postgres import server
from ethogram.adapters.postgres.cluster import Cluster
from ethogram.adapters.postgres.doctor import Finding, examine
from ethogram.adapters.postgres.engine import open_engine


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_a_healthy_workspace_has_nothing_to_mend(kept: Path) -> None:
    open_engine(kept).dispose()
    findings = examine(kept)
    assert [finding for finding in findings if not finding.ok and finding.name != "ownerless cluster"] == []
    names = ["python", "workspace", "programs", "space", "sockets", "server", "state", "keeper", "schema"]
    assert [finding.name for finding in findings if finding.name != "ownerless cluster"] == names
    assert "at migration" in by_name(findings)["schema"].what


def test_a_fresh_workspace_is_well_and_says_what_is_still_to_come(shop: Path) -> None:
    found = by_name(examine(shop, "oulad"))
    assert found["state"].what == "oulad has no database yet; its first use makes it"
    assert found["server"].what.startswith("was started")
    assert "schema" not in found
    assert server.states(shop) == []


def test_what_a_kill_left_is_named_and_gone_the_second_time(
    breakable: Path, kill_postmaster: Callable[[Path], None]
) -> None:
    kill_postmaster(breakable)
    (Cluster(breakable).home / "new-killed").mkdir()
    first, second = by_name(examine(breakable)), by_name(examine(breakable))
    assert "the next start removes it" in first["pid file"].what
    assert "killed initdb" in first["half-made cluster"].what
    assert not {"pid file", "half-made cluster"} & set(second)


def test_a_set_aside_cluster_is_kept_until_somebody_looks(breakable: Path) -> None:
    server.stop(breakable)
    shutil.rmtree(Cluster(breakable).data / "global")
    server.ensure(breakable)
    found = by_name(examine(breakable))["set-aside cluster"]
    assert not found.ok
    assert found.mend.startswith("look through it, then: rm -r '")


def test_a_server_that_will_not_start_is_a_finding_with_its_own_words(breakable: Path) -> None:
    server.stop(breakable)
    with (Cluster(breakable).data / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    found = by_name(examine(breakable))["server-would-not-start"]
    assert not found.ok
    assert "no_such_setting" in found.what
    assert str(Cluster(breakable).log) in found.mend


def test_another_users_workspace_is_a_finding(kept: Path, as_user: Callable[..., Any]) -> None:
    found = as_user("daemon", examine, kept)
    assert [finding.mend for finding in found if finding.name == "workspace"] == [
        "work as 'root', use a workspace of your own, or set ETHOGRAM_DATABASE_URL"
    ]
    assert not by_name(found)["another-users-server"].ok


def test_a_schema_of_a_later_release_is_a_finding(workspace: Path, state: str) -> None:
    engine = open_engine(workspace, state)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ethogram.alembic_version SET version_num = '9999'")
    engine.dispose()
    found = by_name(examine(workspace, state))["schema"]
    assert not found.ok
    assert found.mend.startswith("upgrade ethogram")


def test_a_server_of_the_users_is_looked_at_instead(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    password = Cluster(kept).pgpass.read_text().strip().rpartition(":")[2]
    host = Cluster(kept).address()["host"]
    monkeypatch.setenv("ETHOGRAM_DATABASE_URL", f"postgresql://ethogram:{password}@/ethogram_main?host={host}")
    found = by_name(examine(kept))
    assert "ETHOGRAM_DATABASE_URL: PostgreSQL 18" in found["server"].what
    assert "keeper" not in found
    assert password not in repr(found)
