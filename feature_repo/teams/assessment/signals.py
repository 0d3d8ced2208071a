from ethogram import Signal, count, mean, minimum, recency, total

submissions = Signal(
    "submissions",
    version=1,
    entity="enrolment",
    of="learning.assessment_submitted",
    brief="What a student handed in, how much it weighs, and how early it came.",
    freshness="daily",
    stability="stable",
    features=[
        count(over=["28d", "90d"]),
        total("weight", over="365d", name="weight_submitted"),
        mean("days_early", over="90d", name="days_early_mean_90d"),
        minimum("days_early", over="90d", name="days_early_min_90d"),
        recency(unit="days"),
    ],
)
