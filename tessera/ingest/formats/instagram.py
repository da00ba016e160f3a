"""Instagram Graph API: media and comments, from responses and from webhooks."""

from __future__ import annotations

from tessera.ingest.format import Format, Rows
from tessera.ingest.social import (
    handles_in,
    hashtags_in,
    items_of,
    moment,
    pick,
    refusals,
    struct,
    texts,
    with_problems,
)

PERSON = texts("id username")
WRITTEN_BY = {"owner": PERSON, "user": PERSON, "from": PERSON}
REPLY = {**texts("id text timestamp username like_count parent_id"), **WRITTEN_BY}
COMMENT = {**REPLY, "media": texts("id"), "replies": {"data": [REPLY]}}
MEDIA = {
    **texts("id caption timestamp username like_count comments_count"),
    **WRITTEN_BY,
    "comments": {"data": [COMMENT]},
}
ACCOUNT = texts("id username name followers_count follows_count media_count")
# What stands in `data` or is the record may be a post, a comment, an account or none of them.
ITEM = {
    **COMMENT,
    **MEDIA,
    **ACCOUNT,
    **texts("message status_code quota_usage audio_id"),
    "media": {"id": "VARCHAR", "data": [MEDIA]},
    "values": "JSON",
    "insights": "JSON",
}
VALUE = {**REPLY, "media": texts("id"), **texts("comment_id media_id")}
STRUCTURE = {
    "data": "JSON",
    **ITEM,
    "mentioned_media": MEDIA,
    "mentioned_comment": COMMENT,
    "business_discovery": {**ACCOUNT, "media": {"data": [MEDIA]}},
    "audio": "JSON",
    "entry": [
        {"time": "VARCHAR", "changes": [{"field": "VARCHAR", "value": VALUE}], "messaging": "JSON"}
    ],
    "error": texts("message"),
}
MEMBERS = (*texts("post_id author_id author_handle posted_at text likes comments in_reply_to"),)


def _row(item: str, text: str, comments: str, answered: str, time: str = "") -> str:
    """SQL of a post or comment; the arguments are SQL."""
    row = {
        "post_id": f"{item}.id",
        "author_id": f'coalesce({item}.owner.id, {item}.user.id, {item}."from".id)',
        "author_handle": f"coalesce({item}.username, {item}.owner.username, "
        f'{item}.user.username, {item}."from".username)',
        "posted_at": moment(time or f"{item}.timestamp"),
        "text": text,
        "likes": f"{item}.like_count",
        "comments": comments,
        "in_reply_to": answered,
        "problem": "null::varchar",
    }
    return struct(row)


def _media(item: str) -> str:
    return _row(item, f"{item}.caption", f"{item}.comments_count", "null::varchar")


def _comment(item: str, answered: str) -> str:
    return _row(item, f"{item}.text", "null::varchar", f"coalesce({item}.parent_id, {answered})")


IS_COMMENT = "item.text is not null"
IS_MEDIA = "coalesce(item.caption, item.timestamp) is not null"
IS_ACCOUNT = (
    "coalesce(item.username, item.followers_count) is not null "
    f"and not ({IS_COMMENT}) and not ({IS_MEDIA})"
)
IS_COMMENT_CHANGE = "change.field in ('comments', 'live_comments') and change.value.id is not null"

