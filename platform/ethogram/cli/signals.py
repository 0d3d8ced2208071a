"""`ethogram signals`."""

from ethogram.cli.console import AsJson, State, emit, open_store, out, table


def signals(state: State = "", as_json: AsJson = False) -> None:
    """List signals and scores with their owner and features.

    Example: ethogram signals
    """
    import dataclasses

    views = sorted(open_store(state=state).views().values(), key=lambda view: (view.kind, view.name))
    if as_json:
        emit([dataclasses.asdict(view) for view in views])
        return
    out(table([[v.ref, v.kind, v.entity, v.owner, ", ".join(name for name, _ in v.features)] for v in views]))
