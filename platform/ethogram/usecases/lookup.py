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
    masked: Callable[[str, str], Collection[int]],
    reasons: Mapping[str, str],
) -> list[Answer]:
    """One answer per key, in order; features of several views stand side by side.

    Args:
        entity: Whose keys they are.
        views: Views of that entity, to which access was granted.
        masked: Surrogates that may not be read for (entity, purpose).
        reasons: Why a feature can be null, by its name.
    """
    ids = registry.find(entity, keys)
    hidden = masked(entity, purpose)
    wanted = [key_of(number) for number in ids if number is not None and number not in hidden]
    rows = online.read([view.name for view in views], wanted) if wanted else {}
    answers = []
    for key, number in zip(keys, ids, strict=True):
        nothing = {name: None for view in views for name, _ in view.features}
        if number is None:
            answers.append(Answer(key, nothing, None, False, left_out=UNKNOWN))
            continue
        if number in hidden:
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
            values.update(zip((name for name, _ in view.features), row[1], strict=True))
        why.update({name: reasons[name] for name, value in values.items() if value is None and name not in why and name in reasons})
        answers.append(Answer(key, values, min(times), True, why))
    return answers
