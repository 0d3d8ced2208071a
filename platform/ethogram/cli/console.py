"""How commands speak: facts to stdout, prose and progress to stderr, the same facts as JSON when asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

if TYPE_CHECKING:
    from ethogram.local import Store

AsJson = Annotated[bool, typer.Option("--json", help="Facts as JSON on stdout, under stable keys.")]
As = Annotated[str, typer.Option("--as", help="Who acts, e.g. risk.modeller; else ETHOGRAM_PRINCIPAL.")]
State = Annotated[
    str, typer.Option("--state", help="State of the workspace; else ETHOGRAM_STATE or the last one used.")
]
Data = Annotated[Path | None, typer.Option("--data", help="Folder that holds the raw rows.")]
Purpose = Annotated[str, typer.Option("--purpose", help="What the read is for; else ETHOGRAM_PURPOSE.")]


def note(text: str) -> None:
    """Prose for whoever watches."""
    print(text, file=sys.stderr)


def out(text: str) -> None:
    """A fact."""
    print(text)


def emit(facts: Any) -> None:
    """Facts as JSON."""
    print(json.dumps(facts, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def shown(value: Any) -> str:
    """A value for people: money without trailing zeros, doubles to six digits; --json has every digit.

    >>> shown(Decimal("48.100000")), shown(Decimal("200.000000")), shown(44.57935116516204), shown(3)
    ('48.1', '200', '44.5794', '3')
    >>> shown(["web", "store"]), shown({"books": Decimal("2.500000")}), shown([])
    ('web, store', 'books 2.5', '-')
    """
    if isinstance(value, list):
        return ", ".join(map(shown, value)) or "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(item)}" for key, item in value.items()) or "-"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows as aligned columns; columns in `right` are right-aligned.

    >>> print(table([["a", "1"], ["bbb", "22"]], right=[1]))
    a     1
    bbb  22
    """
    if not rows:
        return ""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            c.rjust(w) if place in right else c.ljust(w) for place, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


class Advance(Protocol):
    """Reports progress: how much is done since the last call."""

    def __call__(self, amount: int, /) -> None: ...


def one_more(advance: Advance, _: object) -> None:
    """One step of a bar, whatever the use case says about it."""
    advance(1)


@contextmanager
def progress(what: str, *, total: int | None = None, unit: str = "rows") -> Iterator[Advance]:
    """A bar on stderr where that is a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _amount: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda amount: bar.advance(task, amount)


def open_store(as_: str = "", state: str = "") -> Store:
    """The local store for a command; imports nothing heavy until a command needs it."""
    from ethogram.wiring import connect

    return connect(as_=as_ or None, state=state or None)
