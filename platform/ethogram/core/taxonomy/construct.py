"""A latent notion, such as engagement: what indicates it, and the outcome that shows whether it means anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.taxonomy.names import problem_with_name
from ethogram.core.yaml_content import Fields, Findings, Node

MEASURES = ("frequency", "recency", "amount", "regularity", "variety", "duration", "share")
DIRECTIONS = ("up", "down")


@dataclass(frozen=True, slots=True)
class Indicator:
    """A measure of behavior that moves with the construct.

    Attributes:
        of: Behavior id, or a pattern such as "engagement.*".
        measure: frequency, recency (time since the last), amount, regularity, variety, duration or share.
        direction: "up" when more of it means more of the construct.
    """

    of: str
    measure: str
    direction: str
    brief: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The outcome that validates a construct: where there is more of the construct, it is `direction`."""

    outcome: str
    direction: str
    brief: str = ""


@dataclass(frozen=True, slots=True)
class Construct:
    name: str
    brief: str
    indicators: tuple[Indicator, ...]
    benchmark: Benchmark | None
    stability: str = "development"
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def read_construct(node: Node, findings: Findings, line: int) -> Construct:
    fields = Fields(node, findings, what="construct", line=line)
    name = fields.text("name", required=True)
    fields.what = what = f"construct {name}" if name else "construct"
    if name and (problem := problem_with_name(name, like="engagement")):
        fields.add("name", f"construct {name!r}: {problem}")
    items = fields.items("indicators")
    if not items:
        fields.add("indicators", f"{what} needs indicators")
    indicators = []
    for i, item in enumerate(items):
        each = Fields(item, findings, what=f"{what}: indicator", line=items.line_of(i))
        indicators.append(
            Indicator(
                of=each.text("of", required=True),
                measure=each.text("measure", required=True, among=MEASURES),
                direction=each.text("direction", required=True, among=DIRECTIONS),
                brief=each.text("brief"),
                origin=Origin(findings.where, each.line),
            )
        )
        each.done()
    given = fields.inner("benchmark")
    benchmark = None
    if given:
        inner = Fields(given, findings, what=f"{what}: benchmark")
        benchmark = Benchmark(
            outcome=inner.text("outcome", required=True),
            direction=inner.text("direction", required=True, among=DIRECTIONS),
            brief=inner.text("brief"),
        )
        inner.done()
    elif not fields.has("benchmark"):
        fields.add("benchmark", f"{what} needs a benchmark: the outcome that validates it")
    construct = Construct(
        name=name,
        brief=fields.text("brief", required=True),
        indicators=tuple(indicators),
        benchmark=benchmark,
        stability=fields.text("stability", default="development", among=("development", "stable", "deprecated")),
        origin=Origin(findings.where, fields.line),
    )
    fields.done()
    return construct
