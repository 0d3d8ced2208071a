"""What consumers see of a signal or a score: a named row of typed features per entity."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class View:
    """The face of a signal (or of a published score) to lookups, training sets and Feast.

    Attributes:
        name: In Feast and online, version included: "purchase_rhythm_v4".
        ref: As consumers write it: "purchase_rhythm@4".
        asset: Name that agreements use: "purchase_rhythm".
        entity: Whose row.
        join_key: Name of the entity's key column in frames: "customer_id".
        features: Name and type in order; types as in `FeaturePlan.type`.
        owner: Team.
        brief: One sentence.
        kind: "signal" or "score".
    """

    name: str
    ref: str
    asset: str
    entity: str
    join_key: str
    features: tuple[tuple[str, str], ...]
    owner: str
    brief: str = ""
    kind: str = "signal"

    def only(self, names: Collection[str]) -> View:
        """The same view with these features alone."""
        return replace(self, features=tuple((name, kind) for name, kind in self.features if name in names))


def columns(views: Sequence[View]) -> list[tuple[View, str, str]]:
    """Each feature of `views` with its name side by side: its own, or `asset__feature` where two share it.

    >>> features = [(("score", "double"), (n, "integer")) for n in "ab"]
    >>> views = [View(f"{n}_v1", f"{n}@1", n, "user", "user_id", f, "t") for n, f in zip("ab", features)]
    >>> [shown for _, _, shown in columns(views)]
    ['a__score', 'a', 'b__score', 'b']
    """
    names = [name for view in views for name, _ in view.features]
    return [
        (view, name, f"{view.asset}__{name}" if names.count(name) > 1 else name)
        for view in views
        for name, _ in view.features
    ]
