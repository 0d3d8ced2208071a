"""`ethogram quarantine`."""

from typing import Annotated

import typer

from ethogram.cli.console import AsJson, State, emit, open_store, out, table


def quarantine(
    source: Annotated[str, typer.Argument(help="Source whose rejected rows to show.")],
    limit: Annotated[int, typer.Option(help="At most so many rows.")] = 20,
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Show rejected rows with their reason and where they came from; exit 1 if there are any.

    Example: ethogram quarantine online_retail
    """
    store = open_store(state=state)
    store.workspace.source(source)
    rows = store.parts.quarantine.rows(source, limit=limit)
    if as_json:
        emit(rows)
    else:
        out(
            table([[f"{r['path']}:{r['row']}", "; ".join(reason["message"] for reason in r["reasons"])] for r in rows])
            or f"no row of {source} is in quarantine"
        )
    if rows:
        raise typer.Exit(1)
