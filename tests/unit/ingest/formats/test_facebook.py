from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import shared
from tests.unit.ingest.formats.responses import Landing, check_example

SAMPLES = "formats/facebook-instagram-graph"
ADA = {"id": "7", "name": "Ada"}


def post(id_: str = "1_2", **members: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "from": ADA,
        "message": "hello #tea",
        "created_time": "2016-06-25T19:23:00+0000",
        **members,
    }


def webhook(field: str = "feed", **value: Any) -> dict[str, Any]:
    change = {
        "item": "comment", "verb": "add", "comment_id": "2_3", "post_id": "1_2", "from": ADA,
        "parent_id": "1_2", "created_time": 1449135003, "message": "well",
    } | value  # fmt: skip
    changes = [{"field": field, "value": change}]
    return {"object": "page", "entry": [{"id": "1", "time": 1449139999, "changes": changes}]}


@pytest.fixture
def facebook() -> Landing:
    return Landing("facebook")


def test_a_post_with_comments_replies_and_reactions(facebook: Landing, tmp_path: Path) -> None:
    reply = post("2_4", message="thanks", parent={"id": "2_3"})
    comment = post("2_3", message="well", like_count=5, comment_count=1, comments={"data": [reply]})
    whole = post(
        updated_time="2016-06-26T00:00:00+0200",
        reactions={"data": [], "summary": {"total_count": 12}},
        likes={"summary": {"total_count": 10}},
        shares={"count": 3},
        comments={"data": [comment], "summary": {"total_count": 40}, "paging": {"next": "…"}},
    )
    facebook.put(tmp_path, {"data": [whole], "paging": {"next": "…"}})
    columns = (
        "post_id, author_id, network, posted_at, edited_at, text, likes, comments, shares, "
        "in_reply_to, hashtags"
    )
    at = "2016-06-25T19:23:00Z"
    assert facebook.rows("posts", columns) == [
        ("1_2", "7", "facebook", at, "2016-06-25T22:00:00Z", "hello #tea", "12", "40", "3", None,
         '["tea"]'),
        ("2_3", "7", "facebook", at, None, "well", "5", "1", None, "1_2", None),
        ("2_4", "7", "facebook", at, None, "thanks", None, None, None, "2_3", None),
    ]  # fmt: skip
    assert facebook.reasons() == []


def test_layouts_of_one_post_agree(facebook: Landing, tmp_path: Path) -> None:
    same = post(updated_time=post()["created_time"])
    page = {"id": "1", "name": "Shop", "fan_count": 9, "posts": {"data": [post()]}}
    facebook.put(tmp_path, post(), {"data": [same]}, {"data": same}, page)
    assert len(facebook.rows("posts", "*")) == 4
    assert len(set(facebook.rows("posts", "* exclude (_extra, _line)"))) == 1
    assert facebook.rows("profiles", "author_id, handle, network, display_name, followers") == [
        ("1", None, "facebook", "Shop", "9")
    ]
    assert facebook.reasons() == []


def test_the_frame_around_comments_is_no_post(facebook: Landing, tmp_path: Path) -> None:
    facebook.put(tmp_path, {"id": "1_2", "comments": {"data": [post("2_3")]}})
    assert facebook.rows("posts", "post_id, in_reply_to") == [("2_3", "1_2")]
    assert facebook.reasons() == []


def test_webhooks(facebook: Landing, tmp_path: Path) -> None:
    facebook.put(
        tmp_path,
        webhook(),
        webhook(verb="edited", message="well!"),
        webhook(item="status", comment_id=None, parent_id=None, **{"from": None}, sender_id=8),
    )
    at = "2015-12-03T09:30:03Z"
    assert facebook.rows(
        "posts", "post_id, author_id, posted_at, edited_at, text, in_reply_to"
    ) == [
        ("2_3", "7", at, None, "well", "1_2"),
        ("2_3", "7", at, "2015-12-03T10:53:19Z", "well!", "1_2"),
        ("1_2", "8", at, None, "well", None),
    ]


