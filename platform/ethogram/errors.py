"""Errors a user can meet: each says what, where and what to do next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches


class EthogramError(Exception):
    """Base of every error that is meant for a user.

    `code` is stable: scripts match on it, the wording may improve. `exit_status` is what the command line returns:
    1 ran and found something, 2 asked wrongly, 3 could not be done.
    """

    code = "error"
    exit_status = 3


class Refused(EthogramError):
    """The rules do not allow it: the caller may ask for the right, not retry."""

    code = "refused"
    exit_status = 1


class AskedWrongly(EthogramError):
    """The request itself is wrong; the same request will never work."""

    code = "asked-wrongly"
    exit_status = 2


class Problems(EthogramError):
    """All problems of one reading at once, one line each, in file order."""

    code = "problems"
    exit_status = 2

    def __init__(self, problems: Sequence[str], *, nothing_was: str = "applied") -> None:
        self.problems = tuple(problems)
        shown = list(self.problems[:20])
        if len(self.problems) > len(shown):
            shown.append(f"… and {len(self.problems) - len(shown)} more")
        count = f"{len(self.problems)} problem{'s' if len(self.problems) != 1 else ''}"
        super().__init__("\n".join([*shown, f"{count}; nothing was {nothing_was}"]))


def did_you_mean(name: str, known: Collection[str], *, otherwise: str = "") -> str:
    """The hint that ends an error about an unknown name.

    >>> did_you_mean("amout", ["amount", "items"])
    'did you mean amount?'
    >>> did_you_mean("zzz", ["amount"], otherwise="see `ethogram signals`")
    'see `ethogram signals`'
    """
    near = get_close_matches(name, list(known), n=3)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
