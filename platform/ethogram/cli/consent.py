"""`ethogram consent`."""

from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, Purpose, State, emit, open_store, out
from ethogram.errors import AskedWrongly


def consent(
    entity: Annotated[str, typer.Argument(help="Kind of entity, e.g. customer.")],
    key: Annotated[str, typer.Argument(help="Its key.")],
    allow: Annotated[bool | None, typer.Option("--allow/--deny", help="What the entity said.")] = None,
    purpose: Purpose = "",
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Record that an entity allows or refuses a purpose; reads honour it from now on.

    Example: ethogram consent customer 17850 --deny --purpose churn_prevention --as growth
    """
    if allow is None:
        raise AskedWrongly("say what the entity said: --allow or --deny")
    store = open_store(as_, state)
    changed = store.consent(entity, key, purpose=purpose, allowed=allow)
    facts = {"entity": entity, "key": key, "purpose": purpose or store.purpose, "allowed": allow, "changed": changed}
    if as_json:
        emit(facts)
    else:
        said = "allows" if allow else "refuses"
        out(f"{entity} {key} {said} {facts['purpose']}" + ("" if changed else "; recorded before"))
