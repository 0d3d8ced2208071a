from ethogram import (
    Signal,
    change,
    concentration,
    count,
    decay,
    gaps,
    last,
    maximum,
    mean,
    recency,
    streak,
    tenure,
    total,
)

study_rhythm = Signal(
    "study_rhythm",
    version=1,
    entity="enrolment",
    of="learning.click",
    brief="How much and how regularly a student works with the course site, and with which parts of it.",
    freshness="daily",
    stability="stable",
    features=[
        count(over=["7d", "28d", "56d"]),
        total("clicks", over="7d", name="clicks_7d"),
        total("clicks", over="28d", name="clicks_28d"),
        mean("clicks", over="28d", name="clicks_mean_28d"),
        maximum("clicks", over="28d", name="clicks_max_28d"),
        total("clicks", over="28d", where="activity = 'forumng'", name="forum_clicks_28d"),
        total("clicks", over="28d", where="activity = 'quiz'", name="quiz_clicks_28d"),
        recency(unit="days"),
    ],
)

study_habits = Signal(
    "study_habits",
    version=1,
    entity="enrolment",
    of="learning.click",
    brief="Whether a student works day by day or in bursts, and whether it is more or less than before.",
    freshness="daily",
    stability="development",
    features=[
        tenure(unit="days"),
        streak("current", period="week"),
        streak("longest", period="day", over="56d"),
        gaps("max", over="28d"),
        change("clicks", over="14d", by="ratio", name="clicks_against_before_14d"),
        decay("clicks", half_life="7d", name="clicks_decayed_7d"),
        concentration("day_of_week", over="56d"),
    ],
)

enrolment_state = Signal(
    "enrolment_state",
    version=1,
    entity="enrolment",
    of="learning.registered",
    brief="Whether and since when a student is registered on a presentation, and whether they left it.",
    freshness="live",
    stability="stable",
    features=[
        count(),
        count(of="learning.withdrew"),
        count(of="learning.withdrew", over="365d"),
        recency(unit="days"),
        last("previous_attempts", name="previous_attempts"),
        last("credits", name="credits"),
    ],
)
