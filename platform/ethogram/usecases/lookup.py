"""Look up entities online: packed rows under the consent mask, with a reason for every null."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ethogram.core.online.answer import Answer
from ethogram.core.online.packed import key_of
from ethogram.core.signals.view import View, columns
from ethogram.ports import Keys, OnlineStore

UNKNOWN = "unknown entity"


def lookup(
    entity: str,
    keys: Sequence[str],
    views: Sequence[View],
    *,
    purpose: str,
    online: OnlineStore,
    registry: Keys,
    allowed: Callable[[str, str, Collection[int | None]], Collection[int]],
    reasons: Mapping[tuple[str, str], str],
    empty: Mapping[tuple[str, str], Any],
) -> list[Answer]:
    """One answer per key, in order; features of several views stand side by side, named by `columns`.

    Args:
        entity: Whose keys they are.
        views: Views of that entity, to which access was granted.
        allowed: Of surrogates, those that may be read for (entity, purpose) now.
        reasons: Why a feature can be null, by view ref and name.
        empty: Value over no events where that is not null, by view ref and name: what an unknown entity has.
    """
    ids = registry.find(entity, keys)
    readable = allowed(entity, purpose, ids)
    rows = online.read([view.name for view in views], [key_of(number) for number in readable]) if readable else {}
    shown = columns(views)
    answers = []
    for key, number in zip(keys, ids, strict=True):
        nothing = dict.fromkeys(name for _, _, name in shown)
        if number is None:
            over_nothing = {name: empty.get((view.ref, feature)) for view, feature, name in shown}
            answers.append(Answer(key, over_nothing, None, False, left_out=UNKNOWN))
            continue
        if number not in readable:
            answers.append(Answer(key, nothing, None, False, left_out=f"no consent for {purpose}"))
            continue
        found = {view.ref: rows[view.name, key_of(number)] for view in views if (view.name, key_of(number)) in rows}
        if not found:
            answers.append(Answer(key, nothing, None, False, left_out="not materialized; run `ethogram materialize`"))
            continue
        values: dict[str, Any] = {}
        why: dict[str, str] = {}
        for view, feature, name in shown:
            values[name] = found[view.ref][1].get(feature) if view.ref in found else None
            if values[name] is None:
                absent = f"{view.ref} is not materialized for it"
                why[name] = reasons.get((view.ref, feature), "") if view.ref in found else absent
        answers.append(
            Answer(key, values, min(at for at, _ in found.values()), True, {n: w for n, w in why.items() if w})
        )
    return answers
