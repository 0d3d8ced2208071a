from ethogram import Outcome, occurrence

reopened_30d = Outcome(
    "reopened_30d",
    entity="customer",
    happens=occurrence("support.ticket_reopened", within="30d"),
    among="service_load.tickets_90d >= 1",
    matures_after="1d",
    brief="A customer who opened a ticket lately sees one of theirs opened again within 30 days.",
)
