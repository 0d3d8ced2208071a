"""The process that stops a server nobody has been connected to for a while: `python -m … DATA IDLE_S LOCK`.

It runs in the cluster's home folder and so follows it when it is moved, and notices when it is removed. It may be
killed at any time: the server stays up, and whoever connects next starts another keeper. It leaves only while it
holds the gate, so that nobody can take it for alive while it goes.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from ethogram.adapters.postgres import locks
from ethogram.adapters.postgres.cluster import Cluster, NoServer, heads, postgres_in, remove_sockets
from ethogram.adapters.postgres.errors import ServerTrouble

_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


def keep(data: Path, *, idle_s: float, lock: int) -> None:
    """Watch until the server is idle for `idle_s`, then stop it; return when there is none to watch."""
    tick_s = min(15.0, max(0.1, idle_s / 10))
    connection: psycopg.Connection[Any] | None = None
    last_seen = time.time()
    while True:
        try:
            cluster = Cluster.at(Path.cwd())
            data = cluster.data.resolve(strict=True)
        except FileNotFoundError:  # `data` is where it was last
            _end_ownerless(data, connection)
            return
        try:
            connection = connection or cluster.knock("postgres", autocommit=True, application_name="ethogram keeper")
            if _others(connection):
                last_seen = time.time()
            last_seen = max(last_seen, _last_came(cluster))
            if time.time() - last_seen >= idle_s and _stopped(cluster, connection, last_seen, lock):
                return
        except (NoServer, psycopg.Error, ServerTrouble, OSError):
            connection = None
            if _left(cluster, lock):
                return
            time.sleep(0.1)  # another server was started: watch that one
        else:
            select.select([connection], [], [], tick_s)  # a server that ends says so at once


def _others(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(_OTHERS).fetchone()
    return int(row[0]) if row else 0


def _last_came(cluster: Cluster) -> float:
    """When somebody last passed the gate."""
    try:
        return cluster.gate.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _stopped(cluster: Cluster, connection: psycopg.Connection[Any], last_seen: float, lock: int) -> bool:
    """Stop the server if it is still idle now that nobody can come in."""
    try:
        with locks.held(cluster.gate):
            if _others(connection) or _last_came(cluster) > last_seen:
                return False
            connection.close()
            cluster.stop_gated()
            os.close(lock)  # before the gate opens
            return True
    except locks.LockBusy:
        return False


def _left(cluster: Cluster, lock: int) -> bool:
    """Leave if no server runs; one that was started meanwhile is watched on."""
    try:
        with locks.held(cluster.gate, wait_s=1.0):
            if locks.is_held(cluster.lease):
                return False
            os.close(lock)  # before the gate opens
            return True
    except (locks.LockBusy, OSError):
        return False


def _end_ownerless(data: Path, connection: psycopg.Connection[Any] | None) -> None:
    """Stop the server of a workspace that was removed: nobody can find it any more."""
    for process in heads(postgres_in(data)):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
    if connection is not None and not connection.closed:
        remove_sockets(Path(connection.info.host))


if __name__ == "__main__":
    keep(Path(sys.argv[1]), idle_s=float(sys.argv[2]), lock=int(sys.argv[3]))
