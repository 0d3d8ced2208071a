"""`ethogram training-set`."""

from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, Purpose, State, emit, open_store, out


def training_set(
    outcome: Annotated[str, typer.Argument(help="What is to be predicted.")],
    signals: Annotated[str, typer.Option(help="Comma-separated: purchase_rhythm@4,lapse_score,feast:profile.")],
    every: Annotated[str, typer.Option(help="Time between observations, e.g. 7d.")] = "7d",
    from_: Annotated[str, typer.Option("--from", help="First instant; the data's start if absent.")] = "",
    to: Annotated[str, typer.Option("--to", help="Instant after the last; the data's end if absent.")] = "",
    purpose: Purpose = "",
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Make a point-in-time training set: signals as they could have been known, outcomes once they are ripe.

    Example: ethogram training-set lapsed_90d --signals purchase_rhythm,basket --purpose churn_prevention --as risk
    """
    made = open_store(as_, state).training_set(
        outcome,
        signals=[name.strip() for name in signals.split(",") if name.strip()],
        every=every,
        start=from_ or None,
        end=to or None,
        purpose=purpose,
    )
    if as_json:
        emit(made.facts())
    else:
        out(f"{made.version}: {made}")
