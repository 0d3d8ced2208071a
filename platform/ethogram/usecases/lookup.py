"""Look up entities online: packed rows under the consent mask, with a reason for every null."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from ethogram.core.online.answer import Answer
from ethogram.core.online.packed import key_of
from ethogram.core.signals.view import View
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
    reasons: Mapping[str, str],
) -> list[Answer]:
    """One answer per key, in order; features of several views stand side by side.

    Args:
        entity: Whose keys they are.
        views: Views of that entity, to which access was granted.
        allowed: Of surrogates, those that may be read for (entity, purpose) now.
        reasons: Why a feature can be null, by its name.
    """
    ids = registry.find(entity, keys)
    readable = allowed(entity, purpose, ids)
    rows = online.read([view.name for view in views], [key_of(number) for number in readable]) if readable else {}
    answers = []
    for key, number in zip(keys, ids, strict=True):
        nothing = {name: None for view in views for name, _ in view.features}
        if number is None:
            answers.append(Answer(key, nothing, None, False, left_out=UNKNOWN))
            continue
        if number not in readable:
            answers.append(Answer(key, nothing, None, False, left_out=f"no consent for {purpose}"))
            continue
        found = [(view, rows.get((view.name, key_of(number)))) for view in views]
        if all(row is None for _, row in found):
            answers.append(Answer(key, nothing, None, False, left_out="not materialized; run `ethogram materialize`"))
            continue
        values: dict[str, object] = dict(nothing)
        why: dict[str, str] = {}
        times = []
        for view, row in found:
            if row is None:
                why.update({name: f"{view.ref} is not materialized for it" for name, _ in view.features})
                continue
            times.append(row[0])
            values.update({name: row[1].get(name) for name, _ in view.features})
        why.update({name: reasons[name] for name, value in values.items() if value is None and name not in why and name in reasons})
        answers.append(Answer(key, values, min(times), True, why))
    return answers
