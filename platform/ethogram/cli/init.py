"""`ethogram init`."""

from pathlib import Path
from typing import Annotated

import typer

from ethogram.cli.console import note, out


def init(name: Annotated[str, typer.Argument(help="Folder to make.")]) -> None:
    """Lay down a workspace: taxonomy, teams, contracts, models, ready to change.

    Example: ethogram init shop
    """
    from ethogram.wiring import lay_down

    target = Path(name)
    written = lay_down(target)
    out(f"{target}: {len(written)} files in feature_repo/, contracts/ and registry/")
    note(f"next: cd {name} && ethogram demo")
