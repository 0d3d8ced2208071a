"""`ethogram ingest`."""

from functools import partial
from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, Data, State, emit, note, one_more, open_store, out, progress


def ingest(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources to take in.")] = None,
    dataset: Annotated[str, typer.Option("--all", help="All sources of a dataset, e.g. oulad.")] = "",
    data: Data = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="Drop the source's events first; for a changed mapping.")
    ] = False,
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Take raw rows in as events: checked, deduplicated, every row accounted for; exit 1 if rows were rejected.

    Example: ethogram ingest online_retail --data ../shared/data/online_retail --as shop
    """
    store = open_store(as_, state)
    names = list(sources or [])
    if dataset:
        names += [name for name, source in store.workspace.sources.items() if source.dataset == dataset]
    reports = []
    for name in names:
        with progress(name, unit="files") as advance:
            report = store.ingest(name, data=data, redo=redo, progress=partial(one_more, advance))
        reports.append(report)
        if not as_json:
            out(f"{name}\n  {report.line()}")
            for failed in report.failed:
                note(failed.message)
    if as_json:
        emit([report.body() for report in reports])
    rejected = [report.source for report in reports if report.account.quarantined]
    if rejected:
        note(f"next: ethogram quarantine {rejected[0]}")
    if any(report.failed for report in reports):
        raise typer.Exit(3)
    if rejected:
        raise typer.Exit(1)
