"""Sessions: what an entity does in one go, as a stream of its own that features look at like at any events.

A session is to features what an event is to others: it occurred when it started, and it has properties. It is made of
the events of a stream, in their order, up to the next

- pause: an event at least `gap` after the one before it starts a new session (the 30-minute rule of web analytics and
  of OpenTelemetry's `session.id`; one at exactly the gap starts a new one);
- `max_length`: so does an event at least that long after the session's start;
- cut, if asked: "midnight" in `timezone`, or "campaign": an event that names a campaign other than the one last named
  since the last pause, or the first to name one after events that name none (an event without one changes nothing).

A session belongs to the instant of its start, and is in a window if its start is. Whatever has not happened or is not
known at (at, known) is not part of it: one that is still open is seen so far. Events that became known more than `late`
after they occurred are left out of sessions for good, so that a session once seen does not change after that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ethogram.core import time
from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.expressions import BOOLEAN, INTEGER, STRING, TIMESTAMP, Type, check, decimal, parse
from ethogram.core.expressions.functions import Call, Function
from ethogram.core.expressions.syntax import Node
from ethogram.core.expressions.typed import Typed
from ethogram.core.signals.condition import Condition, condition
from ethogram.errors import AskedWrongly, EthogramError, Problems, did_you_mean

if TYPE_CHECKING:
    from ethogram.core.taxonomy import Behavior, Taxonomy

CUTS = ("midnight", "campaign")
# Seconds are fixed-point, so that sums of durations are exact.
SECONDS_SCALE = 6


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of an entity, over the behaviors of an id or a pattern; a signal or a feature takes them as its `of`.

    >>> visits = Sessions("visits", entity="customer", of="engagement.*", gap="30m", max_length="12h")
    >>> visits.gap
    '30m'

    Attributes:
        name: In the plural; feature names come from it: `visits_30d`, `days_since_visit`.
        of: A behavior, a pattern, or a list of them.
        gap: An event this long or longer after the one before it starts a new session.
        max_length: So does one this long or longer after the session's start; None for no limit.
        cut: "midnight" or "campaign"; None for neither.
        timezone: Whose midnight.
        campaign: The property that names the campaign.
        late: Events that became known later than this after they occurred are left out; None for none.
        where: Only events for which this holds.
        noun: One of them, where it is not the name without its s.
    """

    name: str
    entity: str
    of: str | Sequence[str]
    gap: str = "30m"
    max_length: str | None = None
    cut: str | None = None
    timezone: str | None = None
    campaign: str = "campaign_id"
    late: str | None = None
    where: str | None = None
    noun: str = ""
    brief: str = ""
    owner: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """`Sessions` after their names were resolved: what an engine needs to make them.

    Attributes:
        behaviors: Ids whose events make them.
        where: Which of the events.
        campaign: The property that cuts, None where none does.
        timezone: Whose midnight cuts, None where none does.
    """

    name: str
    noun: str
    entity: str
    behaviors: tuple[str, ...]
    where: Condition | None
    gap: timedelta
    max_length: timedelta | None
    late: timedelta | None
    timezone: str | None
    campaign: str | None

    def reads(self, names: Collection[str]) -> dict[str, tuple[str, int]]:
        """Properties of events that making sessions, and measuring these of them, needs: type and scale by name."""
        kinds = {measure.kind for name in names if (measure := measured(name, self))}
        found = {"behavior"} if kinds & {"entry", "exit", "behaviors", "reached", "steps"} else set()
        found |= {"channel"} & kinds | ({self.campaign} if self.campaign else set())
        return dict.fromkeys(sorted(found), ("string", 0))

    @property
    def zone(self) -> ZoneInfo | None:
        return ZoneInfo(self.timezone) if self.timezone else None

    def facts(self) -> dict[str, Any]:
        """Everything that decides which sessions there are, ready for JSON."""
        spelled = {name: getattr(self, name) for name in ("gap", "max_length", "late")}
        return {
            "name": self.name,
            "behaviors": list(self.behaviors),
            "where": self.where.text if self.where else None,
            **{name: None if length is None else time.spell(length) for name, length in spelled.items()},
            "timezone": self.timezone,
            "campaign": self.campaign,
        }


