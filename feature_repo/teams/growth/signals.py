from ethogram import (
    Sessions,
    Signal,
    active_span,
    change,
    count,
    decay,
    frequency,
    gaps,
    last,
    mean,
    recency,
    share,
    slope,
    streak,
    tenure,
    total,
    transitions,
)

purchase_rhythm = Signal(
    "purchase_rhythm",
    version=4,
    entity="customer",
    of="commerce.purchase",
    brief="How often and how recently a customer buys, and how much of it comes back.",
    freshness="live",
    stability="stable",
    features=[
        count(over=["7d", "30d", "90d", "180d"]),
        total("amount", over="90d", name="spend_90d"),
        total("amount", over="180d", name="spend_180d"),
        recency(unit="days"),
        count(of="commerce.refund", over="180d"),
    ],
)

loyalty = Signal(
    "loyalty",
    version=1,
    entity="customer",
    of="commerce.purchase",
    brief="How long a customer has been with us, how regularly they come back, and whether it is more or less of late.",
    freshness="live",
    stability="development",
    features=[
        tenure(unit="days"),
        frequency(),
        active_span(unit="days"),
        gaps("mean", over="365d"),
        gaps("cv", over="365d", name="interpurchase_cv"),
        gaps("last"),
        streak("longest", period="week"),
        change(over="90d"),
        slope(every="30d", over="180d"),
        decay(half_life="30d"),
        decay("amount", half_life="90d", name="spend_decayed_90d"),
    ],
)

browsing = Signal(
    "browsing",
    version=1,
    entity="customer",
    of="engagement.page_viewed",
    brief="How much a customer looks around, and how far on the way to a purchase they get.",
    freshness="daily",
    delay="2h",
    stability="stable",
    features=[
        count(over=["7d", "28d"]),
        count(of="engagement.searched", over="28d"),
        count(of="engagement.signed_in", over="28d"),
        count(of="commerce.product_viewed", over=["7d", "28d"]),
        count(of="commerce.cart_add", over="28d"),
        count(of="commerce.checkout_started", over="28d"),
        count(of="commerce.checkout_failed", over="28d"),
        recency(unit="days"),
    ],
)

# On the web site and in the app: what is done within half an hour of each other.
visits = Sessions(
    "visits",
    entity="customer",
    of=[
        "engagement.app_opened",
        "engagement.page_viewed",
        "engagement.searched",
        "engagement.signed_in",
        "commerce.cart_add",
        "commerce.checkout_started",
        "commerce.product_viewed",
    ],
    gap="30m",
    max_length="12h",
)

visiting = Signal(
    "visiting",
    version=1,
    entity="customer",
    of=visits,
    brief="How a customer's visits look: how many, how long, how far on the way to a purchase.",
    freshness="daily",
    delay="2h",
    features=[
        count(over=["7d", "28d"]),
        mean("duration", over="28d"),
        mean("events", over="28d"),
        share("reached('commerce.cart_add')", over="28d", name="cart_reach_28d"),
        mean(
            "steps('commerce.product_viewed', 'commerce.cart_add', 'commerce.checkout_started')",
            over="28d",
            name="checkout_steps_28d",
        ),
        last("since_previous", over="90d", name="seconds_between_visits"),
        recency(unit="days"),
        transitions(over="90d", top=10),
    ],
)

recognition = Signal(
    "recognition",
    version=1,
    entity="user",
    of="engagement.badge_earned",
    brief="How often a member of the community is recognised with a badge, and how long ago that was.",
    freshness="live",
    stability="stable",
    features=[
        count(over=["30d", "90d", "365d"]),
        recency(unit="days"),
    ],
)
