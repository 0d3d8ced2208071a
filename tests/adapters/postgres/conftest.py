"""Workspaces whose server a test may break, and ways to break it."""

from __future__ import annotations

import multiprocessing
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ethogram.adapters.postgres import server
from ethogram.adapters.postgres.cluster import Cluster, heads


@pytest.fixture(autouse=True)
def no_server_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETHOGRAM_DATABASE_URL", raising=False)


@pytest.fixture
def new_workspace() -> Iterator[Callable[..., Path]]:
    """Make a workspace's folder that every account may enter; its server and data are gone afterwards."""
    base = Path(tempfile.mkdtemp(prefix="eth-test-"))
    base.chmod(0o755)
    made: list[Path] = []

    def make(name: str = "shop") -> Path:
        root = base / name
        (root / "feature_repo").mkdir(parents=True)
        (root / "feature_repo" / "feature_store.yaml").write_text("project: shop\n")
        made.append(root)
        return root

    yield make
    for root in made:
        server.remove(root)
    shutil.rmtree(base)


@pytest.fixture
def shop(new_workspace: Callable[..., Path]) -> Path:
    return new_workspace()


@pytest.fixture(scope="session")
def _kept() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="eth-test-"))
    root.chmod(0o755)
    with server.connect_psycopg(root, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.execute("ALTER SYSTEM SET fsync = off")  # these servers lose processes, never power
        connection.execute("SELECT pg_reload_conf()")
    yield root
    server.remove(root)
    shutil.rmtree(root)


@pytest.fixture
def kept(_kept: Path) -> Path:
    """A workspace whose server runs, with one committed row in table `kept`; tests may kill what runs, no more."""
    server.ensure(_kept)
    return _kept


@pytest.fixture
def breakable(kept: Path, shop: Path) -> Path:
    """A copy of `kept`, its server running, that a test may damage."""
    server.stop(kept)
    (shop / ".ethogram").mkdir()
    subprocess.run(["cp", "-a", Cluster(kept).home, shop / ".ethogram"], check=True)
    server.ensure(shop)
    return shop


@pytest.fixture
def answer() -> Callable[[Path], int]:
    """The committed row of `kept`, by a new connection."""

    def read(root: Path) -> int:
        with server.connect_psycopg(root) as connection:
            row = connection.execute("SELECT answer FROM kept").fetchone()
            assert row is not None
            return int(row[0])

    return read


@pytest.fixture
def kill_postmaster(until: Callable[[Callable[[], bool]], None]) -> Callable[[Path], None]:
    """kill -9 of the server's first process; its children end by themselves."""

    def kill(root: Path) -> None:
        cluster = Cluster(root)
        (head,) = heads(cluster.processes())
        head.kill()
        until(lambda: cluster.processes() == [])

    return kill


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait for something that is bound to happen."""

    def wait(happened: Callable[[], bool]) -> None:
        for _ in range(3000):
            if happened():
                return
            time.sleep(0.02)
        pytest.fail("it did not happen within a minute")

    return wait


@pytest.fixture
def as_user() -> Callable[..., Any]:
    """Call a function in a process of another OS user; its result, or its exception, comes back. Needs root."""
    if os.geteuid() != 0:
        pytest.skip("only root can become a second OS user")

    def call(user: str, function: Callable[..., Any], *arguments: Any) -> Any:
        # A fork, because the second user may not be able to read this interpreter's files.
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        account = pwd.getpwnam(user)

        def run() -> None:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            try:
                theirs.send((function(*arguments), None))
            except Exception as error:  # noqa: BLE001 - whatever it is goes back to the test
                theirs.send((None, (type(error).__name__, str(error), traceback.format_exc())))

        process = context.Process(target=run)
        process.start()
        theirs.close()
        result, error = ours.recv()
        process.join()
        return result if error is None else error

    return call
