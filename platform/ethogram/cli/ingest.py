"""`ethogram ingest`."""

from functools import partial
from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, Data, State, emit, note, one_more, open_store, out, progress
from ethogram.errors import AskedWrongly


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
    from ethogram.core.workspace import UnknownName

    if not sources and not dataset:
        raise AskedWrongly("say what to take in: the names of sources, or --all DATASET")
    store = open_store(as_, state)
    declared = store.workspace.sources
    known = sorted({source.dataset for source in declared.values() if source.dataset})
    if dataset and dataset not in known:
        raise UnknownName("dataset", dataset, known=known)
    names = [*(sources or []), *(name for name, source in declared.items() if dataset and source.dataset == dataset)]
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
