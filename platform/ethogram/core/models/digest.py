"""The digest that an approval binds to: everything that decides what a model version answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(value: Any) -> bytes:
    """One spelling for equal JSON values: keys sorted, no blanks, UTF-8.

    >>> canonical({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, 64 hex digits; of a model version, take the whole manifest.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical(value)).hexdigest()


def changed_files(manifest: Mapping[str, Any], now: Mapping[str, str]) -> list[str]:
    """What differs between the files a manifest names and those there are `now` (SHA-256 by path), one line each.

    >>> changed_files({"files": {"MLmodel": "aa", "model.json": "bb"}}, {"MLmodel": "ab", "extra.txt": "cc"})
    ['MLmodel changed', 'extra.txt added', 'model.json gone']
    """
    then: Mapping[str, str] = manifest["files"]
    lines = []
    for path in sorted({*then, *now}):
        if path not in now:
            lines.append(f"{path} gone")
        elif path not in then:
            lines.append(f"{path} added")
        elif then[path] != now[path]:
            lines.append(f"{path} changed")
    return lines
