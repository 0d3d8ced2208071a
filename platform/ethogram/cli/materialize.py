"""`ethogram materialize`."""

from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, State, emit, open_store, out, progress


def materialize(
    signals: Annotated[list[str], typer.Argument(help="Signals or scores of your team.")],
    at: Annotated[str, typer.Option(help="Instant, e.g. 2011-12-01; the data's end if absent.")] = "",
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Bring the rows of signals online, for lookups.

    Example: ethogram materialize purchase_rhythm --as growth
    """
    import dataclasses

    from ethogram.core import time

    store = open_store(as_, state)
    as_of = time.instant(at, what="at") if at else store.watermark()
    with progress("rows") as advance:
        done = store.materialize(signals, as_of=as_of, progress=advance)
    if as_json:
        emit([dataclasses.asdict(one) for one in done])
    else:
        for one in done:
            out(str(one))
