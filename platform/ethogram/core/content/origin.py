"""Where a declared value was written, so that an error can point at it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """File (relative to the workspace) and line of a declaration.

    >>> str(Origin("feature_repo/teams/growth/signals.py", 12))
    'feature_repo/teams/growth/signals.py:12'
    """

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


NOWHERE = Origin("(code)", 0)
