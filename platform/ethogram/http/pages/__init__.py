"""Server-rendered pages: one router a resource, no script, one sheet."""

from __future__ import annotations

from fastapi import APIRouter

from ethogram.http.pages import home, models, signals, sources, taxonomy, teams, training_sets
from ethogram.http.pages.site import Site


def routers(site: Site) -> list[APIRouter]:
    """Every page."""
    return [module.routes(site) for module in (home, taxonomy, signals, models, sources, training_sets, teams)]
