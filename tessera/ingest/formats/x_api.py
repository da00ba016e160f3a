"""X API v2: posts, the posts they refer to, and accounts; a response a record, or flat lines."""

from __future__ import annotations

import json

from tessera.ingest.format import Format, Rows
from tessera.ingest.social import (
    as_text,
    items_of,
    moment,
    pick,
    refusals,
    struct,
    texts,
    total,
    with_problems,
)

USER = {
    **texts("id username name verified verified_type location created_at"),
    "public_metrics": texts("followers_count following_count tweet_count"),
}
ENTITIES = {"mentions": [USER], "hashtags": [texts("tag")]}
# What stands in `data` may be a post, an account or neither: one structure reads all of them.
ITEM = {
    **texts("id text created_at author_id lang username name verified verified_type location"),
    **texts("dm_conversation_id tweet_count member_count"),
    "edit_history_tweet_ids": ["VARCHAR"],
    "public_metrics": texts(
        "retweet_count reply_count like_count quote_count impression_count "
        "followers_count following_count tweet_count"
    ),
    "entities": ENTITIES,
    "note_tweet": {"text": "VARCHAR", "entities": ENTITIES},
    "referenced_tweets": "JSON",
    "withheld": {"country_codes": ["VARCHAR"]},
    "author": USER,
    "in_reply_to_user": USER,
}
STRUCTURE = {
    "data": "JSON",
    "includes": {"users": [USER], "tweets": [ITEM]},
    "errors": [texts("title detail")],
    "meta": texts("result_count"),
    **ITEM,
    **texts("title status action"),
    "__twarc": texts("retrieved_at"),
}

# Ids count milliseconds from 2010-11-04 on in their upper bits; older ones do not say the time.
FIRST_TIMED_ID = 29_700_859_247
ID_EPOCH_MILLISECONDS = 1_288_834_974_657


def _time_of(post_id: str) -> str:
    """SQL: when a post was made, read from its id, to the second as `created_at` has it."""
    number = f"try_cast({post_id} as bigint)"
    milliseconds = f"(({number} >> 22) + {ID_EPOCH_MILLISECONDS})"
    return (
        f"case when {number} > {FIRST_TIMED_ID} then "
        f"strftime(epoch_ms({milliseconds}), '%Y-%m-%dT%H:%M:%SZ') end"
    )


IS_ACCOUNT = "item.username is not null and item.text is null"
PROBLEM = f"""case
    when item.dm_conversation_id is not null then 'message'
    when {IS_ACCOUNT} or coalesce(item.text, item.author_id) is not null then null
    when item.tweet_count is not null then 'counts'
    when item.member_count is not null then 'list'
    else 'unknown'
end"""
# A flat line holds the posts that it refers to in full; elsewhere a reference is but an id.
IN_FULL = f"""list_filter(
    flatten(list_transform(
        _items, lambda item: json_transform(item.referenced_tweets, '{json.dumps([ITEM])}')
    )),
    lambda item: item.text is not null
)"""
IN_FLAT_LINES = """flatten(list_transform(items, lambda item: list_concat(
    [item.author, item.in_reply_to_user],
    list_filter(item.entities.mentions, lambda account: account.name is not null)
)))"""
# What a post answers comes first: an answer may quote as well.
REFERRED_TO = """coalesce(
    list_filter(refs, lambda ref: ref.type = 'replied_to')[1].id,
    list_filter(refs, lambda ref: ref.type = 'quoted')[1].id,
    refs[1].id
)"""
WRITTEN_AT = f"coalesce({moment('item.created_at')}, {_time_of('item.id')})"
MENTIONS = "coalesce(item.note_tweet.entities.mentions, item.entities.mentions)"
HASHTAGS = "coalesce(item.note_tweet.entities.hashtags, item.entities.hashtags)"
COUNTRIES = "item.withheld.country_codes"


def _own(count: str) -> str:
    """SQL of a count of the post: those under a repost are the original's."""
    return f"case when not is_repost then {count} end"


POST = {
    "post_id": "first_id",
    "author_id": "item.author_id",
    "author_handle": "names.username",
    "posted_at": f"case when item.id = first_id then written_at "
    f"else coalesce({_time_of('first_id')}, written_at) end",
    "edited_at": "case when item.id <> first_id then written_at end",
    "text": "coalesce(item.note_tweet.text, item.text)",
    "language": "item.lang",
    "likes": _own("item.public_metrics.like_count"),
    "comments": _own("item.public_metrics.reply_count"),
    "shares": _own(total("item.public_metrics.retweet_count", "item.public_metrics.quote_count")),
    "views": _own("item.public_metrics.impression_count"),
    "in_reply_to": "coalesce(versions.first_version, referred_to)",
    "mentions": as_text(f"list_transform({MENTIONS}, lambda mention: mention.username)"),
    "hashtags": as_text(f"list_transform({HASHTAGS}, lambda hashtag: hashtag.tag)"),
    "withheld_in": as_text(COUNTRIES),
    "problem": "null::varchar",
}
MEMBERS = [name for name in POST if name != "problem"]

