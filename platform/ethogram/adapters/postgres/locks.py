"""Locks on files, freed by the kernel when their holder dies, however it dies.

A lock belongs to the open file, not to the process: a program that is handed the file keeps holding it. That is how a
server's own life is its lease. A mere fork does not count: it lets go at once.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_taken: set[int] = set()


class LockBusy(Exception):
    """Somebody else holds the lock, for longer than we would wait."""


def take(path: Path, *, shared: bool = False, wait_s: float = 0.0) -> int:
    """An open file that holds the lock, until `drop` here and its end wherever it was handed on.

    Raises:
        LockBusy: If it was not free within `wait_s` seconds.
    """
    deadline = time.monotonic() + wait_s
    mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    while True:
        file = open_private(path, os.O_RDWR)
        _taken.add(file)
        try:
            fcntl.flock(file, mode)
            # The folder may have been removed and made anew while we waited: a lock on the old file guards nothing.
            if os.path.exists(path) and os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        except BlockingIOError:
            pass
        except BaseException:
            drop(file)
            raise
        drop(file)
        if time.monotonic() >= deadline:
            raise LockBusy(str(path))
        time.sleep(0.01)


def drop(file: int) -> None:
    """Let go of a lock here; a program it was handed to still holds it."""
    _taken.discard(file)
    os.close(file)


@contextmanager
def held(path: Path, *, shared: bool = False, wait_s: float = 0.0) -> Iterator[int]:
    """Hold the lock for a block."""
    file = take(path, shared=shared, wait_s=wait_s)
    try:
        yield file
    finally:
        drop(file)


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock alone just now."""
    if not path.exists():
        return False
    try:
        with held(path, shared=True):
            return False
    except LockBusy:
        return True


def open_private(path: Path, flags: int) -> int:
    """Open a file, made private if it is new; what root makes in somebody's folder belongs to that somebody.

    No link is followed: the folder's owner may not be who we are.
    """
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        try:
            file = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            with suppress(FileNotFoundError):  # removed just now
                return os.open(path, flags)
            if not path.parent.is_dir():
                raise
        else:
            give_to_folders_owner(path.parent, file)
            return file


def give_to_folders_owner(folder: Path, file: int) -> None:
    """As root, give a file that we have just made to the owner of the folder it is in."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)


def _let_go_in_fork() -> None:
    for file in _taken:
        with suppress(OSError):
            os.close(file)
    _taken.clear()


os.register_at_fork(after_in_child=_let_go_in_fork)
