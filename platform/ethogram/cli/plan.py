"""`ethogram plan`."""

import dataclasses

import typer

from ethogram.cli.console import AsJson, State, emit, note, open_store, out


def plan(state: State = "", as_json: AsJson = False) -> None:
    """Show what `apply` would do with the working tree; exit 1 if anything.

    Example: ethogram plan
    """
    from ethogram.usecases.apply import steps

    store = open_store(state=state)
    todo = steps(store.workspace, store.parts.declarations)
    if as_json:
        emit([dataclasses.asdict(step) for step in todo])
    else:
        for step in todo:
            out(f"  {step}")
        note(f"{len(todo)} steps; next: ethogram apply" if todo else "nothing to do; what is declared is applied")
    if todo:
        raise typer.Exit(1)
