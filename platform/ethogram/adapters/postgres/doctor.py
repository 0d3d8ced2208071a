"""What is wrong with a workspace's server, and how to mend it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ethogram.adapters.postgres import binaries, locks, server
from ethogram.adapters.postgres.account import account_for, name_of
from ethogram.adapters.postgres.cluster import SPACE_NEEDED, Cluster
from ethogram.errors import EthogramError


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, and what to do if it is not well."""

    name: str
    ok: bool
    what: str
    mend: str = ""


def examine(root: Path, state: str = "main") -> list[Finding]:
    """Look at everything the server needs, in the order in which things fail; starts the server to see whether it can.

    No check hides the next: each gives its finding or what kept it from one.
    """
    cluster = Cluster(root)
    checks: list[Callable[[], Iterator[Finding]]] = [_python]
    if os.environ.get("ETHOGRAM_DATABASE_URL"):
        checks += [lambda: _external(root)]
    else:
        checks += [
            lambda: _workspace(cluster),
            lambda: _programs(cluster),
            lambda: _space(cluster),
            lambda: _sockets(cluster),
            lambda: _remains(cluster),
            lambda: _server(cluster, state),
            lambda: _keeper(cluster),
        ]
    checks += [lambda: _schema(cluster, state)]
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += check()
        except EthogramError as error:
            what, _, mend = str(error).rpartition("; ")
            findings.append(Finding(error.code, False, what or str(error), mend if what else ""))
        except OSError as error:
            findings.append(Finding("files", False, f"{error.filename}: {error.strerror}", "make it readable for you"))
    return findings


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    known = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "python", known, f"Python {version}", "" if known else "make the environment with Python 3.11 to 3.13"
    )


def _external(root: Path) -> Iterator[Finding]:
    with server.connect_psycopg(root) as connection:
        info = connection.info
        version = info.server_version // 10_000
        yield Finding(
            "server",
            version >= 15,
            f"ETHOGRAM_DATABASE_URL: PostgreSQL {version} at {info.host}, database {info.dbname!r}, role {info.user!r}",
            "" if version >= 15 else "use PostgreSQL 15 or later",
        )


def _workspace(cluster: Cluster) -> Iterator[Finding]:
    folder = cluster.home if cluster.home.is_dir() else cluster.workspace
    owner, me = folder.stat().st_uid, os.geteuid()
    if me not in (0, owner) and folder == cluster.home:
        yield Finding(
            "workspace",
            False,
            f"{folder} belongs to {name_of(owner)!r}, you are {name_of(me)!r}",
            f"work as {name_of(owner)!r}, use a workspace of your own, or set ETHOGRAM_DATABASE_URL",
        )
    else:
        may = os.access(folder, os.W_OK | os.X_OK)
        yield Finding("workspace", may, f"{folder}", "" if may else f"make it writable: chmod u+wx {folder}")


def _programs(cluster: Cluster) -> Iterator[Finding]:
    account = account_for(cluster.workspace, cluster.data)
    version = cluster.data / "PG_VERSION"
    number, programs = binaries.programs(account, version.read_text().strip() if cluster.exists else None)
    yield Finding("programs", True, f"PostgreSQL {number} in {programs}, run as {account.name!r}")


def _space(cluster: Cluster) -> Iterator[Finding]:
    folder = cluster.place if cluster.place.is_dir() else cluster.workspace
    free = shutil.disk_usage(folder).free
    yield Finding(
        "space",
        free >= SPACE_NEEDED,
        f"{free // 1_000_000:,} MB free at {folder}",
        "" if free >= SPACE_NEEDED else f"free some: {SPACE_NEEDED // 1_000_000} MB at least",
    )


def _sockets(cluster: Cluster) -> Iterator[Finding]:
    account = account_for(cluster.workspace, cluster.data)
    with tempfile.TemporaryDirectory(prefix="ethogram-") as folder:
        reached = account.may_enter(Path(folder).parent)
    yield Finding(
        "sockets",
        reached,
        f"private folders in {tempfile.gettempdir()}",
        "" if reached else f"let {account.name!r} pass there, or set TMPDIR to a folder where it may",
    )


def _remains(cluster: Cluster) -> Iterator[Finding]:
    """What a kill left; all but set-aside clusters goes away by itself at the next start."""
    runs = locks.is_held(cluster.lease)
    if (cluster.data / "postmaster.pid").exists() and not runs:
        yield Finding("pid file", True, "a killed server left its pid file; the next start removes it")
    if cluster.home.is_dir() and cluster.data.exists() and not cluster.exists:
        yield Finding("cluster", True, f"{cluster.data} is not whole; the next start mends it or sets it aside")
    for folder in cluster.leftovers():
        yield Finding("half-made cluster", True, f"{folder} was left by a killed initdb; the next start removes it")
    for folder in sorted(cluster.place.glob("broken-*")):
        yield Finding("set-aside cluster", False, f"{folder} was not whole", f"look through it, then: rm -r '{folder}'")
    if os.geteuid() == 0:
        for note in sorted(binaries.SYSTEM_FOLDER.glob("cluster-*/workspace")):
            owner = Cluster(Path(note.read_text().strip()))
            if owner.place != note.parent:
                what = f"{note.parent} holds the database of {owner.workspace}, which no longer knows it"
                yield Finding("ownerless cluster", False, what, f"if nothing in it is wanted: rm -r {note.parent}")


def _server(cluster: Cluster, state: str) -> Iterator[Finding]:
    runs = locks.is_held(cluster.lease)
    with cluster.connect("postgres") as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).fetchone()
        others = found[0] - 1 if found else 0
        yield Finding(
            "server", True, f"{'runs' if runs else 'was started'}, {others} others connected, log {cluster.log}"
        )
        database = server.database_of(state)
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
        yield Finding(
            "state", True, f"database {database}" if there else f"{state} has no database yet; its first use makes it"
        )


def _keeper(cluster: Cluster) -> Iterator[Finding]:
    keeps = locks.is_held(cluster.keeper_lock)
    yield Finding(
        "keeper",
        keeps,
        "stops the server when nobody has been connected for a while" if keeps else "no keeper watches the server",
        "" if keeps else f"read {cluster.log}; until it runs, stop the server with `ethogram down`",
    )


def _schema(cluster: Cluster, state: str) -> Iterator[Finding]:
    from ethogram.adapters.postgres.engine import open_engine
    from ethogram.adapters.postgres.migrations import current, head

    if not os.environ.get("ETHOGRAM_DATABASE_URL") and state not in server.states(cluster.workspace):
        return
    engine = open_engine(cluster.workspace, state, migrate=False)
    try:
        with engine.connect() as connection:
            found, known = current(connection), head()
    finally:
        engine.dispose()
    newer = found is not None and found > known
    what = f"at migration {found} of {known}" if found else "no tables yet; the first use makes them"
    yield Finding(
        "schema",
        not newer,
        what,
        "upgrade ethogram: the database was brought forward by a later version" if newer else "",
    )
