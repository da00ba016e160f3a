"""What settings say about fetching is checked before anything is fetched."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tessera.ingest.fetch.settings import Fetch, check

TOKEN = "{secret:API_TOKEN}"


@pytest.mark.parametrize(
    ("uri", "options"),
    [
        ("s3://bucket/exports/*.csv", {"options": {"key": TOKEN}}),
        ("gs://bucket/exports/", {}),
        ("sftp://user@host/out/*.csv", {"options": {"password": TOKEN}}),
        ("/mnt/exports/*.csv", {}),
        ("memory://exports", {}),
        ("https://api.example.com/a", {"token": TOKEN, "paging": "link_header"}),
        ("http://localhost:8000/a", {"token": TOKEN}),
        ("postgresql://reader@db/shop", {"table": "orders", "cursor": "updated_at"}),
    ],
)
def test_good_settings_pass(uri: str, options: dict[str, Any]):
    check(uri, Fetch(**options))


@pytest.mark.parametrize(
    ("uri", "options", "said"),
    [
        ("s4://bucket", {}, r"'s4://' is not known; did you mean 's3://'\? Known: s3://, gs://"),
        ("s3://bucket", {"table": "orders"}, r"s3:// does not use `table`; it uses `options`"),
        ("https://api.example.com", {"query": "select 1"}, r"https:// does not use `query`"),
        ("postgresql://db/shop", {"paging": "link"}, r"postgresql:// does not use `paging`"),
        ("postgresql://db/shop", {}, r"either `table` or `query`"),
        ("postgresql://db/shop", {"table": "a", "query": "b"}, r"either `table` or `query`"),
        ("postgresql://db/shop", {"table": "a", "lookback": 1}, r"`lookback` needs `cursor`"),
        ("postgresql://me:word@db/shop", {"table": "a"}, r"the uri holds a password"),
        ("https://api.example.com/?access_token=a", {}, r"the uri holds access_token"),
        ("https://api.example.com/{secret:A}", {}, r"the uri names a secret"),
        ("http://api.example.com", {"token": TOKEN}, r"secret in the clear: use https"),
        ("https://api.example.com", {"paging": "cursor"}, r"needs `next`, `next_param`"),
        ("https://api.example.com", {"paging": "none", "next": "a"}, r"does not use `next`"),
        ("https://api.example.com", {"paging": "link", "next": "a["}, r"'a\[' is no JSONPath"),
        ("https://api.example.com", {"token": TOKEN, "user": "me"}, r"either `token`, or"),
        ("https://api.example.com", {"lookback": 1}, r"`lookback` needs `since`"),
        ("https://[api", {}, r"the uri cannot be read"),
    ],
)
def test_what_cannot_be_fetched_is_said(uri: str, options: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        check(uri, Fetch(**options))


@pytest.mark.parametrize("key", ["token", "password"])
def test_a_secret_is_named_and_not_written(key: str):
    with pytest.raises(ValidationError, match=r"must name a secret, as \{secret:NAME\}"):
        Fetch(**{key: "abc"})


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Fetch(**{"retrys": 3})
