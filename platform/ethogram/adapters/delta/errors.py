"""What can go wrong with the lake, in words: what, where, next."""

from __future__ import annotations

import errno
from pathlib import Path

from ethogram.errors import AskedWrongly, EthogramError


class LakeTrouble(EthogramError):
    """A lake table cannot be read or written; what was committed before still stands."""

    code = "lake-trouble"

    def __init__(self, table: str, said: str, *, next_step: str) -> None:
        self.table = table
        super().__init__(f"{table}: {said}; {next_step}")


class LakeFull(LakeTrouble):
    """No space left; the half-written files were removed and nothing was committed."""

    code = "no-space"


class BadFolder(AskedWrongly):
    """A folder whose name Delta's reader would take apart."""

    code = "bad-folder"

    def __init__(self, folder: Path, sign: str) -> None:
        self.folder, self.sign = folder, sign
        super().__init__(f"{folder}: Delta cannot keep tables below a name with {sign!r} in it; move the workspace")


class NoSuchVersion(EthogramError):
    """A version that the table does not have."""

    code = "no-such-version"
    exit_status = 2

    def __init__(self, table: str, version: int, *, newest: int) -> None:
        self.table, self.version, self.newest = table, version, newest
        has = f"it has 0 to {newest}" if newest >= 0 else "the table does not exist"
        super().__init__(f"{table} has no version {version}; {has}")


class ColumnChanged(EthogramError):
    """Rows that bring a column with another type than the table has."""

    code = "column-changed"

    def __init__(self, table: str, column: str, *, has: str, given: str) -> None:
        self.table, self.column, self.has, self.given = table, column, has, given
        super().__init__(
            f"{table}: column {column} is {has} and the new rows bring {given}; "
            "give the new meaning a new name, or take its source in anew with --redo"
        )


def os_trouble(table: str, error: OSError) -> LakeTrouble:
    """Our error for an operating system's."""
    said = error.strerror or str(error) or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return LakeFull(table, said, next_step="nothing was committed; free some space and run it again")
    return LakeTrouble(table, said, next_step="nothing was committed; check the folder's rights and run it again")