# The items of a response or a flat line.
GIVEN = f"""
    select *, {items_of("data", ITEM, "id is not null and action is null")} as _items
    from {{records}}
"""
LISTED = f"""
    select
        _record,
        list_concat(_items, includes.tweets, {IN_FULL}) as items,
        list_concat(
            includes.users,
            list_transform(
                list_filter(_items, lambda item: {IS_ACCOUNT}), lambda item: {pick(USER, "item")}
            )
        ) as accounts
    from given
"""
ACCOUNTS = f"""
    select _record, account, nth from (
        select _record, unnest(accounts) as account, generate_subscripts(accounts, 1) as nth
        from (select _record, list_concat(accounts, {IN_FLAT_LINES}) as accounts from listed)
    )
    where account.username is not null
"""
CANDIDATES = f"""
    select
        *,
        coalesce(item.edit_history_tweet_ids[1], item.id) as first_id,
        {WRITTEN_AT} as written_at,
        {REFERRED_TO} as referred_to,
        coalesce(list_contains(list_transform(refs, lambda ref: ref.type), 'retweeted'), false)
            as is_repost
    from (
        select
            *, json_transform(item.referenced_tweets, '{json.dumps([texts("type id")])}') as refs
        from (
            select _record, unnest(items) as item, generate_subscripts(items, 1) as nth
            from listed
        )
        where ({PROBLEM}) is null and not ({IS_ACCOUNT})
    )
"""
POSTS = f"""
    select
        c._record,
        max(written_at) as newest_at,
        list({struct(POST)} order by nth) as posts
    from candidates c
    left join names on names._record = c._record and names.id = c.item.author_id
    left join versions on versions._record = c._record and versions.id = c.referred_to
    group by c._record
"""
PROBLEMS = f"""
    select
        _record,
        list_concat(
            list_transform(errors, lambda error: coalesce(error.title, 'error')),
            list_transform(_items, lambda item: {PROBLEM}),
            [case
                when action is not null then 'compliance'
                when status is not null then coalesce(title, 'error')
                when len(errors) > 0 then null
                when len(_items) = 0 or meta.result_count = '0' then 'empty'
            end]
        ) as problems
    from given
"""
PREPARE = f"""
with given as materialized ({GIVEN}),
listed as materialized ({LISTED}),
accounts as materialized ({ACCOUNTS}),
names as (
    select _record, account.id as id, min(account.username) as username
    from accounts group by all
),
candidates as materialized ({CANDIDATES}),
versions as (
    select _record, item.id as id, min(first_id) as first_version
    from candidates where item.id <> first_id group by all
),
posts as ({POSTS}),
profiles as (
    select _record, list(account order by nth) as profiles from accounts group by _record
),
problems as ({PROBLEMS})
select
    given.*,
    {with_problems("posts.posts", "problems.problems", MEMBERS)} as _posts,
    profiles.profiles as _profiles,
    coalesce({moment("__twarc.retrieved_at")}, posts.newest_at) as _seen_at
from given
left join posts using (_record)
left join profiles using (_record)
left join problems using (_record)
"""

VERIFIED = """coalesce(
    item.verified,
    case when item.verified_type = 'none' then 'false' when item.verified_type <> '' then 'true' end
)"""
PROFILE = {
    "author_id": "item.id",
    "handle": "item.username",
    "network": "'x'",
    "display_name": "item.name",
    "followers": "item.public_metrics.followers_count",
    "following": "item.public_metrics.following_count",
    "posts": "item.public_metrics.tweet_count",
    "is_verified": VERIFIED,
    "location": "item.location",
    "created_at": moment("item.created_at"),
    "seen_at": "_seen_at",
}
REASONS = {
    "Not Found Error": "X: Not Found Error: something that was asked for or referred to is deleted",
    "Authorization Error": "X: Authorization Error: something is protected, or withheld from you",
    "Forbidden": "X: Forbidden: an account is suspended",
    "counts": "counts of posts, not posts",
    "list": "lists of accounts, not posts",
    "message": "direct messages are private: they are not loaded",
    "unknown": "holds something that is neither a post nor an account",
    "compliance": "a compliance event: X asks to delete or to hide something; do so by hand",
    "empty": "an empty response: nothing matched",
}
OTHER = "X: another error: see title and detail of `errors` in the record"

FORMAT = Format(
    name="x_api",
    title="X API v2",
    description=(
        "Responses of the X API v2 (search, timelines, look-ups of posts and accounts, streams), "
        "one a JSON line, an array of them, or one a file; also one post or account a line, with "
        "its author inside, as twarc flattens them. "
        "Gives posts (asked for ones, and those they answer, quote or repost) and profiles. "
        "All edits of a post have the id of its first version. The counts under a repost are the "
        "original's and are left out. A follow needs both ends, and a response of "
        "`users/:id/following` does not name the first: such responses give profiles; for follows "
        "use a mapping of kind `follows`. Each kind of error in a response is kept once in "
        "quarantine, whatever else the response gives."
    ),
    reads="json",
    structure=STRUCTURE,
    prepare=PREPARE,
    kinds={
        "posts": Rows(
            columns={"network": "'x'", **{name: f"item.{name}" for name in MEMBERS}},
            each="_posts",
            refuse=refusals(REASONS, OTHER),
        ),
        "profiles": Rows(columns=PROFILE, each="_profiles"),
    },
    example="""
[sources.x_posts]
format = "x_api"
files = "social/x/*.jsonl"
""",
)
