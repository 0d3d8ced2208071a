"""`ethogram quarantine`."""

from collections.abc import Mapping
from typing import Annotated, Any

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
            table(
                [[f"{r['path']}:{r['row']}", "; ".join(_said(each, r["raw"]) for each in r["reasons"])] for r in rows]
            )
            or f"no row of {source} is in quarantine"
        )
    if rows:
        raise typer.Exit(1)


def _said(reason: Mapping[str, str], raw: Mapping[str, Any]) -> str:
    """A promise of the contract is told as broken, and by what; other reasons say themselves what is wrong."""
    from ethogram.core.contracts.contract import PROMISES

    if reason["rule"] not in PROMISES:
        return reason["message"]
    found = raw.get(reason["column"])
    return f"not so: {reason['message']}" + (f" (it is {found})" if found is not None else "")
