"""Files of a model version on disk: their digests, read in whole."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder` by its path there; empty if there is no such folder.

    Links count as what they point at, so replacing a file by a link to other content shows.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def inside(root: Path, location: str) -> Path:
    """The folder at `location` below `root`; refused if it leads out of it."""
    place = (root / location).resolve()
    if not place.is_relative_to(root.resolve()) or place == root.resolve():
        raise ValueError(f"{location!r} is not below the artifact root")
    return place
