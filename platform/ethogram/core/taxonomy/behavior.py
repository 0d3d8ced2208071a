"""Something an entity does, by its canonical name: commerce.purchase, support.ticket_opened, learning.click."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.taxonomy.aliases import VOCABULARIES
from ethogram.core.taxonomy.names import BEHAVIOR_ID, problem_with_name
from ethogram.core.taxonomy.property import Property, UnknownProperty, read_property
from ethogram.core.yaml_content import Fields, Findings, Node, Section, shown
from ethogram.errors import AskedWrongly, did_you_mean

STABILITY = ("development", "stable", "deprecated")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Why a behavior goes, what takes its place and when it may be gone."""

    reason: str
    replaced_by: str | None = None
    date: date | None = None


@dataclass(frozen=True, slots=True)
class Retirement:
    """A name that once meant something and is never given again."""

    id: str
    reason: str
    replaced_by: str | None = None
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Behavior:
    """A behavior and everything an event of it may say.

    Attributes:
        id: `domain.words`, never reused.
        brief: One sentence: who did what.
        noun: One such event as a word of feature names: `days_since_purchase`.
        plural: Many of them: `purchases_30d`.
        actor: The entity whose behavior it is first of all.
        entities: Everyone an event may name, the actor first. Each is optional in an event; one at least must be there.
        object: What is acted on: "order", "ticket"; "" for none.
        properties: By name, in the order written.
        channels: Where it can happen; empty for anywhere.
        stability: development, stable or deprecated.
        since: Version of the taxonomy that brought it.
        deprecated: Set exactly when the stability says so.
        reverses: The behavior that this one takes back, as a refund does a purchase.
        aliases: Its name in other vocabularies: ga4, segment, activitystreams.
    """

    id: str
    brief: str
    noun: str
    plural: str
    actor: str
    entities: tuple[str, ...]
    object: str = ""
    properties: Mapping[str, Property] = field(default_factory=dict, hash=False)
    channels: tuple[str, ...] = ()
    stability: str = "development"
    since: str = ""
    deprecated: Deprecation | None = None
    reverses: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    examples: tuple[Mapping[str, Node], ...] = field(default=(), hash=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    def at(self, field_name: str) -> Origin:
        """Where one of its fields was written, as far as that is known."""
        return Origin(self.origin.path, self.lines.get(field_name, self.origin.line))

    @property
    def domain(self) -> str:
        """The part before the dot."""
        return self.id.partition(".")[0]

    def property_named(self, name: str, *, where: str = "") -> Property:
        """The property, or UnknownProperty with the nearest name."""
        if name not in self.properties:
            raise UnknownProperty(name, behavior=self.id, known=list(self.properties), where=where)
        return self.properties[name]


class UnknownBehavior(AskedWrongly):
    code = "unknown-behavior"

    def __init__(self, id: str, *, known: Collection[str], where: str = "") -> None:
        self.id, self.where = id, where
        hint = did_you_mean(id, known, otherwise="see `ethogram taxonomy`")
        super().__init__(f"{where + ': ' if where else ''}no behavior named {id!r}; {hint}")


def read_behavior(node: Node, findings: Findings, line: int) -> Behavior:
    """The behavior in one item of a domain's file; problems go to `findings`."""
    fields = Fields(node, findings, what="behavior", line=line)
    id = fields.text("id", required=True)
    fields.what = what = id or "behavior"
    if id and (problem := problem_with_name(id, pattern=BEHAVIOR_ID, like="commerce.purchase")):
        fields.add("id", f"{id!r} is no behavior id: {problem}")
    noun = fields.text("noun", required=True)
    plural = fields.text("plural", default=f"{noun}s")
    for name, word in (("noun", noun), ("plural", plural if fields.has("plural") else "")):
        if word and (problem := problem_with_name(word, like="purchase")):
            fields.add(name, f"{what}: {name} {word!r}: {problem}")
    actor = fields.text("actor", required=True)
    others = fields.texts("entities")
    if actor in others:
        fields.add("entities", f"{what}: entities lists the actor {actor!r} again; list the others only")
    object = fields.text("object")
    if object and (problem := problem_with_name(object, like="order")):
        fields.add("object", f"{what}: object {object!r}: {problem}")
    stability = fields.text("stability", required=True, among=STABILITY)
    properties = fields.inner("properties")
    behavior = Behavior(
        id=id,
        brief=fields.text("brief", required=True),
        noun=noun,
        plural=plural,
        actor=actor,
        entities=(actor, *(each for each in others if each != actor)),
        object=object,
        properties={
            name: read_property(name, each, findings, behavior=what, line=properties.line_of(name))
            for name, each in properties.items()
        },
        channels=fields.texts("channels"),
        stability=stability,
        since=fields.text("since", required=True),
        deprecated=_deprecation(fields, findings, stability),
        reverses=fields.text("reverses") or None,
        aliases=_aliases(fields.inner("aliases"), findings, what),
        examples=tuple(_examples(fields, findings)),
        origin=Origin(findings.where, fields.line),
        lines=fields.section.key_lines,
    )
    fields.done()
    return behavior


def read_retirement(node: Section, findings: Findings) -> Retirement:
    """The item `retired: id`, which keeps a name from ever being given again."""
    fields = Fields(node, findings, what="retired behavior")
    id = fields.text("retired", required=True)
    fields.what = f"retired {id}" if id else "retired behavior"
    retirement = Retirement(
        id=id,
        reason=fields.text("reason", required=True),
        replaced_by=fields.text("replaced_by") or None,
        origin=Origin(findings.where, fields.line),
    )
    fields.done()
    return retirement


def _deprecation(fields: Fields, findings: Findings, stability: str) -> Deprecation | None:
    given = fields.inner("deprecated")
    if not given:
        if stability == "deprecated":
            fields.add("stability", f"{fields.what} is deprecated but does not say why; add deprecated: {{reason: …}}")
        return None
    if stability and stability != "deprecated":
        fields.add("deprecated", f"{fields.what} has a deprecation but its stability is {stability}; say deprecated")
    inner = Fields(given, findings, what=f"{fields.what}: deprecated")
    reason = inner.text("reason", required=True)
    replaced_by = inner.text("replaced_by") or None
    written = inner.text("date")
    until: date | None = None
    if written:
        try:
            until = date.fromisoformat(written)
        except ValueError:
            inner.add("date", f"{inner.what}: date must be a date such as 2027-06-30, not {written!r}")
    if not replaced_by and not inner.has("date"):
        fields.add("deprecated", f"{inner.what} needs replaced_by or date")
    inner.done()
    return Deprecation(reason, replaced_by, until)


def _aliases(section: Section, findings: Findings, what: str) -> dict[str, str]:
    fields = Fields(section, findings, what=f"{what}: aliases")
    given = {}
    for vocabulary, names in VOCABULARIES.items():
        name = fields.text(vocabulary)
        if name and name not in names:
            hint = did_you_mean(name, names, otherwise="see its specification")
            fields.add(vocabulary, f"{what}: {name!r} is no name in {vocabulary}; {hint}")
        elif name:
            given[vocabulary] = name
    fields.done()
    return given


def _examples(fields: Fields, findings: Findings) -> list[Section]:
    items = fields.items("examples")
    good = []
    for i, example in enumerate(items):
        if isinstance(example, Section):
            good.append(example)
        else:
            findings.add(
                items.line_of(i), f"{fields.what}: an example must be fields with values, not {shown(example)}"
            )
    return good
