"""Facebook Graph API: posts and comments, from responses and from webhooks of a page's feed."""

from __future__ import annotations

from typing import Any

from tessera.ingest.format import Format, Rows
from tessera.ingest.social import (
    hashtags_in,
    items_of,
    later,
    moment,
    refusals,
    struct,
    texts,
    with_problems,
)

PERSON = texts("id username")
TOTAL = {"summary": texts("total_count"), "count": "VARCHAR"}


def _item(comments: dict[str, Any]) -> dict[str, Any]:
    """Structure of a post or a comment; `comments` is the structure of those below it."""
    return {
        **texts("id message created_time updated_time like_count comment_count"),
        "from": PERSON,
        "parent": texts("id"),
        "object": "JSON",
        "reactions": TOTAL,
        "likes": TOTAL,
        "shares": texts("count"),
        "comments": comments,
    }


REPLY = _item(TOTAL)
COMMENT = _item({**TOTAL, "data": [REPLY]})
# Beside posts: pages, and what else stands in `data` and is told apart by these members.
ITEM = {
    **_item({**TOTAL, "data": [COMMENT]}),
    **texts("name username followers_count fan_count is_verified type"),
    "insights": "JSON",
    "values": "JSON",
}
CHANGE = {
    **texts("item verb comment_id post_id parent_id sender_id created_time message"),
    "from": PERSON,
}
STRUCTURE = {
    "data": "JSON",
    **ITEM,
    "posts": {"data": [ITEM]},
    "feed": {"data": [ITEM]},
    "published_posts": {"data": [ITEM]},
    "entry": [
        {"time": "VARCHAR", "changes": [{"field": "VARCHAR", "value": CHANGE}], "messaging": "JSON"}
    ],
    "error": texts("message"),
}

WRITTEN = """coalesce({item}.message, {item}.created_time, {item}."from".id) is not null
    and not coalesce(starts_with({item}.id, 'm_'), false)"""


def _post(item: str, answered: str) -> str:
    """SQL of a post or comment, null when there is nothing written."""
    post = {
        "post_id": f"{item}.id",
        "author_id": f'{item}."from".id',
        "author_handle": f'{item}."from".username',
        "posted_at": moment(f"{item}.created_time"),
        "edited_at": moment(later(f"{item}.updated_time", f"{item}.created_time")),
        "text": f"{item}.message",
        "likes": f"coalesce({item}.reactions.summary.total_count, "
        f"{item}.likes.summary.total_count, {item}.likes.count, {item}.like_count)",
        "comments": f"coalesce({item}.comments.summary.total_count, {item}.comments.count, "
        f"{item}.comment_count)",
        "shares": f"{item}.shares.count",
        "in_reply_to": f"coalesce({item}.parent.id, {answered})",
        "problem": "null::varchar",
    }
    return f"case when {WRITTEN.format(item=item)} then {struct(post)} end"


IS_WRITTEN_CHANGE = """change.field in ('feed', 'mention')
    and coalesce(change.value.item, 'post') not in ('reaction', 'like')
    and coalesce(change.value.verb, 'add') in ('add', 'edit', 'edited', 'update')
    and coalesce(change.value.comment_id, change.value.post_id) is not null"""
CHANGED = struct(
    {
        "post_id": "coalesce(change.value.comment_id, change.value.post_id)",
        "author_id": 'coalesce(change.value."from".id, change.value.sender_id)',
        "author_handle": 'change.value."from".username',
        "posted_at": moment("change.value.created_time"),
        "edited_at": f"case when change.value.verb <> 'add' then {moment('event.time')} end",
        "text": "change.value.message",
        "likes": "null::varchar",
        "comments": "null::varchar",
        "shares": "null::varchar",
        "in_reply_to": "case when change.value.comment_id is not null "
        "then coalesce(change.value.parent_id, change.value.post_id) end",
        "problem": "null::varchar",
    }
)
MEMBERS = (
    *texts("post_id author_id author_handle posted_at edited_at text"),
    *texts("likes comments shares in_reply_to"),
)
POSTS = f"""list_concat(
    list_transform(_items, lambda post: {_post("post", "post.object->>'id'")}),
    flatten(list_transform(_items, lambda post:
        list_transform(post.comments.data, lambda comment: {_post("comment", "post.id")})
    )),
    flatten(list_transform(_items, lambda post:
        flatten(list_transform(post.comments.data, lambda comment:
            list_transform(comment.comments.data, lambda reply: {_post("reply", "comment.id")})
        ))
    )),
    flatten(list_transform(entry, lambda event:
        list_transform(event.changes, lambda change:
            case when {IS_WRITTEN_CHANGE} then {CHANGED} end
        )
    ))
)"""

