from ethogram import Outcome, occurrence

withdrew_28d = Outcome(
    "withdrew_28d",
    entity="enrolment",
    happens=occurrence("learning.withdrew", within="28d"),
    among="enrolment_state.registrations >= 1 and enrolment_state.withdrawals = 0 and study_rhythm.click_days_56d >= 1",
    matures_after="1d",
    brief="A registered student who worked with the course site lately withdraws within four weeks.",
)
