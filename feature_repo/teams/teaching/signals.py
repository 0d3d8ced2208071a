from ethogram import Signal, count, last, maximum, mean, recency, total

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
