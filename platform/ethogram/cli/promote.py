"""`ethogram promote`."""

from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, State, emit, open_store, out


def promote(
    model: Annotated[str, typer.Argument(help="Model.")],
    version: Annotated[int, typer.Argument(help="Its version.")],
    alias: Annotated[str, typer.Argument(help="Alias to move.")] = "champion",
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Move an alias to a version, if its gates pass and a valid approval of its content exists.

    Example: ethogram promote lapse 1 champion
    """
    moved = open_store(as_, state).promote(model, version, alias)
    if as_json:
        emit({"model": model, "version": moved.version, "alias": alias, "digest": moved.digest})
    else:
        out(f"{model} {version} is @{alias} · content {moved.digest[:12]}")
