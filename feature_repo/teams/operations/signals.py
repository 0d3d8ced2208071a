from ethogram import Signal, count, maximum, mean, recency

resolution = Signal(
    "resolution",
    version=1,
    entity="customer",
    of="support.ticket_resolved",
    brief="How a customer's tickets were handled: resolved, handed on, left waiting, late.",
    freshness="live",
    stability="stable",
    features=[
        count(over=["30d", "90d"]),
        count(of="support.ticket_closed", over="90d"),
        count(of="support.ticket_assigned", over="90d"),
        mean("reassignments", of="support.ticket_assigned", over="90d", name="reassignments_mean_90d"),
        maximum("reassignments", of="support.ticket_assigned", over="90d", name="reassignments_max_90d"),
        count(of="support.ticket_awaiting_customer", over="90d"),
        count(of="support.ticket_awaiting_others", over="90d"),
        count(of="support.sla_missed", over="90d"),
        recency(unit="days"),
    ],
)
