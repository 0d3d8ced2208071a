"""What a name in the taxonomy may look like, and when two names look alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

NAME = re.compile(r"[a-z][a-z0-9_]*")
BEHAVIOR_ID = re.compile(r"[a-z]+\.[a-z][a-z0-9_]*")
MAX_LENGTH = 60  # PostgreSQL cuts identifiers at 63 bytes; a window's suffix such as _180d is added to some names.

_ALIKE = (("0", "o"), ("1", "l"), ("rn", "m"), ("vv", "w"), ("_", ""))


def problem_with_name(name: str, *, pattern: re.Pattern[str] = NAME, like: str) -> str:
    """Why `name` cannot be a name, or "" when it can; `like` is a good example.

    >>> problem_with_name("Cart-Add", like="cart_add")
    'write it in lower case letters, digits and underscores, as in cart_add'
    >>> problem_with_name("c\\u0430rt", like="cart_add")
    "'\\u0430' is CYRILLIC SMALL LETTER A, not a letter of a to z"
    >>> problem_with_name("cart_add", like="cart_add")
    ''
    """
    strange = next((c for c in name if not c.isascii()), None)
    if strange is not None:
        return f"{strange!r} is {unicodedata.name(strange, 'no named character')}, not a letter of a to z"
    if len(name) > MAX_LENGTH:
        return f"it has {len(name)} characters; at most {MAX_LENGTH}"
    if not pattern.fullmatch(name):
        return f"write it in lower case letters, digits and underscores, as in {like}"
    return ""


def skeleton(name: str) -> str:
    """What the eye keeps of a name: two names of one skeleton are mistaken for each other.

    >>> skeleton("cart_add") == skeleton("cartadd"), skeleton("tum") == skeleton("turn"), skeleton("cart") == skeleton("card")
    (True, True, False)
    """  # noqa: E501 - one line to paste
    seen = unicodedata.normalize("NFKC", name).casefold()
    for one, other in _ALIKE:
        seen = seen.replace(one, other)
    return seen


def alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs (later, earlier) of different names that look alike.

    >>> alike(["signin", "purchase", "sign_in"])
    [('sign_in', 'signin')]
    """
    first: dict[str, str] = {}
    return [(n, earlier) for n in names if (earlier := first.setdefault(skeleton(n), n)) != n]
