"""What `ethogram demo` plays on each data set: who publishes, who trains, who is refused."""

from __future__ import annotations

from dataclasses import dataclass

from ethogram.errors import AskedWrongly, did_you_mean


@dataclass(frozen=True, slots=True)
class Scenario:
    """One data set and the story told on it.

    Attributes:
        dataset: As sources name it.
        title: What the data is.
        entity: Whose behavior.
        publishers: Two signals of two teams, by name.
        model: Trained by its owner on signals of the publishers.
        every: Time between observations.
        start: First observation; by default a quarter of a year into the data.
        end: Instant after the last observation; by default the data's end.
        now: The instant that the story plays at: what is materialized, looked up and scored; by default the data's end.
        while_running: A behavior that stops before the data does: the story then plays 120 days before its last event,
            while everybody is still at it, and observations end 60 days earlier.
        outsider: A team without an agreement.
    """

    dataset: str
    title: str
    entity: str
    publishers: tuple[tuple[str, str], tuple[str, str]]
    model: str
    every: str = "7d"
    start: str | None = None
    end: str | None = None
    now: str | None = None
    while_running: str | None = None
    outsider: str = "sales"


_SHOPPING = (("growth", "purchase_rhythm"), ("shop", "basket"))

SCENARIOS = {
    scenario.dataset: scenario
    for scenario in (
        Scenario("shop", "a made-up online shop", "customer", _SHOPPING, "lapse"),
        Scenario("online_retail", "a British gift retailer, 2010 and 2011", "customer", _SHOPPING, "lapse"),
        Scenario(
            "complete_journey", "grocery households, 2017, a sample of receipt lines", "customer", _SHOPPING, "lapse"
        ),
        Scenario(
            "cdnow", "new customers of a music shop, 1997 and 1998", "customer", _SHOPPING, "lapse", start="1997-07-01"
        ),
        Scenario(
            "incident_log",
            "support tickets of an IT company, 2016",
            "customer",
            (("care", "service_load"), ("operations", "resolution")),
            "reopening",
            every="2d",
            # Nearly all tickets are of March to May; what follows is the tail of a log that was cut.
            start="2016-03-10",
            end="2016-06-01",
            now="2016-07-01",
        ),
        Scenario(
            "stats_stackexchange",
            "a question-and-answer site, 2010 to 2014",
            "user",
            (("community", "posting"), ("growth", "recognition")),
            "inactivity",
            every="14d",
        ),
        Scenario(
            "oulad",
            "an open university's courses, 2013 and 2014",
            "enrolment",
            (("teaching", "study_rhythm"), ("assessment", "submissions")),
            "withdrawal",
            while_running="learning.click",
        ),
    )
}


def scenario(name: str) -> Scenario:
    """The scenario of a data set.

    >>> scenario("oulad").entity
    'enrolment'
    """
    if name not in SCENARIOS:
        hint = did_you_mean(name, SCENARIOS, otherwise="one of " + ", ".join(SCENARIOS))
        raise AskedWrongly(f"no demo on {name!r}; {hint}")
    return SCENARIOS[name]
