"""`ethogram demo`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ethogram.cli.console import Data


def demo(
    dataset: Annotated[str, typer.Argument(help="shop (made data), or a data set of ../shared/data.")] = "shop",
    data: Data = None,
    events: Annotated[int, typer.Option(min=1, help="Size of the made data.")] = 1_000_000,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Loopback port of the catalog.")] = 8400,
    stay: Annotated[
        bool | None, typer.Option("--stay/--leave", help="Keep serving at the end; default on a terminal.")
    ] = None,
) -> None:
    """From raw events to an approved model, step by step; then the catalog in the browser.

    Example: ethogram demo online_retail --data ../shared/data/online_retail
    """
    from ethogram.cli.story import Story
    from ethogram.core.scenarios import scenario

    story = Story(scenario(dataset), data=Path(data) if data else None, events=events, port=port)
    story.tell(stay=sys.stdout.isatty() if stay is None else stay)
