"""Whose behavior it is: customer, ticket, student, household."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.taxonomy.names import problem_with_name
from ethogram.core.taxonomy.property import PRIVACY
from ethogram.core.yaml_content import Fields, Findings, Node
from ethogram.errors import AskedWrongly, did_you_mean

KEY_TYPES = ("string", "integer")


@dataclass(frozen=True, slots=True)
class Entity:
    """Someone or something that behaves.

    Attributes:
        name: As sources and signals write it: "customer".
        brief: One sentence.
        plural: "customers".
        join_key: Name of its key in entity frames and in Feast: "customer_id".
        key_type: How the key is written outside; keys are canonical strings inside.
        rolls_up_to: The entity it belongs to, as an enrolment to its student; None at the top.
        privacy: Class of the key itself: none, behavioral, identifying or sensitive.
        identified_as: The entity that it may turn out to be, as a visitor a customer; None for none.
        identified_by: Behaviors whose events tell so, by naming both.
    """

    name: str
    brief: str
    plural: str
    join_key: str
    key_type: str = "string"
    rolls_up_to: str | None = None
    privacy: str = "identifying"
    identified_as: str | None = None
    identified_by: tuple[str, ...] = ()
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def noun(self) -> str:
        """The name as a word in a sentence."""
        return self.name.replace("_", " ")


class UnknownEntity(AskedWrongly):
    code = "unknown-entity"

    def __init__(self, name: str, *, known: Collection[str], where: str = "") -> None:
        self.name, self.where = name, where
        hint = did_you_mean(name, known, otherwise="see `ethogram taxonomy`")
        super().__init__(f"{where + ': ' if where else ''}no entity named {name!r}; {hint}")


def read_entity(node: Node, findings: Findings, line: int) -> Entity:
    fields = Fields(node, findings, what="entity", line=line)
    name = fields.text("name", required=True)
    fields.what = f"entity {name}" if name else "entity"
    if name and (problem := problem_with_name(name, like="customer")):
        fields.add("name", f"entity {name!r}: {problem}")
    join_key = fields.text("join_key", default=f"{name}_id")
    if problem := problem_with_name(join_key, like="customer_id"):
        fields.add("join_key", f"{fields.what}: join_key {join_key!r}: {problem}")
    entity = Entity(
        name=name,
        brief=fields.text("brief", required=True),
        plural=fields.text("plural", default=f"{name}s"),
        join_key=join_key,
        key_type=fields.text("key_type", default="string", among=KEY_TYPES),
        rolls_up_to=fields.text("rolls_up_to") or None,
        privacy=fields.text("privacy", default="identifying", among=PRIVACY),
        identified_as=fields.text("identified_as") or None,
        identified_by=tuple(fields.texts("identified_by")),
        origin=Origin(findings.where, fields.line),
    )
    fields.done()
    return entity
