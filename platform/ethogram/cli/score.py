"""`ethogram score`."""

from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, State, emit, open_store, out


def score(
    model: Annotated[str, typer.Argument(help="Model with a @champion.")],
    at: Annotated[str, typer.Option(help="Instant, e.g. 2011-12-01; the data's end if absent.")] = "",
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Score everyone the model is for, publish the scores and bring them online.

    Example: ethogram score lapse --as risk.modeller
    """
    from ethogram.core import time

    store = open_store(as_, state)
    scored = store.score_all(model, as_of=time.instant(at, what="at") if at else None)
    if as_json:
        emit(
            {"run": scored.run, "version": scored.version.version, "rows": scored.table.num_rows, "bands": scored.bands}
        )
    else:
        out(str(scored))
