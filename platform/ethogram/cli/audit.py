"""`ethogram audit`."""

from pathlib import Path
from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, Purpose, State, emit, open_store, out


def audit(
    check: Annotated[str, typer.Argument(help="What to look for: leakage.")],
    subject: Annotated[str, typer.Argument(help="A training set's version, or a Parquet or CSV file.")],
    provenance: Annotated[str, typer.Option(help="For a file: YAML that says what its columns are.")] = "",
    purpose: Purpose = "",
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Look for the future in a training set, ours or any table; exit 1 if a column knows it.

    Example: ethogram audit leakage churn.parquet --provenance churn.yaml --purpose churn_prevention --as risk
    """
    from ethogram.errors import AskedWrongly

    if check != "leakage":
        raise AskedWrongly(f"no audit named {check!r}; did you mean leakage?")
    store = open_store(as_, state)
    found = store.audit_frame(Path(subject), Path(provenance), purpose=purpose) if provenance else store.audit(subject)
    if as_json:
        emit(found.facts())
    else:
        out(str(found))
        if found.unchecked:
            out(f"  not recomputed, as no signal is known to give them: {', '.join(found.unchecked)}")
        if not found.clean:
            out("next: leave these columns out, or build them as signals: a signal never looks ahead")
    if not found.clean:
        raise typer.Exit(1)
