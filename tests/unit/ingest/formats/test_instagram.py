from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import shared
from tests.unit.ingest.formats.responses import Landing, check_example

SAMPLES = "formats/facebook-instagram-graph"
AT = "2018-02-22T10:40:45+0000"
ACCOUNT = {
    "id": "7", "username": "ada", "name": "Ada", "followers_count": 10, "follows_count": 15,
    "media_count": 2,
}  # fmt: skip


def media(id_: str = "1", **members: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "caption": "Tea with @bob_b. and me@example.com #tea #Grün",
        "timestamp": AT,
        "username": "ada",
        "owner": {"id": "7"},
        "like_count": 3,
        "comments_count": 4,
        **members,
    }


def comment(id_: str = "2", **members: Any) -> dict[str, Any]:
    return {"id": id_, "text": "nice", "timestamp": AT, "username": "bob", **members}


def webhook(field: str = "comments", **value: Any) -> dict[str, Any]:
    changes = [{"field": field, "value": value}]
    return {"object": "instagram", "entry": [{"id": "0", "time": 1519399307, "changes": changes}]}


@pytest.fixture
def instagram() -> Landing:
    return Landing("instagram")


def test_media_with_comments_and_replies(instagram: Landing, tmp_path: Path) -> None:
    replied = comment(replies={"data": [comment("3", text="indeed")]}, like_count=1)
    album = media(comments={"data": [replied]}, children={"data": [{"id": "9", "timestamp": AT}]})
    instagram.put(tmp_path, {"data": [album], "paging": {}})
    columns = (
        "* exclude (language, edited_at, shares, views, withheld_in, _extra, _source, _load_id)"
    )
    assert instagram.rows("posts", columns) == [
        ("1", "7", "ada", "instagram", "2018-02-22T10:40:45Z", media()["caption"], "3", "4", None,
         '["bob_b"]', '["tea","Grün"]', "a.jsonl", 1, 0),
        ("2", None, "bob", "instagram", "2018-02-22T10:40:45Z", "nice", "1", None, "1",
         None, None, "a.jsonl", 1, 1),
        ("3", None, "bob", "instagram", "2018-02-22T10:40:45Z", "indeed", None, None, "2",
         None, None, "a.jsonl", 1, 2),
    ]  # fmt: skip
    assert instagram.reasons() == []


def test_layouts_of_one_post_agree(instagram: Landing, tmp_path: Path) -> None:
    instagram.put(
        tmp_path,
        media(),
        {"data": [media()]},
        {**ACCOUNT, "media": {"data": [media()]}},
        {"id": "5", "business_discovery": {**ACCOUNT, "media": {"data": [media()]}}},
        {"id": "5", "mentioned_media": media()},
    )
    assert len(instagram.rows("posts", "*")) == 5
    assert len(set(instagram.rows("posts", "* exclude (_extra, _line)"))) == 1
    columns = "author_id, handle, network, display_name, followers, following, posts"
    assert (
        instagram.rows("profiles", columns)
        == [("7", "ada", "instagram", "Ada", "10", "15", "2")] * 2
    )
    assert instagram.reasons() == []


def test_who_wrote_a_comment(instagram: Landing, tmp_path: Path) -> None:
    of_media = {"media": {"id": "1"}}
    instagram.put(
        tmp_path,
        comment(username=None, user={"id": "8"}, **of_media),
        comment(username=None, **{"from": {"id": "8", "username": "bob"}}, parent_id="4"),
        {"id": "5", "mentioned_comment": comment(**of_media)},
        comment(username=None),
    )
    assert instagram.rows("posts", "author_id, author_handle, in_reply_to") == [
        ("8", None, "1"),
        ("8", "bob", "4"),
        (None, "bob", "1"),
    ]
    assert instagram.reasons() == [("a.jsonl", 4, "author_handle and author_id are missing")]


def test_comments_by_webhook(instagram: Landing, tmp_path: Path) -> None:
    by = {"from": {"id": "8", "username": "bob"}}
    instagram.put(
        tmp_path,
        webhook(id="2", text="nice", **by, media={"id": "1"}),
        webhook("live_comments", id="3", text="live", **by, parent_id="2"),
    )
    assert instagram.rows("posts", "post_id, author_handle, posted_at, text, in_reply_to") == [
        ("2", "bob", "2018-02-23T15:21:47Z", "nice", "1"),
        ("3", "bob", "2018-02-23T15:21:47Z", "live", "2"),
    ]


