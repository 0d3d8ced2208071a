"""`ethogram taxonomy`."""

from typing import Annotated

import typer

from ethogram.cli.console import AsJson, emit, note, out, table


def taxonomy(
    pattern: Annotated[str, typer.Argument(help='Behavior id or pattern, e.g. "commerce.*".')] = "*",
    as_json: AsJson = False,
) -> None:
    """List the behaviors that may be used, with their properties; exit 1 if none matches.

    Example: ethogram taxonomy 'commerce.*'
    """
    from fnmatch import fnmatchcase

    from ethogram.core.workspace import plain
    from ethogram.wiring import load_taxonomy_here

    vocabulary = load_taxonomy_here()
    if "*" in pattern:
        behaviors = [b for b in sorted(vocabulary, key=lambda b: b.id) if fnmatchcase(b.id, pattern)]
    else:
        behaviors = [vocabulary.behavior(pattern)]
    if as_json:
        emit([plain(behavior) for behavior in behaviors])
    elif behaviors:
        out(table([[b.id, b.actor, b.stability, ", ".join(b.properties) or "-", b.brief] for b in behaviors]))
    if not behaviors:
        note(f"no behavior matches {pattern!r}; domains are {', '.join(sorted({b.domain for b in vocabulary}))}")
        raise typer.Exit(1)
