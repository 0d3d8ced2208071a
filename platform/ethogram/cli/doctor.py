"""`ethogram doctor`."""

import typer

from ethogram.cli.console import AsJson, State, emit, out


def doctor(state: State = "", as_json: AsJson = False) -> None:
    """Check everything the workspace stands on, and say how to mend what is wrong.

    Example: ethogram doctor
    """
    import dataclasses

    from ethogram.settings import read_settings
    from ethogram.wiring import examine

    findings = examine(read_settings(state=state or None))
    if as_json:
        emit([dataclasses.asdict(finding) for finding in findings])
    else:
        for finding in findings:
            out(f"{'ok  ' if finding.ok else 'BAD '} {finding.name}: {finding.what}")
            if not finding.ok:
                out(f"     next: {finding.mend}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
