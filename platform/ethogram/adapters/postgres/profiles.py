"""Profiles of signals' values, as pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, insert

from ethogram.adapters.postgres.tables import feature_profile


class PostgresProfiles:
    """Keeps `ports.Profiles`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, signal: str, profiles: Mapping[tuple[str, datetime], Mapping[str, Any]]) -> None:
        """Replace the profiles of `signal`, by feature and instant."""
        rows = [
            {"signal": signal, "feature": feature, "as_of": as_of, "profile": dict(profile)}
            for (feature, as_of), profile in profiles.items()
        ]
        with self._engine.begin() as connection:
            connection.execute(delete(feature_profile).where(feature_profile.c.signal == signal))
            if rows:
                connection.execute(insert(feature_profile), rows)
