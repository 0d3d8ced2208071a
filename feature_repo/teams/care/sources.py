from ethogram import Source, event

channel_of_contact = (
    "if(contact_type = 'Phone', 'phone', if(contact_type = 'Self service', 'self_service', "
    + "if(contact_type = 'Email', 'email', if(contact_type = 'IVR', 'ivr', 'direct'))))"
)

# Of a group, the first row's own value, also where it is empty: a name alone would take the first value that is not,
# which a later row may have brought.
topic = "nullif(first(coalesce(u_symptom, '')), '')"
team = "nullif(first(coalesce(assignment_group, '')), '')"

# One row is one update of a ticket and says how the ticket stood then, but not whether that was new: so the first row
# of a kind makes the event, once for each opening (reopen_count) or hand-over (reassignment_count).
incident_log = Source(
    "incident_log",
    dataset="incident_log",
    rows="incident_event_log.parquet",
    contract="contracts/sources/incident_log.yaml",
    brief="Updates of an IT service desk's tickets; columns that hold the ticket's end on every row are not used.",
    time="sys_updated_at",
    known_after="0s",
    events=[
        event(
            "support.ticket_opened",
            group_by="number",
            time="opened_at",
            known_at="sys_updated_at",
            channel=channel_of_contact,
            customer="caller_id",
            ticket="number",
            topic=topic,
            category="nullif(first(coalesce(category, '')), '')",
            subcategory="nullif(first(coalesce(subcategory, '')), '')",
            priority="priority",
            impact="impact",
            urgency="urgency",
            team=team,
        ),
        event(
            "support.ticket_updated",
            where="incident_state in ('New', 'Active') and sys_mod_count > 0",
            customer="caller_id",
            ticket="number",
            priority="priority",
            impact="impact",
            urgency="urgency",
            team="assignment_group",
        ),
        event(
            "support.ticket_assigned",
            where="reassignment_count > 0",
            group_by="number, reassignment_count",
            customer="caller_id",
            ticket="number",
            team=team,
            reassignments="reassignment_count",
        ),
        event(
            "support.ticket_awaiting_customer",
            where="incident_state in ('Awaiting User Info', 'Awaiting Evidence')",
            group_by="number, reopen_count",
            customer="caller_id",
            ticket="number",
            team=team,
        ),
        event(
            "support.ticket_awaiting_others",
            where="incident_state in ('Awaiting Vendor', 'Awaiting Problem')",
            group_by="number, reopen_count, incident_state",
            customer="caller_id",
            ticket="number",
            reason="if(incident_state = 'Awaiting Vendor', 'vendor', 'problem')",
            team=team,
        ),
        event(
            "support.ticket_resolved",
            where="incident_state = 'Resolved'",
            group_by="number, reopen_count",
            customer="caller_id",
            ticket="number",
            topic=topic,
            team=team,
        ),
        event(
            "support.ticket_reopened",
            where="reopen_count > 0",
            group_by="number, reopen_count",
            customer="caller_id",
            ticket="number",
            topic=topic,
            priority="priority",
            team=team,
        ),
        event(
            "support.ticket_closed",
            where="incident_state = 'Closed'",
            group_by="number, reopen_count",
            customer="caller_id",
            ticket="number",
            team=team,
        ),
        event(
            "support.sla_missed",
            where="not made_sla",
            group_by="number",
            customer="caller_id",
            ticket="number",
            priority="priority",
            team=team,
        ),
    ],
)

shop_tickets = Source(
    "shop_tickets",
    dataset="shop",
    rows="tickets/*.parquet",
    contract="contracts/sources/shop_tickets.yaml",
    brief="Made data: support tickets of the shop, a row for each opening, answer, solution and reopening.",
    time="updated_at",
    known_after="0s",
    channel="medium",
    events=[
        event(
            "support.ticket_opened",
            where="action = 'opened'",
            event_id="update_id",
            customer="user_id",
            ticket="ticket_id",
            topic="topic",
        ),
        event(
            "support.ticket_replied",
            where="action = 'reply'",
            event_id="update_id",
            customer="user_id",
            ticket="ticket_id",
            topic="topic",
        ),
        event(
            "support.ticket_resolved",
            where="action = 'resolved'",
            event_id="update_id",
            customer="user_id",
            ticket="ticket_id",
            topic="topic",
        ),
        event(
            "support.ticket_reopened",
            where="action = 'reopened'",
            event_id="update_id",
            customer="user_id",
            ticket="ticket_id",
            topic="topic",
        ),
    ],
)

shop_calls = Source(
    "shop_calls",
    dataset="shop",
    rows="calls/*.parquet",
    contract="contracts/sources/shop_calls.yaml",
    brief="Made data: telephone calls to support, known once they are over.",
    time="started_at",
    known_after="6h",
    channel="phone",
    events=[
        event(
            "support.call_made",
            event_id="call_id",
            customer="user_id",
            ticket="ticket_id",
            duration_s="duration_s",
            waited_s="waited_s",
        ),
    ],
)