@dataclass(frozen=True, slots=True)
class Measure:
    """A property of sessions, by the name that features and conditions call it by.

    Attributes:
        kind: The same for plain properties; "reached" and "steps" otherwise.
        behaviors: For the latter two: what is reached.
    """

    name: str
    kind: str
    behaviors: tuple[str, ...] = ()


# Types and units of the properties of a session.
PROPERTIES: Mapping[str, tuple[str, str]] = {
    "duration": ("number", "s"),
    "events": ("integer", "1"),
    "behaviors": ("integer", "1"),
    "entry": ("string", ""),
    "exit": ("string", ""),
    "since_previous": ("number", "s"),
    "ended_at": ("timestamp", ""),
    "open": ("boolean", ""),
}
# Those that do not change while a session goes on.
SETTLED = frozenset({"entry", "channel", "occurred_at", "since_previous"})
_TYPES = {
    "number": decimal(SECONDS_SCALE),
    "integer": INTEGER,
    "string": STRING,
    "timestamp": TIMESTAMP,
    "boolean": BOOLEAN,
}


def _untyped(_: Call) -> Typed:
    raise AssertionError("calls of these are names before types are looked at")


_FUNCTIONS = {
    "reached": Function("reached('behavior')", 1, 1, _untyped),
    "steps": Function("steps('first', 'second', …)", 2, None, _untyped),
}


def plan_sessions(declared: Sessions, taxonomy: Taxonomy) -> SessionPlan:
    """Resolve `declared`; raises `Problems` with every problem and its line."""
    problems: list[str] = []

    def told(step: Callable[[], Any]) -> Any:
        try:
            return step()
        except Problems as several:
            problems.extend(several.problems)
        except EthogramError as error:
            problems.append(f"{declared.origin}: {error}")

    behaviors: list[Behavior] = []
    if declared.entity not in taxonomy.entities:
        hint = did_you_mean(declared.entity, taxonomy.entities, otherwise="see `ethogram taxonomy`")
        problems.append(f"{declared.origin}: no entity named {declared.entity!r}; {hint}")
    else:
        patterns = [declared.of] if isinstance(declared.of, str) else list(declared.of)
        matched = [told(lambda each=each: taxonomy.match(each, entity=declared.entity)) or [] for each in patterns]  # type: ignore[misc]  # bound per turn
        behaviors = sorted({b.id: b for found in matched for b in found}.values(), key=lambda b: b.id)
        wrong = [each for each in behaviors if declared.entity not in each.entities]
        if wrong:
            has = ", ".join(wrong[0].entities)
            problems.append(f"{declared.origin}: {wrong[0].id} has no entity {declared.entity!r}; it has {has}")
    lengths = {
        what: told(lambda what=what: time.duration(getattr(declared, what), what=what))  # type: ignore[misc]  # bound per turn
        for what in ("gap", "max_length", "late")
        if getattr(declared, what) is not None
    }
    gap, longest = lengths.get("gap"), lengths.get("max_length")
    if gap == timedelta(0):
        problems.append(f'{declared.origin}: gap="{declared.gap}" makes every event a session; give it a length')
    if gap and longest is not None and longest < gap:
        both = f'max_length="{declared.max_length}" is less than gap="{declared.gap}"'
        problems.append(f"{declared.origin}: {both}; a session could never be idle")
    if declared.cut is not None and declared.cut not in CUTS:
        problems.append(f'{declared.origin}: cut="{declared.cut}" is none of {", ".join(CUTS)}')
    if declared.cut == "campaign" and behaviors:
        problems.extend(_campaign_problems(declared, behaviors))
    timezone = declared.timezone or "UTC"
    if declared.timezone and declared.cut != "midnight":
        problems.append(f'{declared.origin}: timezone= is for cut="midnight"; drop it')
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        problems.append(f'{declared.origin}: no time zone named "{timezone}"; write one as Europe/London')
    where = told(lambda: condition(declared.where, behaviors, origin=str(declared.origin))) if behaviors else None
    if problems:
        raise Problems(problems)
    assert gap is not None
    return SessionPlan(
        name=declared.name,
        noun=declared.noun or declared.name.removesuffix("s"),
        entity=declared.entity,
        behaviors=tuple(behavior.id for behavior in behaviors),
        where=where,
        gap=gap,
        max_length=longest,
        late=lengths.get("late"),
        timezone=timezone if declared.cut == "midnight" else None,
        campaign=declared.campaign if declared.cut == "campaign" else None,
    )


