from ethogram import Source, event, reference

complete_journey_campaigns = Source(
    "complete_journey_campaigns",
    dataset="complete_journey",
    rows="campaigns.parquet",
    contract="contracts/sources/complete_journey_campaigns.yaml",
    brief="Which household got which direct-mail campaign, taken to arrive on the campaign's first day.",
    time="start_date",
    timezone="America/New_York",
    known_after="1d",
    channel="mail",
    joins=[
        reference("campaign_descriptions.parquet", on=["campaign_id"], columns=["campaign_type", "start_date"]),
    ],
    events=[
        event(
            "campaign.campaign_received",
            customer="household_id",
            household="household_id",
            campaign_id="campaign_id",
            kind="campaign_type",
        ),
    ],
)

complete_journey_redemptions = Source(
    "complete_journey_redemptions",
    dataset="complete_journey",
    rows="coupon_redemptions.parquet",
    contract="contracts/sources/complete_journey_redemptions.yaml",
    brief="Coupons of a campaign that a household used at the till; days, not instants.",
    time="redemption_date",
    timezone="America/New_York",
    known_after="1d",
    channel="store",
    events=[
        event(
            "campaign.coupon_redeemed",
            customer="household_id",
            household="household_id",
            coupon_code="coupon_upc",
            campaign_id="campaign_id",
        ),
    ],
)

shop_campaign_sends = Source(
    "shop_campaign_sends",
    dataset="shop",
    rows="campaign_sends/*.parquet",
    contract="contracts/sources/shop_campaign_sends.yaml",
    brief="Made data: who was targeted and drawn into which arm at random; only the treated were sent something.",
    time="sent_at",
    known_after="0s",
    events=[
        event(
            "campaign.treatment_assigned",
            event_id="concat('assigned/', send_id)",
            customer="user_id",
            campaign_id="campaign_id",
            arm="arm",
            kind="kind",
        ),
        event(
            "campaign.message_sent",
            where="arm = 'treatment'",
            event_id="send_id",
            channel="medium",
            customer="user_id",
            campaign_id="campaign_id",
            kind="kind",
            send_id="send_id",
        ),
    ],
)

shop_campaign_responses = Source(
    "shop_campaign_responses",
    dataset="shop",
    rows="campaign_responses/*.parquet",
    contract="contracts/sources/shop_campaign_responses.yaml",
    brief="Made data: messages opened and links followed.",
    time="responded_at",
    known_after="0s",
    events=[
        event(
            "campaign.message_opened",
            where="action = 'opened'",
            event_id="response_id",
            customer="user_id",
            campaign_id="campaign_id",
            send_id="send_id",
        ),
        event(
            "campaign.message_clicked",
            where="action = 'clicked'",
            event_id="response_id",
            customer="user_id",
            campaign_id="campaign_id",
            send_id="send_id",
        ),
    ],
)

shop_coupons = Source(
    "shop_coupons",
    dataset="shop",
    rows="coupons/*.parquet",
    contract="contracts/sources/shop_coupons.yaml",
    brief="Made data: coupons given to customers and used by them.",
    time="changed_at",
    known_after="0s",
    events=[
        event(
            "campaign.coupon_issued",
            where="action = 'issued'",
            event_id="concat(coupon_code, '/', action)",
            customer="user_id",
            coupon_code="coupon_code",
            campaign_id="campaign_id",
        ),
        event(
            "campaign.coupon_redeemed",
            where="action = 'redeemed'",
            event_id="concat(coupon_code, '/', action)",
            customer="user_id",
            coupon_code="coupon_code",
            campaign_id="campaign_id",
            order_id="order_id",
        ),
    ],
)

shop_consents = Source(
    "shop_consents",
    dataset="shop",
    rows="consents/*.parquet",
    contract="contracts/sources/shop_consents.yaml",
    brief="Made data: what customers allow or no longer allow, by purpose; nobody is listed before a first change.",
    time="changed_at",
    known_after="0s",
    events=[
        event(
            "engagement.consent_changed",
            event_id="change_id",
            customer="user_id",
            purpose="purpose",
            allowed="allowed",
        ),
    ],
)
