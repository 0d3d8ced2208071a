"""`ethogram approve`."""

from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, State, emit, open_store, out


def approve(
    model: Annotated[str, typer.Argument(help="Model.")],
    version: Annotated[int, typer.Argument(help="Its version.")],
    alias: Annotated[str, typer.Argument(help="Alias it is approved for.")] = "champion",
    note: Annotated[str, typer.Option(help="Why; kept with the approval.")] = "",
    reject: Annotated[bool, typer.Option("--reject", help="Decide against it.")] = False,
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Approve exactly this content of a model version for an alias, as a reviewer other than its author.

    Example: ethogram approve lapse 1 --as board.reviewer --note "calibration looked at"
    """
    import dataclasses

    decided = open_store(as_, state).approve(model, version, alias, note=note, reject=reject)
    if as_json:
        emit(dataclasses.asdict(decided))
    else:
        verb = "rejected" if reject else "approved"
        out(f"{decided.principal} {verb} {model} {version} as @{alias} · content {decided.digest[:12]}")
