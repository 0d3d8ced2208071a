"""`ethogram lookup`."""

from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, Purpose, State, emit, open_store, out, shown, table


def lookup(
    entity: Annotated[str, typer.Argument(help="Kind of entity, e.g. customer.")],
    keys: Annotated[list[str], typer.Argument(help="Keys of entities.")],
    signals: Annotated[list[str], typer.Option("--signal", "-s", help="Signal or score; repeat for several.")],
    purpose: Purpose = "",
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Look features of entities up, as last materialized; exit 1 if one has no row.

    Example: ethogram lookup customer 17850 -s purchase_rhythm --purpose churn_prevention
    """
    answers = open_store(as_, state).lookup_many(entity, keys, signals=signals, purpose=purpose)
    if as_json:
        emit(
            [
                {
                    "key": a.key,
                    "known": a.known,
                    "at": a.at,
                    "left_out": a.left_out or None,
                    "values": dict(a),
                    "why": {name: a.why(name) for name, value in a.items() if value is None},
                }
                for a in answers
            ]
        )
    else:
        for answer in answers:
            when = f"as of {answer.at:%Y-%m-%d %H:%M} UTC" if answer.at else answer.left_out
            out(f"{entity} {answer.key} · {when}")
            if answer.known:
                rows = [[f"  {n}", answer.why(n) if value is None else shown(value)] for n, value in answer.items()]
                out(table(rows))
    if not all(answer.known for answer in answers):
        raise typer.Exit(1)