ITSELF = f"""case
    when {IS_COMMENT} then {_comment("item", "item.media.id")}
    when {IS_MEDIA} then {_media("item")}
end"""
# The webhook of a comment says no time of its own: it is sent at once.
CHANGED = _row(
    "change.value",
    "change.value.text",
    "null::varchar",
    "coalesce(change.value.parent_id, change.value.media.id)",
    "event.time",
)
POSTS = f"""list_concat(
    list_transform(_items, lambda item: {ITSELF}),
    list_transform(_media, lambda medium: {_media("medium")}),
    list_transform(_comments, lambda found: {_comment("found.comment", "found.answered")}),
    list_transform(_replies, lambda found: {_comment("found.reply", "found.answered")}),
    flatten(list_transform(entry, lambda event:
        list_transform(event.changes, lambda change:
            case when {IS_COMMENT_CHANGE} then {CHANGED} end
        )
    ))
)"""
ITEM_PROBLEM = f"""case
    when {IS_COMMENT} or {IS_MEDIA} or {IS_ACCOUNT} then null
    when len(item.media.data) > 0 or len(item.comments.data) > 0 then null
    when coalesce(business_discovery.username, mentioned_media.id, mentioned_comment.id)
        is not null then null
    when item.message is not null then 'message'
    when item.status_code is not null or item.quota_usage is not null then 'publishing'
    when item.audio_id is not null then 'audio'
    when item.values is not null or item.insights is not null then 'insights'
    when item.comments.data is not null or item.media.data is not null then 'empty'
    else 'unknown'
end"""
CHANGE_PROBLEM = f"""case
    when {IS_COMMENT_CHANGE} then null
    when change.field = 'mentions' then 'mention'
    when change.field = 'story_insights' then 'insights'
    else 'change'
end"""
PROBLEMS = f"""list_concat(
    list_transform(_items, lambda item: {ITEM_PROBLEM}),
    flatten(list_transform(entry, lambda event:
        list_transform(event.changes, lambda change: {CHANGE_PROBLEM})
    )),
    list_transform(entry, lambda event: case when event.messaging is not null then 'message' end),
    [case
        when error.message is not null then 'error'
        when coalesce(audio_id, audio::varchar) is not null then 'audio'
        when len(_items) = 0 then 'empty'
    end]
)"""
MEDIA_BELOW = """list_concat(
    flatten(list_transform(_items, lambda item: item.media.data)),
    business_discovery.media.data,
    case when mentioned_media.id is not null then [mentioned_media] end
)"""
COMMENTS_BELOW = """list_concat(
    flatten(list_transform(_items, lambda item: list_transform(item.comments.data,
        lambda comment: {'comment': comment, 'answered': item.id}))),
    flatten(list_transform(_media, lambda medium: list_transform(medium.comments.data,
        lambda comment: {'comment': comment, 'answered': medium.id}))),
    case when mentioned_comment.id is not null
        then [{'comment': mentioned_comment, 'answered': mentioned_comment.media.id}] end
)"""
REPLIES_BELOW = """list_concat(
    flatten(list_transform(_items, lambda item: list_transform(item.replies.data,
        lambda reply: {'reply': reply, 'answered': item.id}))),
    flatten(list_transform(_comments, lambda found: list_transform(found.comment.replies.data,
        lambda reply: {'reply': reply, 'answered': found.comment.id})))
)"""
ACCOUNTS = f"""list_concat(
    list_transform(
        list_filter(_items, lambda item: {IS_ACCOUNT}), lambda item: {pick(ACCOUNT, "item")}
    ),
    case when business_discovery.username is not null
        then [{pick(ACCOUNT, "business_discovery")}] end
)"""
PREPARE = f"""
with given as (
    select *, {items_of("data", ITEM, "id is not null")} as _items from {{records}}
),
with_media as (select *, {MEDIA_BELOW} as _media from given),
with_comments as (select *, {COMMENTS_BELOW} as _comments from with_media),
with_replies as (select *, {REPLIES_BELOW} as _replies from with_comments)
select
    *,
    {with_problems(POSTS, PROBLEMS, MEMBERS)} as _posts,
    {ACCOUNTS} as _accounts
from with_replies
"""

PROFILE = {
    "author_id": "item.id",
    "handle": "item.username",
    "network": "'instagram'",
    "display_name": "item.name",
    "followers": "item.followers_count",
    "following": "item.follows_count",
    "posts": "item.media_count",
}
REASONS = {
    "message": "private messages are not loaded",
    "publishing": "the state of publishing, no post",
    "audio": "an audio track, no post",
    "insights": "insights are no posts",
    "mention": "a mention without its text: fetch the media or the comment that it names",
    "change": "a webhook about something else than comments",
    "error": "an error of the Graph API, no data: see `error` in the record",
    "empty": "an empty response: nothing matched",
}
UNKNOWN = "holds something that is neither a post, a comment nor an account"

FORMAT = Format(
    name="instagram",
    title="Instagram Graph API",
    description=(
        "Responses of the Instagram Graph API about media, comments and accounts, one a JSON "
        "line, an array of them, or one a file: a list in `data`, a single one, an account with "
        "its media, what `business_discovery`, `mentioned_media` and `mentioned_comment` give; "
        "also what a webhook of comments receives, whose comments are dated by when it was sent. "
        "Gives posts (media, their comments and the replies below, as posts that answer another) "
        "and profiles. The pictures of an album are parts of one post. Mentions and hashtags are "
        "read from the text. Ask for the fields `id,caption,timestamp,username,like_count,"
        "comments_count,comments{id,text,timestamp,username,replies{id,text,timestamp,username}}`; "
        "without its author or time a post goes to quarantine. Each kind of what is no post is "
        "kept once a response in quarantine."
    ),
    reads="json",
    structure=STRUCTURE,
    prepare=PREPARE,
    kinds={
        "posts": Rows(
            columns={
                "network": "'instagram'",
                "mentions": handles_in("item.text"),
                "hashtags": hashtags_in("item.text"),
                **{name: f"item.{name}" for name in MEMBERS},
            },
            each="_posts",
            refuse=refusals(REASONS, UNKNOWN),
        ),
        "profiles": Rows(columns=PROFILE, each="_accounts"),
    },
    example="""
[sources.instagram_posts]
format = "instagram"
files = "social/instagram/*.jsonl"
""",
)
