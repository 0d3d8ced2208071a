from ethogram import Outcome, absence

inactive_90d = Outcome(
    "inactive_90d",
    entity="user",
    happens=absence(
        ["engagement.question_posted", "engagement.answer_posted", "engagement.page_written"],
        within="90d",
    ),
    among="posting.questions_90d + posting.answers_90d >= 1",
    matures_after="1d",
    brief="A member who asked or answered lately posts nothing for 90 days.",
)
