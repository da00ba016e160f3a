from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import shared
from tests.unit.ingest.formats.responses import Landing, check_example

SAMPLES = "formats/x-api-v2"
ADA = {
    "id": "11",
    "username": "ada",
    "name": "Ada",
    "verified": False,
    "location": "Turin",
    "created_at": "2020-01-02T03:04:05.000Z",
    "public_metrics": {"followers_count": 7, "following_count": 8, "tweet_count": 9},
}


def post(id_: str = "1576994746135764992", **members: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "author_id": "11",
        "created_at": "2022-10-03T17:57:01.000Z",
        "text": "hello",
        **members,
    }


def response(*posts: Any, **members: Any) -> dict[str, Any]:
    return {"data": list(posts), "includes": {"users": [ADA]}, **members}


def error(title: str) -> dict[str, str]:
    return {"title": title, "detail": "gone", "resource_id": "5"}


@pytest.fixture
def x() -> Landing:
    return Landing("x_api")


def test_a_post_with_its_author_and_counts(x: Landing, tmp_path: Path) -> None:
    metrics = {
        "like_count": 1, "reply_count": 2, "retweet_count": 3, "quote_count": 4,
        "impression_count": 500,
    }  # fmt: skip
    entities = {
        "mentions": [{"username": "bob"}, {"username": "eve"}],
        "hashtags": [{"tag": "tea"}],
    }
    withheld = {"country_codes": ["DE", "FR"], "copyright": False}
    x.put(
        tmp_path,
        response(post(public_metrics=metrics, entities=entities, withheld=withheld, lang="en")),
    )
    assert x.rows("posts", "* exclude (_extra, _source, _file, _load_id, _line, _item)") == [
        (
            "1576994746135764992", "11", "ada", "x", "2022-10-03T17:57:01Z", None, "hello", "en",
            "1", "2", "7", "500", None, '["bob","eve"]', '["tea"]', '["DE","FR"]',
        )
    ]  # fmt: skip
    assert x.rows("profiles", "* exclude (_extra, _source, _file, _load_id, _line, _item)") == [
        (
            "11", "ada", "x", "Ada", "7", "8", "9", "false", "Turin",
            "2020-01-02T03:04:05Z", "2022-10-03T17:57:01Z",
        )
    ]  # fmt: skip


def test_layouts_of_one_post_agree(x: Landing, tmp_path: Path) -> None:
    """A list, one object as a stream sends it, and a flat line with the author inside."""
    flat = post(author=ADA)
    streamed = {"data": post(), "includes": {"users": [ADA]}, "matching_rules": [{"id": "1"}]}
    x.put(tmp_path, response(post()), streamed, flat)
    (tmp_path / "b.json").write_text(json.dumps([response(post())], indent=1))
    x.load(tmp_path, "b.json")
    assert len(x.rows("posts", "*")) == 4
    assert len(set(x.rows("posts", "* exclude (_extra, _file, _load_id, _line)"))) == 1
    assert len(set(x.rows("profiles", "* exclude (_extra, _file, _load_id, _line)"))) == 1
    assert x.reasons() == []


def test_versions_of_an_edited_post_have_one_id(x: Landing, tmp_path: Path) -> None:
    history = ["1576994746135764992", "1576994789110992896"]
    first = post(history[0], edit_history_tweet_ids=history)
    second = post(
        history[1],
        edit_history_tweet_ids=history,
        created_at="2022-10-03T17:57:11.000Z",
        text="hello!",
    )
    answer = post(
        "1576994899999992896", referenced_tweets=[{"type": "replied_to", "id": history[1]}]
    )
    x.put(tmp_path, response(first, second, answer))
    assert x.rows("posts", "post_id, posted_at, edited_at, text, in_reply_to")[:2] == [
        (history[0], "2022-10-03T17:57:01Z", None, "hello", None),
        (history[0], "2022-10-03T17:57:01Z", "2022-10-03T17:57:11Z", "hello!", None),
    ]
    assert x.rows("posts", "in_reply_to")[2] == (history[0],)


