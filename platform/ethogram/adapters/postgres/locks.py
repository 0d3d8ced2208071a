"""Locks on files, freed by the kernel when their holder dies, however it dies.

A lock belongs to the open file, not to the process: a child that inherits the file keeps holding it. That is how a
server's own life is its lease.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LockBusy(Exception):
    """Somebody else holds the lock, for longer than we would wait."""


def _open(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_to_folders_owner(path)
    return file


def give_to_folders_owner(path: Path) -> None:
    """What root makes in somebody's folder belongs to that somebody; nothing happens for anyone else."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def take(path: Path, *, shared: bool = False, wait_s: float = 0.0) -> int:
    """An open file that holds the lock; `os.close` it (everywhere it was inherited) to let go.

    Raises:
        LockBusy: If it was not free within `wait_s` seconds.
    """
    deadline = time.monotonic() + wait_s
    mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    while True:
        file = _open(path)
        try:
            fcntl.flock(file, mode)
            # The folder may have been removed and made anew while we waited: a lock on the old file guards nothing.
            if os.path.exists(path) and os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        except BlockingIOError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)
        if time.monotonic() >= deadline:
            raise LockBusy(str(path))
        time.sleep(0.01)


@contextmanager
def held(path: Path, *, shared: bool = False, wait_s: float = 0.0) -> Iterator[int]:
    """Hold the lock for a block."""
    file = take(path, shared=shared, wait_s=wait_s)
    try:
        yield file
    finally:
        # A fork made meanwhile has a copy of the open file; unlocking frees the copy too, closing would not.
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock just now."""
    if not path.exists():
        return False
    try:
        with held(path):
            return False
    except LockBusy:
        return True
