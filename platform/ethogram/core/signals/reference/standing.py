"""Which events stand: what was asserted, as it was corrected or retracted since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ethogram.core.events import Event


def standing(visible: Sequence[Event]) -> list[Event]:
    """The events that stand, given the records that can be seen; corrections stand in place of what they correct.

    All records about one event are its assertion and whatever names it as target. The assertion is the first word
    about it, whenever it arrives; of the rest the latest known has the last word, of equally late ones the one with the
    greatest id. A correction is the event as it really was, with its own time, entities and properties. A retraction
    leaves nothing, until a later correction brings the event back. A correction of an event that never was asserted is
    an event all the same; a retraction of one is nothing.
    """
    spoken: dict[tuple[str, str], Event] = {}
    for record in sorted(visible, key=_rank):
        spoken[record.behavior, record.about] = record
    return [record for record in spoken.values() if record.op != "retract"]


def _rank(record: Event) -> tuple[bool, datetime, str]:
    return record.op != "assert", record.available_at, record.event_id
