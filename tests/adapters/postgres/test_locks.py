"""Locks that the kernel frees."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from ethogram.adapters.postgres import locks


def test_one_holds_alone_and_many_hold_together(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with locks.held(path):
        assert locks.is_held(path)
        with pytest.raises(locks.LockBusy):
            locks.take(path, shared=True)
    with locks.held(path, shared=True), locks.held(path, shared=True):
        assert not locks.is_held(path)
        with pytest.raises(locks.LockBusy):
            locks.take(path)
    locks.drop(locks.take(path))


def test_a_fork_does_not_hold_what_its_parent_held(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def wait() -> None:
        theirs.send("forked")
        theirs.recv()

    lock = locks.take(path)
    child = context.Process(target=wait)
    child.start()
    assert ours.recv() == "forked"
    locks.drop(lock)
    assert not locks.is_held(path)
    ours.send("end")
    child.join()
    assert child.exitcode == 0


def test_a_lock_in_a_folder_that_was_removed_is_no_lock(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    lock = locks.take(folder / "a.lock")
    shutil.rmtree(folder)
    folder.mkdir()
    locks.drop(locks.take(folder / "a.lock"))
    locks.drop(lock)


def test_a_lock_file_is_private_and_no_link_is_followed(tmp_path: Path) -> None:
    locks.drop(locks.take(tmp_path / "a.lock"))
    assert (tmp_path / "a.lock").stat().st_mode & 0o777 == 0o600
    (tmp_path / "b.lock").symlink_to(tmp_path / "a.lock")
    with pytest.raises(OSError, match="symbolic links"):
        locks.take(tmp_path / "b.lock")
    with pytest.raises(FileNotFoundError):
        locks.take(tmp_path / "nowhere" / "a.lock")
    assert sorted(os.listdir(tmp_path)) == ["a.lock", "b.lock"]
