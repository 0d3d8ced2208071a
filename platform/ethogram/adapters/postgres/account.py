"""The OS account that PostgreSQL runs under: ours, or an unprivileged one when we are root (it refuses root)."""

from __future__ import annotations

import os
import pwd
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.adapters.postgres.errors import ServerTrouble


@dataclass(frozen=True)
class Account:
    """An OS account, by number; `name` is for messages."""

    uid: int
    gid: int
    name: str

    @property
    def is_ours(self) -> bool:
        """Whether we already are this account."""
        return self.uid == os.geteuid()

    @property
    def process_options(self) -> dict[str, Any]:
        """What `subprocess` needs to run something as this account."""
        return {} if self.is_ours else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may_enter(self, folder: Path) -> bool:
        """Whether this account can reach `folder`, every folder above it included."""
        if self.is_ours:
            return os.access(folder, os.X_OK)
        try:
            entered = subprocess.run(
                ["/bin/sh", "-c", 'cd -- "$0"', str(folder)], capture_output=True, check=False, **self.process_options
            )
        except (OSError, ValueError) as error:
            raise ServerTrouble(
                f"you are root, PostgreSQL refuses root, and root may not become {self.name!r} here ({error}); "
                "run as another user (docker run --user …), or set ETHOGRAM_DATABASE_URL"
            ) from error
        return entered.returncode == 0


def name_of(uid: int) -> str:
    """The account's name, else its number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def account_for(workspace: Path, data: Path) -> Account:
    """Whoever owns the data; before there is any: us, or as root the workspace's owner, else `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), name_of(os.geteuid()))
    with suppress(FileNotFoundError):
        made = data.lstat()
        if made.st_uid != 0:
            return Account(made.st_uid, made.st_gid, name_of(made.st_uid))
    with suppress(KeyError):  # initdb wants an account that has a name
        owner = pwd.getpwuid(workspace.stat().st_uid)
        if owner.pw_uid != 0:
            return Account(owner.pw_uid, owner.pw_gid, owner.pw_name)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid, nobody.pw_name)
