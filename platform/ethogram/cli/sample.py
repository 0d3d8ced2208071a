"""`ethogram sample`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ethogram.cli.console import note, out, progress


def sample(
    out_: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("shop"),
    events: Annotated[int, typer.Option(min=1, help="How many rows, over all tables but customers.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    days: Annotated[int, typer.Option(min=1, help="Length of the period.")] = 365,
) -> None:
    """Generate a made-up online shop: it says so, and its truths are documented in docs/made_data.md.

    Example: ethogram sample --events 1000000 --out shop
    """
    from ethogram.wiring import make_sample

    with progress("made data", total=events, unit="events") as advance:
        report = make_sample(
            out_, events=events, seed=seed, start=datetime(2025, 1, 1, tzinfo=UTC), days=days, progress=advance
        )
    out(str(report))
    note(f"next: ethogram ingest --all shop --data {out_} --as shop")
