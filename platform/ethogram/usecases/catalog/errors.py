"""What can go wrong while looking something up."""

from __future__ import annotations

from collections.abc import Collection

from ethogram.errors import EthogramError, did_you_mean


class NotInCatalog(EthogramError):
    """Nothing of that name was applied or made in this state."""

    code = "not-in-catalog"
    exit_status = 2

    def __init__(self, kind: str, name: str, *, known: Collection[str]) -> None:
        self.kind, self.name = kind, name
        hint = did_you_mean(name, known, otherwise="names are as `ethogram apply` stored them")
        super().__init__(f"no {kind} named {name!r} in this store; {hint}")
