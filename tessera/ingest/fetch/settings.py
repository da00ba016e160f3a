"""What the settings say about where a source's exports come from."""

from __future__ import annotations

import difflib
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tessera.ingest.fetch.secret import REFERENCE

API = ("https", "http")
DATABASE = ("postgresql", "postgres")
# URI scheme → extra of the package that brings its library. More are known to fsspec.
STORES = {"s3": "s3", "gs": "gcs", "az": "azure", "abfs": "azure", "sftp": "sftp", "file": ""}
# Words that name a secret wherever they stand in an address.
SECRET_WORDS = ("token", "secret", "password", "passwd", "apikey", "api_key", "signature")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Since(_Section):
    """How an API is asked for what is new.

    param    the parameter of the request that says from where
    path     JSONPath of its next value in the responses; of several the greatest
    initial  the value of the very first request; empty: the request is made without it
    """

    param: str = Field(min_length=1)
    path: str = Field(min_length=1)
    initial: str = ""


class Fetch(_Section):
    """How the exports behind a source's `uri` are fetched. Which keys apply depends on its scheme.

    Object stores: `options`, passed to fsspec. APIs: from `token` to `pages_per_file`. Databases:
    `table` or `query`, `cursor`, `rows_per_file`, `password`.
    """

    options: dict[str, Any] = {}

    token: str = ""
    user: str = ""
    password: str = ""
    headers: dict[str, str] = {}
    params: dict[str, str | int | float | bool] = {}
    paging: Literal["none", "cursor", "link", "link_header", "offset", "page"] = "none"
    next: str = ""
    next_param: str = ""
    has_more: str = ""
    items: str = ""
    limit: int = Field(default=100, ge=1)
    limit_param: str = "limit"
    first: int = Field(default=0, ge=0)
    since: Since | None = None
    attempts: int = Field(default=8, ge=1, le=50)
    max_wait_seconds: int = Field(default=900, ge=0)
    timeout_seconds: int = Field(default=60, ge=1)
    retry_on: dict[str, list[str | int | bool]] = {}
    max_pages: int = Field(default=10_000, ge=1)
    pages_per_file: int = Field(default=100, ge=1)

    table: str = ""
    query: str = ""
    cursor: str = ""
    rows_per_file: int = Field(default=500_000, ge=1)

    lookback: int | None = Field(default=None, ge=0)

    @field_validator("token", "password")
    @classmethod
    def _named_not_written(cls, value: str) -> str:
        if value and not REFERENCE.search(value):
            raise ValueError(
                "must name a secret, as {secret:NAME}, with its value in the environment variable "
                "NAME: secrets do not belong in a settings file"
            )
        return value


API_KEYS = {
    *("token", "user", "password", "headers", "params", "paging", "next", "next_param"),
    *("has_more", "items", "limit", "limit_param", "first", "since", "lookback", "attempts"),
    *("max_wait_seconds", "timeout_seconds", "retry_on", "max_pages", "pages_per_file"),
}
DATABASE_KEYS = {"password", "table", "query", "cursor", "rows_per_file", "lookback"}
STORE_KEYS = {"options"}

# What each way of paging must be told, and what else it may be told.
PAGING = {
    "none": ((), ()),
    "cursor": (("next", "next_param"), ("has_more",)),
    "link": (("next",), ()),
    "link_header": ((), ()),
    "offset": (("next_param", "items"), ("limit", "limit_param", "first", "has_more")),
    "page": (("next_param", "items"), ("first", "has_more")),
}
PAGING_KEYS = {"next", "next_param", "has_more", "limit", "limit_param", "first"}


def scheme_of(uri: str) -> str:
    """The scheme of a URI, in small letters; a path without one is a local file."""
    scheme, separator, _ = uri.partition("://")
    return scheme.lower() if separator else "file"


def check(uri: str, fetch: Fetch) -> None:
    """Raise ValueError when the URI cannot be fetched from, or a key does not go with it."""
    scheme = scheme_of(uri)
    _check_address(uri)
    if scheme in API:
        _only(API_KEYS, fetch, scheme)
        _check_api(uri, fetch)
    elif scheme in DATABASE:
        _only(DATABASE_KEYS, fetch, scheme)
        _check_database(fetch)
    else:
        _check_store(scheme)
        _only(STORE_KEYS, fetch, scheme)


def _check_address(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        password, query = parts.password, parse_qsl(parts.query)
    except ValueError as error:
        raise ValueError(f"the uri cannot be read: {error}") from None
    # A URI is shown in logs and messages: it may hold nothing that is secret.
    if password:
        raise ValueError("the uri holds a password: write `password = '{secret:NAME}'` instead")
    hidden = [key for key, _ in query if any(word in key.lower() for word in SECRET_WORDS)]
    if hidden:
        raise ValueError(f"the uri holds {hidden[0]}: write it in `params`, as '{{secret:NAME}}'")
    if REFERENCE.search(uri):
        raise ValueError("the uri names a secret: write it in `token`, `params` or `headers`")


def _check_api(uri: str, fetch: Fetch) -> None:
    needed, allowed = PAGING[fetch.paging]
    for path in (fetch.next, fetch.has_more, fetch.items, fetch.since and fetch.since.path):
        _check_path(path or "$")
    missing = [key for key in needed if not getattr(fetch, key)]
    if missing:
        raise ValueError(f"paging '{fetch.paging}' needs {_listed(missing)}")
    idle = sorted((fetch.model_fields_set & PAGING_KEYS) - {*needed, *allowed})
    if idle:
        raise ValueError(f"paging '{fetch.paging}' does not use {_listed(idle)}")
    if fetch.lookback and not fetch.since:
        raise ValueError("`lookback` needs `since`, the value that it looks back from")
    if fetch.token and (fetch.user or fetch.password):
        raise ValueError("either `token`, or `user` and `password`")
    secret = REFERENCE.search(fetch.model_dump_json())
    if secret and scheme_of(uri) == "http" and urlsplit(uri).hostname not in LOOPBACK:
        raise ValueError("http:// would send a secret in the clear: use https://")


def _check_path(path: str) -> None:
    try:
        from jsonpath_ng.exceptions import JSONPathError
        from jsonpath_ng.ext import parse
    except ImportError:
        return  # the fetch itself says what is not installed
    try:
        parse(path)
    except JSONPathError as error:
        raise ValueError(f"'{path}' is no JSONPath: {error}") from None


LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _check_database(fetch: Fetch) -> None:
    if bool(fetch.table) == bool(fetch.query):
        raise ValueError("a database needs either `table` or `query`")
    if fetch.lookback and not fetch.cursor:
        raise ValueError("`lookback` needs `cursor`, the column that it looks back on")


def _check_store(scheme: str) -> None:
    from fsspec.registry import known_implementations

    if scheme in STORES or (scheme in known_implementations and scheme not in DATABASE):
        return
    known = [*STORES, *API, *DATABASE]
    close = difflib.get_close_matches(scheme, known, n=1, cutoff=0.5)
    hint = f"; did you mean '{close[0]}://'?" if close else "."
    shown = ", ".join(f"{name}://" for name in known)
    raise ValueError(f"'{scheme}://' is not known{hint} Known: {shown}, and fsspec's own names")


def _only(keys: set[str], fetch: Fetch, scheme: str) -> None:
    idle = sorted(fetch.model_fields_set - keys)
    if idle:
        raise ValueError(f"{scheme}:// does not use {_listed(idle)}; it uses {_listed(keys)}")


def _listed(keys: Any) -> str:
    return ", ".join(f"`{key}`" for key in sorted(keys))
