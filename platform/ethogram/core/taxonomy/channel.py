"""Through what a behavior reached us: web, store, phone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.taxonomy.names import problem_with_name
from ethogram.core.yaml_content import Fields, Findings, Node
from ethogram.errors import AskedWrongly, did_you_mean


@dataclass(frozen=True, slots=True)
class Channel:
    id: str
    brief: str
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


class UnknownChannel(AskedWrongly):
    code = "unknown-channel"

    def __init__(self, id: str, *, known: Collection[str], where: str = "") -> None:
        self.id, self.where = id, where
        hint = did_you_mean(id, known, otherwise="see `ethogram taxonomy`")
        super().__init__(f"{where + ': ' if where else ''}no channel named {id!r}; {hint}")


def read_channel(node: Node, findings: Findings, line: int) -> Channel:
    fields = Fields(node, findings, what="channel", line=line)
    id = fields.text("id", required=True)
    fields.what = f"channel {id}" if id else "channel"
    if id and (problem := problem_with_name(id, like="self_service")):
        fields.add("id", f"channel {id!r}: {problem}")
    channel = Channel(id, fields.text("brief", required=True), Origin(findings.where, fields.line))
    fields.done()
    return channel
