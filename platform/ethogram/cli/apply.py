"""`ethogram apply`."""

import dataclasses
from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, State, emit, open_store, out


def apply(
    publish: Annotated[bool, typer.Option("--publish", help="Publish to Feast even if nothing changed.")] = False,
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Make what the working tree declares current, and publish it to Feast.

    Example: ethogram apply
    """
    applied = open_store(as_, state).apply(always_publish=publish)
    if as_json:
        emit({"steps": [dataclasses.asdict(step) for step in applied.steps], "digest": applied.digest})
        return
    for step in applied.steps:
        out(f"  {step}")
    out(str(applied))
