from ethogram import Signal, count, recency

service_load = Signal(
    "service_load",
    version=1,
    entity="customer",
    of="support.ticket_opened",
    brief="How much a customer needs us: tickets, answers to them, calls, and what had to be opened again.",
    freshness="live",
    stability="stable",
    features=[
        count(over=["7d", "30d", "90d"]),
        count(of="support.ticket_reopened", over=["30d", "180d"]),
        count(of="support.ticket_replied", over="30d"),
        count(of="support.ticket_updated", over="30d"),
        count(of="support.call_made", over="90d"),
        recency(unit="days"),
    ],
)