def _campaign_problems(declared: Sessions, behaviors: list[Behavior]) -> list[str]:
    found = {b.properties[declared.campaign].type for b in behaviors if declared.campaign in b.properties}
    if not found:
        known = sorted({name for behavior in behaviors for name in behavior.properties})
        hint = did_you_mean(declared.campaign, known, otherwise="name the property with campaign=")
        return [f"{declared.origin}: no behavior of {declared.name} has a property {declared.campaign!r}; {hint}"]
    if found != {"string"}:
        what = f"campaign={declared.campaign!r} is of type {min(found)}"
        return [f"{declared.origin}: {what}; a campaign is named by a string"]
    return []


def as_behavior(plan: SessionPlan, property: str | None = None, *, origin: str = "") -> Behavior:
    """A session as if it were a behavior, with its properties; `property` may be a measure such as reached('…')."""
    from ethogram.core.taxonomy import Behavior, Property

    properties = {
        name: Property(name, kind, unit=unit, scale=SECONDS_SCALE if kind == "number" else 0)
        for name, (kind, unit) in PROPERTIES.items()
    }
    if property is not None and (found := measured(property, plan, origin=origin)) and found.kind in _FUNCTIONS:
        kind = "boolean" if found.kind == "reached" else "integer"
        properties[property] = Property(property, kind, unit="" if kind == "boolean" else "1")
    return Behavior(plan.name, "", plan.noun, plan.name, plan.entity, (plan.entity,), properties=properties)


def measured(name: str, plan: SessionPlan, *, origin: str = "") -> Measure | None:
    """The measure of this name; None where it is none, which who asks says best."""
    if name in PROPERTIES or name in {"channel", "occurred_at"}:
        return Measure(name, name)
    if "(" not in name:
        return None
    root = parse(name, where=origin, more=_FUNCTIONS).root
    return _call(root, plan, origin) if root.op == "call" and root.value in _FUNCTIONS else None


def session_condition(text: str | None, plan: SessionPlan, *, origin: str) -> Condition | None:
    """The filter in `text` over sessions; `reached(…)` and `steps(…)` are names of measures in what comes back."""
    if text is None:
        return None
    parsed = parse(text, where=origin, more=_FUNCTIONS)
    types = {"channel": STRING, "occurred_at": TIMESTAMP} | {n: _TYPES[kind] for n, (kind, _) in PROPERTIES.items()}
    root = _measures(parsed.root, plan, types, origin)
    names = frozenset(str(node.value) for node in root.walk() if node.op == "name")
    expression = replace(parsed, root=root, names=names)
    check(expression, types, expect=BOOLEAN)
    return Condition(expression, {plan.name: {name: types[name] for name in sorted(names)}})


def _measures(node: Node, plan: SessionPlan, types: dict[str, Type], origin: str) -> Node:
    """`node` with the calls that measure a session as names, whose types are added to `types`."""
    if node.op == "call" and node.value in _FUNCTIONS:
        measure = _call(node, plan, origin)
        types[measure.name] = BOOLEAN if measure.kind == "reached" else INTEGER
        return Node("name", (), measure.name, node.position)
    return replace(node, args=tuple(_measures(each, plan, types, origin) for each in node.args))


def _call(node: Node, plan: SessionPlan, origin: str) -> Measure:
    form = _FUNCTIONS[node.value].form
    behaviors = []
    for each in node.args:
        if each.op != "literal" or not isinstance(each.value, str):
            raise AskedWrongly(f"{origin}: {node.value} takes behaviors written out; write {form}")
        if each.value not in plan.behaviors:
            hint = did_you_mean(each.value, plan.behaviors, otherwise=f"{plan.name} are made of other behaviors")
            raise AskedWrongly(f"{origin}: {plan.name} have no {each.value!r}; {hint}")
        behaviors.append(each.value)
    spelled = ", ".join(f"'{each}'" for each in behaviors)
    return Measure(f"{node.value}({spelled})", str(node.value), tuple(behaviors))
