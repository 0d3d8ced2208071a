"""Where the columns of a plain table come from, so that it can be audited like a training set of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ethogram.core import time
from ethogram.errors import AskedWrongly

_NAMES = ("entity", "key", "as_of", "label", "horizon", "features")


class BadProvenance(AskedWrongly):
    """A provenance file that does not say what it must."""

    code = "bad-provenance"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one column comes from: a feature of a signal, or a column that tells when its value became known."""

    signal: str | None = None
    feature: str | None = None
    known_at: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the columns of a table are.

    Attributes:
        entity: An entity of the taxonomy.
        key: The column of its raw keys.
        as_of, label: Columns of the instant and of the outcome; a label is true or false, or 1 or 0.
        horizon: How far after the instant the outcome looks; None where unknown.
        features: By column, as far as known. Every other column but these is a feature of unknown origin.
    """

    entity: str
    key: str
    as_of: str
    label: str
    horizon: timedelta | None = None
    features: Mapping[str, Origin] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any], *, where: str) -> Provenance:
        """From what a YAML file says.

        >>> said = {"entity": "customer", "key": "id", "as_of": "day", "label": "churned", "horizon": "90d",
        ...         "features": {"spend": {"signal": "purchase_rhythm@4", "feature": "spend_90d"}}}
        >>> Provenance.of(said, where="p.yaml").features["spend"].feature
        'spend_90d'
        """
        unknown = [name for name in given if name not in _NAMES]
        missing = [name for name in ("entity", "key", "as_of", "label") if not isinstance(given.get(name), str)]
        if unknown:
            raise BadProvenance(f"{where}: no field {unknown[0]!r}; it has {', '.join(_NAMES)}")
        if missing:
            raise BadProvenance(f"{where}: {missing[0]} is missing; name the column (or the entity) it is")
        features = {}
        for column, said in dict(given.get("features") or {}).items():
            if not isinstance(said, dict) or set(said) - {"signal", "feature", "known_at"}:
                raise BadProvenance(f"{where}: {column} may say signal and feature, or known_at; nothing else")
            if ("signal" in said) != ("feature" in said):
                raise BadProvenance(f"{where}: {column} names a signal or a feature alone; name both")
            features[str(column)] = Origin(**said)
        horizon = given.get("horizon")
        span = None if horizon is None else time.duration(str(horizon), what=f"{where}: horizon")
        return cls(given["entity"], given["key"], given["as_of"], given["label"], span, features)
