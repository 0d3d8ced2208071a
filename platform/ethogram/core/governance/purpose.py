"""Purposes: what data may be read for, and whether an entity must opt in or may opt out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.yaml_content import Fields, Findings, Items, read_yaml, shown
from ethogram.errors import AskedWrongly, Problems, did_you_mean

BASES = ("opt_in", "opt_out")


@dataclass(frozen=True, slots=True)
class Purpose:
    """A reason to read, e.g. "churn_prevention"; `basis` is "opt_out" (allowed until refused) or "opt_in"."""

    name: str
    brief: str
    basis: str = "opt_out"
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


class UnknownPurpose(AskedWrongly):
    """A read that states no purpose, or one nobody declared."""

    code = "unknown-purpose"

    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        self.name = name
        known = sorted(known)
        what = f"no purpose named {name!r}" if name else "every read states a purpose (--purpose, ETHOGRAM_PURPOSE)"
        hint = did_you_mean(name, known, otherwise="one of " + ", ".join(known))
        super().__init__(f"{what}; {hint}")


def load_purposes(text: str, path: str) -> dict[str, Purpose]:
    """The purposes that a file lists, by name.

    >>> list(load_purposes("- {name: campaigns, brief: Send offers., basis: opt_in}", "purposes.yaml"))
    ['campaigns']

    Raises:
        Problems: everything wrong with the file, with lines.
    """
    findings = Findings(path)
    node = read_yaml(text, path)
    purposes: dict[str, Purpose] = {}
    if not isinstance(node, Items):
        findings.add(1, f"the file must be a list of purposes, not {shown(node)}")
        node = Items()
    for i, item in enumerate(node):
        fields = Fields(item, findings, what="purpose", line=node.line_of(i))
        name = fields.text("name", required=True)
        fields.what = f"purpose {name}" if name else "purpose"
        if name in purposes:
            fields.add("name", f"purpose {name} is declared already at {purposes[name].origin}")
        purposes[name] = Purpose(
            name,
            fields.text("brief", required=True),
            fields.text("basis", required=True, among=BASES),
            Origin(path, fields.line),
        )
        fields.done()
    if problems := findings.told():
        raise Problems(problems, nothing_was="read")
    return purposes
