"""JSON: one router a resource."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter

from ethogram.http.api import health, models, signals, taxonomy
from ethogram.http.proxy import Proxy
from ethogram.ports import CatalogReader


def routers(reader: CatalogReader, now: Callable[[], datetime], proxy: Proxy | None) -> list[APIRouter]:
    """Every resource."""
    return [
        taxonomy.routes(reader),
        signals.routes(reader, now),
        models.routes(reader),
        health.routes(reader, proxy),
    ]
