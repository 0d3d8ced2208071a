from ethogram import Signal, count, recency

posting = Signal(
    "posting",
    version=1,
    entity="user",
    of="engagement.question_posted",
    brief="How often and how recently a member asks and answers.",
    freshness="live",
    stability="stable",
    features=[
        count(over=["30d", "90d", "365d"]),
        count(of="engagement.answer_posted", over=["30d", "90d", "365d"]),
        count(of="engagement.page_written", over="365d"),
        recency(unit="days"),
        recency(of="engagement.answer_posted", unit="days"),
        recency(of="engagement.signed_up", unit="days"),
    ],
)
