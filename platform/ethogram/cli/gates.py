"""`ethogram gates`."""

from typing import Annotated

import typer

from ethogram.cli.console import AsJson, State, emit, open_store, out, table


def gates(
    model: Annotated[str, typer.Argument(help="Model.")],
    version: Annotated[int, typer.Argument(help="Its version; 0 for the newest.")] = 0,
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Show what every gate says of a model version; exit 1 if one does not pass.

    Example: ethogram gates lapse
    """
    import dataclasses

    store = open_store(state=state)
    store.workspace.model(model)
    results = store.gates(model, version or None)
    if as_json:
        emit([dataclasses.asdict(result) for result in results])
    else:
        out(table([[result.verdict, result.gate, result.detail] for result in results]))
    if not all(result.passed for result in results):
        raise typer.Exit(1)