IS_PAGE = "coalesce(item.followers_count, item.fan_count) is not null"
ITEM_PROBLEM = f"""case
    when starts_with(item.id, 'm_') then 'message'
    when {WRITTEN.format(item="item")} or {IS_PAGE} then null
    when len(item.comments.data) > 0 or len(_listed) > 0 then null
    when item.comments.data is not null then 'empty'
    when item.insights is not null or item.values is not null then 'insights'
    when item.type is not null and item.name is not null then 'reaction'
    else 'unknown'
end"""
CHANGE_PROBLEM = f"""case
    when {IS_WRITTEN_CHANGE} then null
    when change.value.item in ('reaction', 'like') then 'reaction'
    when change.value.verb in ('remove', 'hide', 'unhide') then 'removal'
    else 'change'
end"""
PROBLEMS = f"""list_concat(
    list_transform(_items, lambda item: {ITEM_PROBLEM}),
    flatten(list_transform(entry, lambda event:
        list_transform(event.changes, lambda change: {CHANGE_PROBLEM})
    )),
    list_transform(entry, lambda event: case when event.messaging is not null then 'message' end),
    [case when error.message is not null then 'error' when len(_own) = 0 then 'empty' end]
)"""
PREPARE = f"""
with given as (
    select
        *,
        {items_of("data", ITEM, "id is not null")} as _own,
        list_concat(posts.data, feed.data, published_posts.data) as _listed
    from {{records}}
),
listed as (select *, list_concat(_own, _listed) as _items from given)
select
    *,
    {with_problems(POSTS, PROBLEMS, MEMBERS)} as _posts,
    list_filter(_items, lambda item: {IS_PAGE}) as _pages
from listed
"""

PAGE = {
    "author_id": "item.id",
    "handle": "item.username",
    "network": "'facebook'",
    "display_name": "item.name",
    "followers": "coalesce(item.followers_count, item.fan_count)",
    "is_verified": "item.is_verified",
}
REASONS = {
    "message": "private messages are not loaded",
    "insights": "insights are no posts",
    "reaction": "single reactions are not loaded: posts carry their number",
    "removal": "somebody removed or hid a post or a comment: it stays as it was loaded",
    "change": "a webhook about something else than posts and comments",
    "error": "an error of the Graph API, no data: see `error` in the record",
    "empty": "an empty response: nothing matched",
}
UNKNOWN = "holds something that is neither a post, a comment nor a page"

FORMAT = Format(
    name="facebook",
    title="Facebook Graph API",
    description=(
        "Responses of the Graph API about posts of pages, one a JSON line, an array of them, or "
        "one a file: a list in `data`, a single post or comment, or a page with its posts; also "
        "what a webhook of the page's feed receives. Gives posts, their comments and the replies "
        "below those (as posts that answer another), as far as they are in the response, and "
        "pages with followers as profiles. People have no handle here: `author_id` says who "
        "wrote. Ask for the fields `id,from,message,created_time,updated_time,shares,"
        "reactions.summary(true),comments.summary(true){id,from,message,created_time}`; without "
        "`from` or `created_time` a post goes to quarantine. A post that is only the frame "
        "around its comments gives those. Each kind of what is no post is kept once a response "
        "in quarantine."
    ),
    reads="json",
    structure=STRUCTURE,
    prepare=PREPARE,
    kinds={
        "posts": Rows(
            columns={
                "network": "'facebook'",
                "hashtags": hashtags_in("item.text"),
                **{name: f"item.{name}" for name in MEMBERS},
            },
            each="_posts",
            refuse=refusals(REASONS, UNKNOWN),
        ),
        "profiles": Rows(columns=PAGE, each="_pages"),
    },
    example="""
[sources.facebook_posts]
format = "facebook"
files = "social/facebook/*.jsonl"
""",
)
