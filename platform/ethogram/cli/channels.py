"""`ethogram channels`."""

from typing import Annotated

import typer

from ethogram.cli.console import AsJson, State, emit, note, open_store, out, table


def channels(
    behaviors: Annotated[list[str], typer.Argument(help="A behavior, or several that report the same happenings.")],
    match: Annotated[list[str] | None, typer.Option(help="Property that must be equal; say it again for more.")] = None,
    within: Annotated[str, typer.Option(help="How far apart the channels may say that it happened.")] = "10m",
    where: Annotated[str, typer.Option(help="Only events for which this holds.")] = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Show how far each channel can be relied on: what it saw, how late, and whether it agrees with the others.

    Example: ethogram channels commerce.purchase commerce.purchase_reported --match order_id
    """
    store = open_store(state=state)
    report = store.channels(behaviors, match=match or [], within=within, where=where or None)
    if as_json:
        emit(report.facts())
        return
    if not report.happenings:
        note(f"no event of {', '.join(behaviors)}; see `ethogram ingest`")
        return
    rows = [["channel", "events", "saw", "late by (p50, p90, p99)", "agrees in"]]
    for each in report.channels:
        if each.events:
            late = ", ".join(_span(seconds) for seconds in each.delay_s.values())
            shares = {name: each.agreement(name) for name in each.agrees}
            agrees = ", ".join(f"{name} {share:.1%}" for name, share in shares.items() if share is not None)
            rows.append([each.name, f"{each.events:,}", f"{report.coverage(each):.1%}", late, agrees or "-"])
    out(f"{report.happenings:,} happenings")
    out(table(rows, right=[1, 2]))


def _span(seconds: float) -> str:
    """Seconds for people.

    >>> _span(0), _span(90), _span(7200), _span(200_000)
    ('0 s', '1.5 min', '2 h', '2.3 d')
    """
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.2g} {unit}"
    return f"{seconds:.3g} s"