def test_what_a_post_refers_to(x: Landing, tmp_path: Path) -> None:
    counts = {"like_count": 0, "reply_count": 0, "retweet_count": 90, "quote_count": 0}
    x.put(
        tmp_path,
        response(
            post(
                "1",
                referenced_tweets=[
                    {"type": "quoted", "id": "8"},
                    {"type": "replied_to", "id": "9"},
                ],
                public_metrics=counts,
            ),
            post("2", referenced_tweets=[{"type": "quoted", "id": "8"}], public_metrics=counts),
            post("3", referenced_tweets=[{"type": "retweeted", "id": "8"}], public_metrics=counts),
        ),
    )
    assert x.rows("posts", "post_id, in_reply_to, likes, shares") == [
        ("1", "9", "0", "90"),
        ("2", "8", "0", "90"),
        ("3", "8", None, None),  # the reposts of the original
    ]


def test_a_post_without_a_time_has_that_of_its_id(x: Landing, tmp_path: Path) -> None:
    bare = {"id": "1576994746135764992", "author_id": "11", "text": "hello"}
    x.put(tmp_path, response(bare, {**bare, "id": "20"}))
    assert x.rows("posts", "posted_at") == [("2022-10-03T17:57:01Z",)]
    assert x.reasons() == [("a.jsonl", 1, "posted_at is missing")]


NO_POSTS: list[tuple[dict[str, Any], str]] = [
    ({"data": [], "meta": {"result_count": 0}}, "an empty response: nothing matched"),
    ({"meta": {"result_count": 0}}, "an empty response: nothing matched"),
    (
        {"data": [{"start": "a", "end": "b", "tweet_count": 3}] * 2},
        "counts of posts, not posts",
    ),
    (
        {"data": [{"id": "1", "name": "n", "member_count": 3}]},
        "lists of accounts, not posts",
    ),
    (
        {"data": [{"id": "1", "text": "psst", "dm_conversation_id": "2"}]},
        "direct messages are private: they are not loaded",
    ),
    ({"data": [{"id": "1"}]}, "holds something that is neither a post nor an account"),
    (
        {"id": "1", "action": "delete", "created_at": "2019-09-06T17:25:54.667Z"},
        "a compliance event: X asks to delete or to hide something; do so by hand",
    ),
    (
        {"errors": [error("Not Found Error"), error("Not Found Error")]},
        "X: Not Found Error: something that was asked for or referred to is deleted",
    ),
    (
        {"title": "Unauthorized", "status": 401, "detail": "Unauthorized"},
        "X: another error: see title and detail of `errors` in the record",
    ),
    (
        {"errors": [{"code": 88}]},
        "X: another error: see title and detail of `errors` in the record",
    ),
    ({"something": "else"}, "nothing in it that X API v2 gives"),
    ({"data": "text"}, "nothing in it that X API v2 gives"),
    ({"data": [post(created_at="soon")]}, "posted_at is not a timestamp"),
    ({"data": [post(public_metrics={"like_count": "many"})]}, "likes is not a bigint"),
    (
        {"data": [post(public_metrics={"retweet_count": "many", "quote_count": 1})]},
        "shares is not a bigint",
    ),
    ({"data": [post(author_id=None)]}, "author_handle and author_id are missing"),
    ({"data": [post(id=None)]}, "post_id is missing"),
]


def test_what_is_no_post_goes_to_quarantine(x: Landing, tmp_path: Path) -> None:
    x.put(tmp_path, *(record for record, _ in NO_POSTS))
    reasons = [reason for _, reason in NO_POSTS]
    assert x.reasons() == [("a.jsonl", line, why) for line, why in enumerate(reasons, 1)]
    assert x.count("raw.posts") == 0


