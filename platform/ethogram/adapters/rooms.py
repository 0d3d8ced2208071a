"""Folders for what an engine spills: one a process or less, gone when the process ends."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
from pathlib import Path

_numbers = itertools.count(1)
_cleaned: set[Path] = set()


def new_room(folder: Path) -> Path:
    """A new folder below `folder`; what dead processes left there is removed when the first is made."""
    if folder not in _cleaned:
        _cleaned.add(folder)
        _clean(folder)
    room = folder / f"{os.getpid()}-{next(_numbers)}"
    room.mkdir(parents=True, exist_ok=True)
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    return room


def _clean(folder: Path) -> None:
    for left in folder.glob("*-*"):
        pid = left.name.partition("-")[0]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