NO_POSTS: list[tuple[dict[str, Any], str]] = [
    ({"data": []}, "an empty response: nothing matched"),
    ({"id": "1", "comments": {"data": []}}, "an empty response: nothing matched"),
    (
        {"error": {"message": "Invalid token", "code": 190}},
        "an error of the Graph API, no data: see `error` in the record",
    ),
    ({"data": [{"name": "reach", "values": []}]}, "insights are no posts"),
    ({"id": "1", "insights": {"data": []}}, "insights are no posts"),
    (
        {"data": [{"id": "7", "name": "Ada", "type": "LIKE"}] * 2},
        "single reactions are not loaded: posts carry their number",
    ),
    (webhook(item="reaction"), "single reactions are not loaded: posts carry their number"),
    (
        webhook(verb="remove"),
        "somebody removed or hid a post or a comment: it stays as it was loaded",
    ),
    (webhook("leadgen"), "a webhook about something else than posts and comments"),
    ({"object": "page", "entry": [{"messaging": [{}]}]}, "private messages are not loaded"),
    ({"data": [post("m_1")]}, "private messages are not loaded"),
    ({"data": [{"id": "7"}]}, "holds something that is neither a post, a comment nor a page"),
    ({"something": 1}, "nothing in it that Facebook Graph API gives"),
    (post(created_time="soon"), "posted_at is not a timestamp"),
    (post(created_time=None), "posted_at is missing"),
    (post(**{"from": None}), "author_handle and author_id are missing"),
    (post(shares={"count": "many"}), "shares is not a bigint"),
]


def test_what_is_no_post_goes_to_quarantine(facebook: Landing, tmp_path: Path) -> None:
    facebook.put(tmp_path, *(record for record, _ in NO_POSTS))
    reasons = [reason for _, reason in NO_POSTS]
    assert facebook.reasons() == [("a.jsonl", line, why) for line, why in enumerate(reasons, 1)]
    assert facebook.count("raw.posts") == 0


def test_one_bad_change_leaves_its_neighbours(facebook: Landing, tmp_path: Path) -> None:
    both = webhook()
    both["entry"] += webhook(verb="remove")["entry"] + webhook(comment_id="2_9")["entry"]
    facebook.put(tmp_path, both)
    assert facebook.rows("posts", "post_id") == [("2_3",), ("2_9",)]
    assert len(facebook.reasons()) == 1


def test_the_example_of_the_settings(tmp_path: Path) -> None:
    assert check_example("facebook", tmp_path, [post()]) == 1


def test_the_samples(facebook: Landing) -> None:
    folder = shared(SAMPLES)
    facebook.load(folder, "*.json")
    facebook.load(folder, "v*/*.json")
    facebook.load(folder, "webhooks/*.json")
    columns = "_file, author_id, posted_at, likes, comments, in_reply_to is not null"
    assert facebook.rows("posts", columns) == [
        ("post-with-normal-comments.json", "4132", "2010-09-14T22:41:25Z", None, "3", False),
        ("post-with-normal-comments.json", "4123", "2010-09-15T16:09:21Z", None, None, True),
        ("v2_2/comment-issue286.json", "474930769339741", "2015-09-01T00:17:03Z", "1", "0", True),
        ("v2_5/photo-comments.json", "123456789", "2015-12-03T22:05:34Z", None, None, True),
        ("webhooks/feed-comment-add-211.json", "1234567890321", "2015-12-03T09:30:03Z", None,
         None, True),
        ("webhooks/feed-comment-add-25.json", "1234567890321", "2015-12-03T09:30:03Z", None,
         None, True),
    ]  # fmt: skip
    assert facebook.reasons() == [
        ("v10_0/instagram-message.json", 1, "posted_at is not a timestamp"),
        ("v16_0/post-with-insight.json", 1, "insights are no posts"),
    ]
