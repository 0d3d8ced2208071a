"""`ethogram backfill`."""

from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, State, emit, open_store, out, progress


def backfill(
    signals: Annotated[list[str], typer.Argument(help="Hourly or daily signals of your team.")],
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would cost, and stop.")] = False,
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Make the tiles that signals are published from: new days, and days that late events touched.

    Example: ethogram backfill browsing --as growth
    """
    import dataclasses

    store = open_store(as_, state)
    ahead = store.estimate(signals)
    if estimate:
        if as_json:
            emit([{"ref": one.ref, "days": one.days, "events": one.events, "seconds": one.seconds} for one in ahead])
        else:
            for one in ahead:
                out(str(one))
        return
    if not as_json:
        for one in ahead:
            if one.days:
                out(str(one))
    with progress("days", total=sum(one.days for one in ahead)) as advance:
        done = store.backfill(signals, progress=advance)
    if as_json:
        emit([dataclasses.asdict(one) for one in done])
    else:
        for made in done:
            out(str(made))
