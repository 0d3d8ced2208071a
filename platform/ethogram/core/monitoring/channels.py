"""How far each channel can be relied on, from happenings that several of them report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """One channel among others.

    Attributes:
        events: What it reported.
        saw: Happenings that it reported; fewer than its events where it reports some twice.
        delay_s: Seconds from when something occurred to when it was known, by the names of `QUANTILES`.
        agrees: By property, among happenings that this channel and another one report with a value: how many there
            are, and in how many the values are equal.
    """

    name: str
    events: int
    saw: int
    delay_s: Mapping[str, float]
    agrees: Mapping[str, tuple[int, int]]

    def agreement(self, property: str) -> float | None:
        """Share of equal values; None where there is nothing to compare."""
        pairs, equal = self.agrees[property]
        return equal / pairs if pairs else None


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """Channels in the order in which they are believed.

    Attributes:
        happenings: What at least one of them reported, each once.
    """

    happenings: int
    channels: tuple[ChannelFigures, ...]

    def coverage(self, channel: ChannelFigures) -> float | None:
        """Share of all happenings that the channel saw; None where there are none."""
        return channel.saw / self.happenings if self.happenings else None

    def facts(self) -> dict[str, Any]:
        """The report, ready for JSON."""
        return {
            "happenings": self.happenings,
            "channels": [
                {
                    "name": each.name,
                    "events": each.events,
                    "saw": each.saw,
                    "coverage": self.coverage(each),
                    "delay_s": dict(each.delay_s),
                    "agreement": {
                        name: {"pairs": pairs, "equal": equal, "share": each.agreement(name)}
                        for name, (pairs, equal) in each.agrees.items()
                    },
                }
                for each in self.channels
            ],
        }
