"""The reference page of the command line, made from its own help: `python -m ethogram.cli.reference > docs/cli.md`."""

from __future__ import annotations

from typing import Any

import typer

from ethogram.cli.app import app

WIDTH = 100


def reference() -> str:
    """docs/cli.md: every command's help as the command itself prints it."""
    group: Any = typer.main.get_command(app)
    whole = group.make_context("ethogram", [], resilient_parsing=True, terminal_width=WIDTH)
    parts = [
        "# The command line",
        "Made from `--help` by `python -m ethogram.cli.reference`; a test compares.",
        "Every command ends with 0: fine; 1: it ran and found something, or the rules say no; 2: asked wrongly; "
        "3: it could not be done. Facts go to stdout, as JSON with `--json`; prose and progress go to stderr.",
    ]
    for name, command in group.commands.items():
        context = command.make_context(name, [], parent=whole, resilient_parsing=True)
        parts += [f"## ethogram {name}", f"```\n{context.get_help().rstrip()}\n```"]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