NO_POSTS: list[tuple[dict[str, Any], str]] = [
    ({"data": []}, "an empty response: nothing matched"),
    ({"id": "1", "comments": {"data": []}}, "an empty response: nothing matched"),
    (
        {"error": {"message": "Invalid token", "code": 190}},
        "an error of the Graph API, no data: see `error` in the record",
    ),
    ({"id": "1", "status_code": "FINISHED"}, "the state of publishing, no post"),
    ({"data": [{"quota_usage": 2}]}, "the state of publishing, no post"),
    ({"audio": [{"audio_id": "1"}]}, "an audio track, no post"),
    ({"data": [{"name": "reach", "values": []}]}, "insights are no posts"),
    (webhook("story_insights", media_id="1"), "insights are no posts"),
    (
        webhook("mentions", media_id="1", comment_id="2"),
        "a mention without its text: fetch the media or the comment that it names",
    ),
    (webhook("standby"), "a webhook about something else than comments"),
    (
        {"object": "instagram", "entry": [{"messaging": [{}]}]},
        "private messages are not loaded",
    ),
    ({"id": "1", "message": "psst", "created_time": AT}, "private messages are not loaded"),
    ({"id": "1"}, "holds something that is neither a post, a comment nor an account"),
    ({"something": 1}, "nothing in it that Instagram Graph API gives"),
    (media(timestamp="soon"), "posted_at is not a timestamp"),
    (media(timestamp=None), "posted_at is missing"),
    (media(like_count="many"), "likes is not a bigint"),
]


def test_what_is_no_post_goes_to_quarantine(instagram: Landing, tmp_path: Path) -> None:
    instagram.put(tmp_path, *(record for record, _ in NO_POSTS))
    reasons = [reason for _, reason in NO_POSTS]
    assert instagram.reasons() == [("a.jsonl", line, why) for line, why in enumerate(reasons, 1)]
    assert instagram.count("raw.posts") == 0


def test_the_example_of_the_settings(tmp_path: Path) -> None:
    assert check_example("instagram", tmp_path, [media()]) == 1


def test_the_samples(instagram: Landing) -> None:
    loaded = instagram.load(shared(SAMPLES), "instagram/*.json")
    assert loaded.files_loaded == loaded.files_found
    columns = "_file, author_handle, author_id, likes, comments, in_reply_to is not null"
    assert instagram.rows("posts", columns) == [
        ("instagram/comment.json", None, "98765432123", "0", None, True),
        ("instagram/comment_missing_user.json", "bincyshiona", None, "0", None, True),
        ("instagram/media-carousel.json", "Tester", "987654321", "0", "0", False),
        ("instagram/media-image.json", "fake_username", "987654321", "0", "1", False),
        ("instagram/wh-comments-2021.json", "testuser", "1234536447", None, None, True),
    ]
    assert instagram.rows("profiles", "_file, handle, followers") == [
        ("instagram/user.json", "tester2018", "10")
    ]
    assert {Path(file).stem: reason for file, _, reason in instagram.reasons()} == {
        "audio-metadata": "an audio track, no post",
        "audio-response": "an audio track, no post",
        "comment": "author_handle and author_id are missing",  # a reply below it
        "container": "the state of publishing, no post",
        "container_no_copyright": "the state of publishing, no post",
        "content_publishing_limit": "the state of publishing, no post",
        "igmedia-cci": "holds something that is neither a post, a comment nor an account",
        "media-with-boost-ads": "holds something that is neither a post, a comment nor an account",
        "mentioned-media": "posted_at is missing",
        "messaging-attachment-unsupported": "private messages are not loaded",
        "messaging-seen": "private messages are not loaded",
        "wh-comments": "author_handle and author_id are missing",
        "wh-livecomments": "author_handle and author_id are missing",
        "wh-mentions": "a mention without its text: fetch the media or the comment that it names",
        "wh-story_insights": "insights are no posts",
    }
