"""`ethogram down`."""

from typing import Annotated

import typer

from ethogram.cli.console import out


def down(
    remove: Annotated[
        bool, typer.Option("--remove", help="Delete every state too: databases, lake, artifacts.")
    ] = False,
) -> None:
    """Stop the workspace's servers; everything stored stays, unless it is to be removed.

    Example: ethogram down
    """
    from ethogram.settings import read_settings
    from ethogram.wiring import remove_state, stop_servers

    settings = read_settings()
    if remove:
        remove_state(settings)
        out("stopped; every state of this workspace is removed")
    else:
        out("stopped" if stop_servers(settings) else "nothing was running")
