from ethogram import Signal, last, maximum, mean, minimum, total

basket = Signal(
    "basket",
    version=1,
    entity="customer",
    of="commerce.purchase",
    brief="What a customer's baskets look like: how large, how full, and the last one.",
    freshness="live",
    stability="stable",
    features=[
        mean("amount", over="180d", name="basket_mean_180d"),
        maximum("amount", over="180d", name="basket_max_180d"),
        minimum("amount", over="180d", name="basket_min_180d"),
        last("amount", name="basket_last"),
        total("items", over="180d", name="items_180d"),
        mean("items", over="180d", name="items_mean_180d"),
    ],
)
