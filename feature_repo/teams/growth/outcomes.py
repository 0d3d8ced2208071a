from ethogram import Outcome, absence

lapsed_90d = Outcome(
    "lapsed_90d",
    entity="customer",
    happens=absence("commerce.purchase", within="90d"),
    among="purchase_rhythm.purchases_180d >= 2",
    matures_after="1d",
    brief="A customer who bought at least twice in half a year buys nothing for 90 days.",
)