def test_errors_of_a_part_leave_the_rest(x: Landing, tmp_path: Path) -> None:
    errors = [error("Not Found Error"), error("Forbidden"), error("Not Found Error")]
    x.put(tmp_path, response(post(), errors=errors))
    assert x.count("raw.posts") == 1
    assert [reason for _, _, reason in x.reasons()] == [
        "X: Forbidden: an account is suspended",
        "X: Not Found Error: something that was asked for or referred to is deleted",
    ]


def test_responses_of_accounts(x: Landing, tmp_path: Path) -> None:
    pinned = post(text="pinned")
    paid = {"id": "12", "username": "bob", "verified_type": "blue"}
    plain = {"id": "13", "username": "eve", "verified_type": "none"}
    x.put(tmp_path, {"data": [ADA, paid, plain], "includes": {"tweets": [pinned]}}, ADA)
    assert x.rows("profiles", "handle, is_verified") == [
        ("ada", "false"),
        ("bob", "true"),
        ("eve", "false"),
        ("ada", "false"),
    ]
    assert x.rows("posts", "text, author_handle") == [("pinned", "ada")]
    assert x.reasons() == []


def test_long_posts_are_whole(x: Landing, tmp_path: Path) -> None:
    note = {"text": "hello and so on", "entities": {"hashtags": [{"tag": "on"}]}}
    x.put(tmp_path, response(post(note_tweet=note)))
    assert x.rows("posts", "text, hashtags") == [("hello and so on", '["on"]')]


def test_the_example_of_the_settings(tmp_path: Path) -> None:
    assert check_example("x_api", tmp_path, [response(post())]) == 2


def _counted(file: Path) -> tuple[int, int]:
    """Posts and accounts of unflattened responses, read without the format."""
    posts = accounts = 0
    for line in file.read_text().splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        data = record.get("data", [])
        items = data if isinstance(data, list) else [data]
        includes = record.get("includes", {})
        posts += sum("text" in item for item in items + includes.get("tweets", []))
        accounts += sum("username" in item for item in items + includes.get("users", []))
    return posts, accounts


def test_every_sample_is_accounted_for(x: Landing) -> None:
    folder = shared(SAMPLES)
    x.load(folder, "*.json*")
    files = [file for file in folder.glob("*.jsonl") if file.name != "flat.jsonl"]
    for file in files:
        posts, accounts = _counted(file)
        assert x.count(f"raw.posts where _file = '{file.name}'") == posts, file.name
        assert x.count(f"raw.profiles where _file = '{file.name}'") == accounts, file.name
    assert x.connection.execute("select file, reason from quarantine.files").fetchall() == [
        ("empty.json", "the file is empty")
    ]
    assert {(file, reason.partition(":")[0]) for file, _, reason in x.reasons()} >= {
        ("counts.jsonl", "counts of posts, not posts"),
        ("lists.jsonl", "lists of accounts, not posts"),
        ("streaming_output_with_error.jsonl", "malformed row"),
        ("tweets_compliance.jsonl", "a compliance event"),
        ("withheld.jsonl", "X"),
    }


def test_flat_lines_give_what_the_response_gave(x: Landing) -> None:
    x.load(shared(SAMPLES), "*flat.jsonl")
    columns = "* exclude (_extra, _source, _file, _load_id, _line, _item)"
    flat = set(x.rows("posts where _file = 'flat.jsonl'", columns))
    whole = set(x.rows("posts where _file = 'noflat.jsonl'", columns))
    assert flat == whole


def test_withheld_and_edited_samples(x: Landing) -> None:
    x.load(shared(SAMPLES), "[we]*e[ld]*.jsonl")
    assert x.count("raw.posts where withheld_in is not null") > 0
    versions = x.rows("posts where _file like 'edited%'", "post_id, posted_at, edited_at")
    assert len({(post_id, posted_at) for post_id, posted_at, _ in versions}) == 1
    assert len({edited_at for _, _, edited_at in versions}) == 2
