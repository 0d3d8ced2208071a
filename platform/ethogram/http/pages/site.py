"""What every page needs: the reader, the instant, the templates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from ethogram.http.pages import charts, links, wording
from ethogram.http.pages.ethogram import ethogram
from ethogram.ports import CatalogReader
from ethogram.usecases.catalog.lineage import Lineage

HERE = Path(__file__).parent
STATIC = HERE / "static"


@dataclass(frozen=True)
class Site:
    """Renders pages; on each stands how much of the state's data is made."""

    reader: CatalogReader
    now: Callable[[], datetime]
    mlflow: bool
    templates: Environment = field(init=False, repr=False)

    def __post_init__(self) -> None:
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {
            "count": wording.count,
            "short": wording.short,
            "share": wording.share,
            "figure": wording.figure,
            "duration": wording.duration,
            "day": wording.day,
            "some": wording.some,
            "one": wording.one,
            "breakable": _breakable,
        }
        sheet = hashlib.sha256((STATIC / "ethogram.css").read_bytes()).hexdigest()[:12]
        environment.globals |= {
            "plural": wording.plural,
            "charts": charts,
            "ethogram": ethogram,
            "address": links.address,
            "mlflow_run": links.mlflow_run,
            "draw_lineage": _draw_lineage,
            "sheet": f"/static/ethogram.css?v={sheet}",
            "mlflow": self.mlflow,
        }
        object.__setattr__(self, "templates", environment)

    def page(self, request: Request, template: str, model: Any, *, status: int = 200, **more: Any) -> HTMLResponse:
        """`template` rendered with `page` as its read model.

        A page that says what broke asks the store nothing, so that it comes out whatever broke; every other one says
        how much of the data is made, or does not come out.
        """
        now = self.now()
        made = self.reader.made() if status < 500 else 0.0

        def when(at: datetime | None) -> Markup:
            return _when(at, now)

        text = self.templates.get_template(template).render(
            page=model, now=now, when=when, made=made, path=request.url.path, query=request.query_params, **more
        )
        return HTMLResponse(text, status_code=status)


def _when(at: datetime | date | None, now: datetime) -> Markup:
    """A `<time>`: relative to read, absolute in its title."""
    if at is None:
        return Markup("–")
    if not isinstance(at, datetime):
        return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), wording.day(at))
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), wording.instant(at), wording.ago(at, now)
    )


def _breakable(name: str) -> Markup:
    """A name that may break after its dots and underscores."""
    text = escape(name)
    for mark in (".", "_", "/"):
        text = text.replace(mark, mark + Markup("<wbr>"))
    return text


def _draw_lineage(graph: Lineage) -> Markup:
    addresses = {
        node.key: href for column in graph.columns for node in column if (href := links.address(node.kind, node.name))
    }
    counts = [
        wording.plural(sum(node.more or 1 for node in column), column[0].kind)
        for column in graph.columns
        if graph.focus[0] != column[0].kind
    ]
    around = ", ".join(counts) or "nothing yet"
    return charts.lineage(graph, addresses, says=f"Connected with {escape(graph.focus[1])}: {around}")
