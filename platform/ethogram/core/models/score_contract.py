"""What a score promises beyond its type: direction, scale, bands, population, and what no answer means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.core import time
from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.yaml_content import Fields, Findings, Items, read_yaml
from ethogram.errors import EthogramError, Problems

VENDOR = "ethogram"
DIRECTIONS = ("higher_is_more_likely", "higher_is_less_likely")
_VERSION = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)")


@dataclass(frozen=True, slots=True)
class Band:
    """A named part of the scale, from the previous band's end up to `below`, which is not included."""

    name: str
    below: float


@dataclass(frozen=True, slots=True)
class ScoreContract:
    """The meaning of a published score; changing any of it but the brief is a breaking change, even if no type changes.

    Attributes:
        name: Of the score: "lapse_score".
        version: Semantic version of the contract; its first number is part of the view's name.
        entity: Whose score.
        calibrated_to: The outcome whose probability it is.
        bands: By rising score; the last one ends above 1.
        population: Who gets a score.
        null_answer: What it means that there is none.
        opt_out_answer: What consumers get for entities that opted out.
        valid_for: Age at which a score is no answer any more.
    """

    name: str
    version: str
    entity: str
    brief: str
    direction: str
    unit: str
    calibrated_to: str
    bands: tuple[Band, ...]
    population: str
    null_answer: str
    opt_out_answer: str
    valid_for: timedelta
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def band_of(self, score: ArrayLike) -> NDArray[np.object_]:
        """Name of each score's band.

        >>> bands = (Band("low", 0.2), Band("high", 2.0))
        >>> head = ("s", "1.0.0", "customer", "", DIRECTIONS[0], "probability", "o")
        >>> contract = ScoreContract(*head, bands, "", "", "", timedelta(1))
        >>> contract.band_of([0.1, 0.2, 1.0]).tolist()
        ['low', 'high', 'high']
        """
        ends = np.asarray([band.below for band in self.bands[:-1]])
        names = np.asarray([band.name for band in self.bands], dtype=object)
        chosen: NDArray[np.object_] = names[np.searchsorted(ends, np.asarray(score, dtype=np.float64), side="right")]
        return chosen


def load_score_contract(text: str, path: str) -> ScoreContract:
    """Read the meaning out of an ODCS document; raises `Problems` with every problem and its line.

    Only our custom properties, name, version and purpose are read here; the rest is ODCS and checked as such.
    """
    findings = Findings(path)
    document = Fields(read_yaml(text, path), findings, what="a score contract")
    name = document.text("name", required=True)
    version = document.text("version", required=True)
    if version and not _VERSION.fullmatch(version):
        document.add("version", f"a score contract: version {version!r} is not like 1.0.0")
    brief = Fields(document.inner("description"), findings, what="description").text("purpose", required=True)
    said: dict[str, Fields] = {}
    custom = document.items("customProperties")
    for place, item in enumerate(custom):
        one = Fields(item, findings, what="a custom property", line=custom.line_of(place))
        if one.text("vendor") == VENDOR:
            key = one.text("property", required=True)
            one.what, said[key] = key, one

    def value(key: str, *, among: tuple[str, ...] = ()) -> str:
        if key not in said:
            findings.add(custom.line, f"a score contract needs the custom property {key}, vendor {VENDOR}")
            return ""
        return said[key].text("value", required=True, among=among)

    entity, direction, unit = (
        value("entity"),
        value("direction", among=DIRECTIONS),
        value("unit", among=("probability",)),
    )
    calibrated_to, population = value("calibratedTo"), value("population")
    null_answer, opt_out_answer = value("nullAnswer"), value("optOutAnswer")
    valid_for = timedelta(0)
    try:
        valid_for = time.duration(value("validFor") or "1d", what="validFor")
    except EthogramError as error:
        said["validFor"].add("value", str(error))
    bands = _bands(said.get("bands"), findings, custom)
    if findings.found:
        raise Problems(findings.told())
    return ScoreContract(
        name,
        version,
        entity,
        brief,
        direction,
        unit,
        calibrated_to,
        bands,
        population,
        null_answer,
        opt_out_answer,
        valid_for,
        Origin(path, document.line_of("name")),
    )


def _bands(said: Fields | None, findings: Findings, custom: Items) -> tuple[Band, ...]:
    if said is None:
        findings.add(custom.line, f"a score contract needs the custom property bands, vendor {VENDOR}")
        return ()
    items = said.items("value")
    made: list[Band] = []
    for place, item in enumerate(items):
        one = Fields(item, findings, what="a band", line=items.line_of(place))
        name = one.text("band", required=True)
        below = one.section.get("below")
        one.has("below")
        last = place == len(items) - 1
        if last and below is not None:
            one.add("below", f"band {name} is the last one and ends at 1: drop below")
        elif not last and (isinstance(below, bool) or not isinstance(below, int | float) or not 0 < below < 1):
            one.add("below", f"band {name} needs below, a number between 0 and 1")
        one.done()
        made.append(Band(name, 2.0 if last or not isinstance(below, int | float) else float(below)))
    if not made:
        said.add("value", "a score contract needs at least one band")
    if any(earlier.below >= later.below for earlier, later in pairwise(made)) and not findings.found:
        said.add("value", "bands must rise: each below is greater than the one before")
    if len({band.name for band in made}) < len(made):
        said.add("value", "two bands have the same name")
    return tuple(made)
