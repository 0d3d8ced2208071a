from ethogram import Signal, count, last, mean, minimum, recency, total

submissions = Signal(
    "submissions",
    version=1,
    entity="enrolment",
    of="learning.assessment_submitted",
    brief="What a student handed in, how early, and how it was marked once the mark was known.",
    freshness="daily",
    stability="stable",
    features=[
        count(over=["28d", "90d"]),
        total("weight", over="365d", name="weight_submitted"),
        mean("days_early", over="90d", name="days_early_mean_90d"),
        minimum("days_early", over="90d", name="days_early_min_90d"),
        recency(unit="days"),
        mean("score", of="learning.assessment_scored", over="90d", name="score_mean_90d"),
        last("score", of="learning.assessment_scored", name="score_last"),
    ],
)
