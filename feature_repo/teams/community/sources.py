from ethogram import Source, event

# User -1 is the site's own account: what it did is nobody's behavior.

stats_users = Source(
    "stats_users",
    dataset="stats_stackexchange",
    rows="users.parquet",
    contract="contracts/sources/stats_users.yaml",
    brief="When the members of Cross Validated opened their accounts.",
    time="CreationDate",
    known_after="0s",
    channel="site",
    events=[
        event("engagement.signed_up", where="Id != -1", user="Id"),
    ],
)

stats_posts = Source(
    "stats_posts",
    dataset="stats_stackexchange",
    rows="posts.parquet",
    contract="contracts/sources/stats_posts.yaml",
    brief="Questions, answers and wiki pages of Cross Validated; a few came from elsewhere and are older than it.",
    time="CreationDate",
    known_after="0s",
    channel="site",
    events=[
        event(
            "engagement.question_posted",
            where="PostTypeId = 1 and coalesce(OwnerUserId, 0) != -1",
            user="OwnerUserId",
            post_id="text(Id)",
        ),
        event(
            "engagement.answer_posted",
            where="PostTypeId = 2 and coalesce(OwnerUserId, 0) != -1",
            user="OwnerUserId",
            post_id="text(Id)",
        ),
        event(
            "engagement.page_written",
            where="PostTypeId > 2 and coalesce(OwnerUserId, 0) != -1",
            user="OwnerUserId",
            post_id="text(Id)",
            kind="if(PostTypeId = 6, 'nomination', if(PostTypeId = 4, 'wiki_excerpt', 'wiki'))",
        ),
    ],
)

stats_badges = Source(
    "stats_badges",
    dataset="stats_stackexchange",
    rows="badges.parquet",
    contract="contracts/sources/stats_badges.yaml",
    brief="Badges that members of Cross Validated earned.",
    time="Date",
    known_after="0s",
    channel="site",
    events=[
        event("engagement.badge_earned", where="UserId != -1", user="UserId"),
    ],
)
