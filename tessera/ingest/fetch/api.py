"""REST APIs: page after page, each response one JSON line of a file.

dlt's REST client turns the pages and its paginators know where the next one is; what is ours is
what is kept: the responses as they came, and the mark from which the next run goes on.

The saved state: `since`, the value that this walk over the pages asks from; of a walk that was left
half-way also `next`, its next request, and `newest`, the greatest value seen in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import urlsplit

import requests

from tessera.ingest.fetch.access import Access, secret_params
from tessera.ingest.fetch.failure import FetchFailed, need
from tessera.ingest.fetch.landing import Landing
from tessera.ingest.fetch.paging import paginator
from tessera.ingest.fetch.retrying import Refused, retrying_session
from tessera.ingest.fetch.secret import Secrets
from tessera.ingest.fetch.settings import Fetch
from tessera.ingest.fetch.since import greatest, looked_back

if TYPE_CHECKING:
    from dlt.sources.helpers.rest_client import RESTClient

# What an API may answer when a saved cursor is no longer good.
STALE = (400, 404, 410, 422)


@dataclass
class Walk:
    """One way over the pages, from the first or from where the last run stopped."""

    uri: str
    fetch: Fetch
    landing: Landing
    secrets: Secrets
    pages: int = 0
    size: int = 0
    names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    part: TextIO | None = None
    number: int = 0

    def begin(self) -> tuple[str, dict[str, Any]]:
        """URL and parameters of the first request."""
        self.state = dict(self.landing.saved)
        resumed = self.state.get("next")
        if resumed:
            return self.secrets.resolve_url(resumed["url"]), self.secrets.resolve_all(
                resumed["params"]
            )
        hidden = secret_params(self.fetch)
        params = {key: value for key, value in self.fetch.params.items() if key not in hidden}
        since = self.fetch.since
        if since and (value := self.state.get("since") or since.initial):
            params[since.param] = _asked(value, self.fetch.lookback or 0)
        return self.uri, params

    def keep(self, response: requests.Response, is_empty: bool) -> None:
        """Write one response, and remember the newest value in it."""
        self.pages += 1
        if self.fetch.since:
            found = _find(self.fetch.since.path, response.json())
            self.state["newest"] = greatest([self.state.get("newest"), *found])
        if is_empty:
            return
        if self.part is None:
            self.number = self.landing.next_number()
            self.part = self.landing.part(self._name).open("w", encoding="utf-8", newline="")
        for line in json_lines(response.content.decode("utf-8-sig")):
            self.part.write(f"{self.secrets.redact(line)}\n")

    def stand(self, following: requests.Request | None) -> None:
        """Remember where the walk is: before `following`, or at its end."""
        if following is not None:
            params = {key: str(value) for key, value in (following.params or {}).items()}
            self.state["next"] = {"url": str(following.url), "params": params}
            return
        newest = greatest([self.state.get("since"), self.state.get("newest")])
        self.state = {"since": newest} if newest else {}

    def commit(self, is_end: bool) -> None:
        """Let what was written become a file, together with where the walk is."""
        names: list[str] = []
        if self.part is not None:
            self.part.close()
            names, self.part = [self._name], None
        # Without `since` each walk brings everything: what is as it was is not kept again.
        before, now = (self.landing.saved.get(key, []) for key in ("digests", "walked"))
        if not self.fetch.since:
            names, found = self.landing.fresh(names, before)
            self.state |= {"digests": before, "walked": now + found}
            if is_end:
                self.state = {"digests": now + found}
        self.size += self.landing.commit(names, self.secrets.redact_all(self.state), self.number)
        self.names += names

    @property
    def _name(self) -> str:
        return f"{self.number:08}.jsonl"


def fetch_api(
    uri: str, fetch: Fetch, landing: Landing, secrets: Secrets
) -> tuple[list[str], int, list[str]]:
    """Fetch what is new; return the names of the files, their bytes, and notes for people."""
    walk = Walk(uri, fetch, landing, secrets)
    try:
        _walk(walk)
    except Refused as refusal:
        if "next" not in landing.saved or walk.pages or refusal.status not in STALE:
            raise
        # The cursor of a walk that was left half-way has run out: that walk is made again.
        landing.save({key: value for key, value in landing.saved.items() if key == "since"})
        walk = Walk(uri, fetch, landing, secrets, notes=["the saved page had run out: begun anew"])
        _walk(walk)
    return walk.names, walk.size, walk.notes


def _walk(walk: Walk) -> None:
    try:
        for following in _pages(walk):
            walk.stand(following)
            if following is None or walk.pages % walk.fetch.pages_per_file == 0:
                walk.commit(is_end=following is None)
            if following is not None and walk.pages >= walk.fetch.max_pages:
                walk.notes.append(f"stopped after {walk.pages:,} pages; the next run goes on")
                break
    finally:
        # What came before a failure is kept, with the request that failed as the next one.
        if walk.pages and walk.part is not None:
            walk.commit(is_end=False)


def _pages(walk: Walk) -> Iterator[requests.Request | None]:
    """Keep page after page; yield the request that follows each, None after the last."""
    url, params = walk.begin()
    fetch, client = walk.fetch, _client(walk)
    walk.secrets.require_findable()
    for page in client.paginate(
        url,
        params=params,
        paginator=paginator(fetch, params),
        data_selector=fetch.items or "$",
        hooks={"response": []},
    ):
        walk.keep(page.response, is_empty=bool(fetch.items) and not page)
        if not page.paginator.has_next_page:
            yield None
            return
        _check_next(walk, page.request, page.response)
        yield page.request


def _client(walk: Walk) -> RESTClient:
    try:
        from dlt.common.configuration.specs import RuntimeConfiguration
        from dlt.sources.helpers.rest_client import RESTClient
    except ImportError:
        raise need("dlt", "api") from None
    fetch = walk.fetch
    return RESTClient(
        base_url=walk.uri,
        headers=walk.secrets.resolve_all(fetch.headers),
        auth=Access(fetch, walk.secrets),
        session=retrying_session(
            fetch.attempts, fetch.max_wait_seconds, fetch.timeout_seconds, fetch.retry_on
        ),
        # Given, so that no configuration file of dlt's is looked for.
        config=RuntimeConfiguration(dlthub_telemetry=False),
    )


def _check_next(walk: Walk, following: requests.Request, came: requests.Response) -> None:
    here, there = urlsplit(walk.uri), urlsplit(str(following.url))
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise FetchFailed(
            f"the next page is said to be at {there.scheme}://{there.netloc}: the credentials are "
            f"only for {here.scheme}://{here.netloc}"
        )
    access = Access(walk.fetch, walk.secrets)
    asked = requests.Request("GET", following.url, params=following.params, auth=access)
    if asked.prepare().url == came.request.url:
        raise FetchFailed("the API names the page itself as the next one: look at `next`")


def _asked(value: str, lookback: int) -> str:
    try:
        return looked_back(value, lookback)
    except ValueError as error:
        raise FetchFailed(str(error)) from None


def _find(path: str, body: Any) -> list[Any]:
    from dlt.common import jsonpath

    return jsonpath.find_values(path, body)


def json_lines(text: str) -> Iterator[str]:
    """A JSON text as lines, its characters unchanged: an array gives a line an element.

    >>> list(json_lines('[{"a": 1.10},\\n {"b": [2,\\n3]}]'))
    ['{"a": 1.10}', '{"b": [2, 3]}']
    """
    text = text.strip()
    if not text.startswith("["):
        yield _one_line(text)
        return
    decoder, at = json.JSONDecoder(), 1
    while (at := _next_value(text, at)) < len(text) and text[at] != "]":
        _, end = decoder.raw_decode(text, at)
        yield _one_line(text[at:end])
        at = end


def _next_value(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _one_line(text: str) -> str:
    # A line break within a JSON string is written \n: these stand between its members.
    return text.replace("\r", "").replace("\n", " ")
