"""What can go wrong with a folder of Parquet files."""

from __future__ import annotations

import errno
from pathlib import Path

from ethogram.errors import EthogramError


class FolderTaken(EthogramError):
    """The folder holds what we did not write: nothing of it is touched."""

    code = "folder-taken"
    exit_status = 2

    def __init__(self, folder: Path, *, holds: str) -> None:
        self.folder, self.holds = folder, holds
        super().__init__(f"{folder}: holds {holds}, which is no made sample; name a new or an empty folder")


class FolderBusy(EthogramError):
    """Another command is writing into the folder."""

    code = "folder-busy"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder}: another command is writing here; wait for it, or name another folder")


class CannotWrite(EthogramError):
    """The file system refused; what was there before is still there."""

    code = "cannot-write"

    def __init__(self, folder: Path, problem: OSError) -> None:
        self.folder, self.full = folder, problem.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = problem.strerror or str(problem)
        hint = "free some space or name a folder on another disk" if self.full else "check the folder and its rights"
        super().__init__(f"{folder}: {reason[:1].lower()}{reason[1:]}; {hint}")
