from collections.abc import Callable

import pytest

from ethogram.core.taxonomy import Taxonomy, load_taxonomy
from ethogram.errors import Problems

ENTITIES = "- {name: customer, brief: Buys.}\n- {name: visitor, brief: Looks.}\n"
CHANNELS = "- {id: web, brief: Pages.}\n- {id: store, brief: Tills.}\n"


@pytest.fixture
def read() -> Callable[..., Taxonomy]:
    """Loads a small workspace; `behaviors` is commerce.yaml, other files are given by name with `_yaml` left off."""

    def load(behaviors: str = "", **others: str) -> Taxonomy:
        files = {"t/entities.yaml": ENTITIES, "t/channels.yaml": CHANNELS, "t/behaviors/commerce.yaml": behaviors}
        files |= {f"t/{name.replace('__', '/')}.yaml": text for name, text in others.items()}
        return load_taxonomy(files)

    return load


@pytest.fixture
def problems(read: Callable[..., Taxonomy]) -> Callable[..., list[str]]:
    """What is wrong with a small workspace, without the folder in front."""

    def found(behaviors: str = "", **others: str) -> list[str]:
        with pytest.raises(Problems) as caught:
            read(behaviors, **others)
        return [problem.removeprefix("t/") for problem in caught.value.problems]

    return found


@pytest.fixture
def behavior() -> Callable[..., str]:
    """The text of a good behavior; a keyword replaces a field, None leaves it out."""

    def text(id: str = "commerce.purchase", noun: str = "purchase", **fields: str | None) -> str:
        given: dict[str, str | None] = {
            "brief": "Paid.", "noun": noun, "actor": "customer", "stability": "stable", "since": '"1.0"',
        } | fields  # fmt: skip
        lines = [f"- id: {id}", *(f"  {name}: {value}" for name, value in given.items() if value is not None)]
        return "\n".join(lines) + "\n"

    return text
