"""Names that other vocabularies give to behaviors: the values that `aliases` of a behavior may take.

Facts only, from the public specifications: Google Analytics 4 (recommended and automatically collected events), Segment
(semantic events of the e-commerce v2, B2B SaaS, mobile, email, live chat, video and A/B testing specs) and the activity
types of the W3C's Activity Streams 2.0 vocabulary.
"""

from __future__ import annotations

GA4 = (
    # recommended, for all properties
    "ad_impression", "earn_virtual_currency", "generate_lead", "join_group", "login", "purchase", "refund", "search",
    "select_content", "share", "sign_up", "spend_virtual_currency", "tutorial_begin", "tutorial_complete",
    # recommended, for sales
    "add_payment_info", "add_shipping_info", "add_to_cart", "add_to_wishlist", "begin_checkout", "remove_from_cart",
    "select_item", "select_promotion", "view_cart", "view_item", "view_item_list", "view_promotion",
    # recommended, for leads
    "close_convert_lead", "close_unconvert_lead", "disqualify_lead", "qualify_lead", "working_lead",
    # recommended, for games
    "level_end", "level_start", "level_up", "post_score", "unlock_achievement",
    # collected automatically or by enhanced measurement
    "ad_click", "ad_exposure", "ad_query", "ad_reward", "app_clear_data", "app_exception", "app_open", "app_remove",
    "app_store_refund", "app_store_subscription_cancel", "app_store_subscription_convert",
    "app_store_subscription_renew", "app_update", "campaign_details", "click", "file_download", "first_open",
    "first_visit", "form_start", "form_submit", "in_app_purchase", "notification_dismiss", "notification_foreground",
    "notification_open", "notification_receive", "os_update", "page_view", "screen_view", "scroll", "session_start",
    "user_engagement", "video_complete", "video_progress", "video_start", "view_search_results",
)  # fmt: skip

SEGMENT = (
    # e-commerce v2
    "Products Searched", "Product List Viewed", "Product List Filtered", "Promotion Viewed", "Promotion Clicked",
    "Product Clicked", "Product Viewed", "Product Added", "Product Removed", "Cart Viewed", "Checkout Started",
    "Checkout Step Viewed", "Checkout Step Completed", "Payment Info Entered", "Order Completed", "Order Updated",
    "Order Refunded", "Order Cancelled", "Coupon Entered", "Coupon Applied", "Coupon Denied", "Coupon Removed",
    "Product Added to Wishlist", "Product Removed from Wishlist", "Wishlist Product Added to Cart", "Product Shared",
    "Cart Shared", "Product Reviewed",
    # B2B SaaS
    "Account Created", "Account Deleted", "Signed Up", "Signed In", "Signed Out", "Invite Sent", "Account Added User",
    "Account Removed User", "Trial Started", "Trial Ended",
    # mobile
    "Application Installed", "Application Opened", "Application Backgrounded", "Application Foregrounded",
    "Application Updated", "Application Uninstalled", "Application Crashed", "Install Attributed",
    "Push Notification Received", "Push Notification Tapped", "Push Notification Bounced", "Deep Link Opened",
    "Deep Link Clicked",
    # email
    "Email Bounced", "Email Delivered", "Email Link Clicked", "Email Marked as Spam", "Email Opened", "Unsubscribed",
    # live chat
    "Live Chat Conversation Started", "Live Chat Conversation Ended", "Live Chat Message Sent",
    "Live Chat Message Received",
    # video
    "Video Playback Started", "Video Playback Paused", "Video Playback Interrupted", "Video Playback Buffer Started",
    "Video Playback Buffer Completed", "Video Playback Seek Started", "Video Playback Seek Completed",
    "Video Playback Resumed", "Video Playback Completed", "Video Playback Exited", "Video Content Started",
    "Video Content Playing", "Video Content Completed", "Video Ad Started", "Video Ad Playing", "Video Ad Completed",
    "Video Quality Updated",
    # A/B testing
    "Experiment Viewed",
)  # fmt: skip

ACTIVITYSTREAMS = (
    "Accept", "Add", "Announce", "Arrive", "Block", "Create", "Delete", "Dislike", "Flag", "Follow", "Ignore",
    "Invite", "Join", "Leave", "Like", "Listen", "Move", "Offer", "Question", "Read", "Reject", "Remove",
    "TentativeAccept", "TentativeReject", "Travel", "Undo", "Update", "View",
)  # fmt: skip

VOCABULARIES = {"ga4": GA4, "segment": SEGMENT, "activitystreams": ACTIVITYSTREAMS}
