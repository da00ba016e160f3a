"""REST APIs: a local server replays real responses of X and Meta, with the faults of the wild."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tessera.ingest.fetch import api
from tessera.ingest.fetch.api import json_lines
from tessera.ingest.fetch.failure import FetchFailed
from tests.conftest import shared
from tests.unit.ingest.fetch.conftest import SECRETS, Place
from tests.unit.ingest.fetch.served import Api, Params, busy, soon

SEARCH = "/2/tweets/search/recent"
X: dict[str, Any] = {
    "token": "{secret:API_TOKEN}",
    "params": {"query": "from:company", "max_results": 100},
    "paging": "cursor",
    "next": "meta.next_token",
    "next_param": "next_token",
    "items": "data[*]",
    "since": {"param": "since_id", "path": "meta.newest_id"},
}
GRAPH: dict[str, Any] = {
    "params": {"access_token": "{secret:API_TOKEN}", "limit": 1},
    "paging": "link",
    "next": "paging.next",
    "items": "data[*]",
    "since": {"param": "since", "path": "data[*].created_time"},
}
NOTHING = {"meta": {"result_count": 0}}


def serve(served: Api) -> Iterator[Api]:
    served.start()
    yield served
    served.stop()


@pytest.fixture
def x() -> Iterator[Api]:
    """X's recent search: two pages of real responses, nothing newer."""
    text = (shared("formats") / "x-api-v2" / "2sets.jsonl").read_text(encoding="utf-8")
    pages = [json.loads(line) for line in text.splitlines()]
    pages[-1]["meta"].pop("next_token")
    by_token = {None: pages[0], pages[0]["meta"]["next_token"]: pages[1]}

    def answer(path: str, params: Params) -> Any:
        assert path == SEARCH
        if params.get("since_id") == pages[0]["meta"]["newest_id"]:
            return NOTHING
        return by_token[params.get("next_token")]

    yield from serve(Api(answer, SECRETS["API_TOKEN"]))


@pytest.fixture
def graph() -> Iterator[Api]:
    """A Graph edge: the comments of real responses, one a page, oldest last."""
    samples = shared("formats") / "facebook-instagram-graph"
    comments = [
        comment
        for name in ("post-with-normal-comments.json", "v2_5/photo-comments.json")
        for comment in json.loads((samples / name).read_text())["comments"]["data"]
    ]
    comments.sort(key=lambda comment: comment["created_time"], reverse=True)

    def answer(path: str, params: Params) -> Any:
        since = params.get("since", "")
        there = [comment for comment in comments if comment["created_time"] > since]
        at = int(params.get("after", 0))
        paging: dict[str, Any] = {"cursors": {"before": str(at), "after": str(at + 1)}}
        if at + 1 < len(there):
            token = params["access_token"].replace("/", "%2F").replace("+", "%2B")
            asked = f"access_token={token.replace(' ', '%20')}&limit=1&after={at + 1}"
            paging["next"] = f"{served.url}{path}?{asked}" + (f"&since={since}" if since else "")
        return {"data": there[at : at + 1], "paging": paging}

    served = Api(answer, SECRETS["API_TOKEN"])
    yield from serve(served)


def ids(place: Place) -> list[str]:
    return [item["id"] for response in place.lines() for item in response["data"]]


def test_x_is_fetched_page_after_page_and_then_only_what_is_new(x: Api, place: Place):
    first = place.fetch(x.url + SEARCH, **X)
    assert first.files == ("00000001.jsonl",)
    assert first.bytes == place.files[0].stat().st_size
    assert [response["meta"]["result_count"] for response in place.lines()] == [100, 100]
    assert {"includes", "errors", "__twarc"} <= set(place.lines()[0])  # the response as it came

    assert place.fetch(x.url + SEARCH, **X).files == ()
    assert x.asked[-1][1]["since_id"] == "1440717170493689866"
    assert len(place.lines()) == 2


def test_meta_is_fetched_link_after_link_and_its_token_stays_out(graph: Api, place: Place):
    assert place.fetch(f"{graph.url}/v16.0/1234/comments", **GRAPH).files == ("00000001.jsonl",)
    assert len(ids(place)) == len(set(ids(place))) == 2
    assert SECRETS["API_TOKEN"] not in place.everything_written()
    assert "access_token={secret:API_TOKEN}" in place.everything_written()

    assert place.fetch(f"{graph.url}/v16.0/1234/comments", **GRAPH).files == ()
    assert graph.asked[-1][1]["since"] == "2015-12-03T22:05:34+0000"


@pytest.mark.parametrize(
    "fault",
    [
        busy(**{"Retry-After": "1"}),
        busy(**{"x-rate-limit-reset": "soon"}),
        (500, {}, "no JSON at all"),
        (503, {"Retry-After": "0"}, "{}"),
        (200, {}, "<html>just a moment</html>"),
        "drop",
        "break",
    ],
)
@pytest.mark.parametrize("request_number", [1, 2])
def test_a_fault_that_passes_costs_nothing(x: Api, place: Place, fault, request_number):
    if isinstance(fault, tuple) and "x-rate-limit-reset" in fault[1]:
        fault = busy(**{"x-rate-limit-reset": soon()})
    x.faults[request_number] = fault
    place.fetch(x.url + SEARCH, **X)
    assert len(x.asked) == 3
    assert len(ids(place)) == len(set(ids(place))) == 200


def test_a_fault_that_stays_ends_the_run_and_the_next_goes_on_from_there(x: Api, place: Place):
    x.faults = dict.fromkeys(range(2, 5), (500, {}, "down"))
    with pytest.raises(FetchFailed, match=r"answered 500 .*: down. Tried again in vain"):
        place.fetch(x.url + SEARCH, attempts=3, **X)
    assert len(ids(place)) == 100  # the first page is there already

    assert place.fetch(x.url + SEARCH, **X).files == ("00000002.jsonl",)
    assert x.asked[4][1]["next_token"]  # not the first page again
    assert len(ids(place)) == len(set(ids(place))) == 200
    assert place.fetch(x.url + SEARCH, **X).files == ()


def test_meta_goes_on_from_a_saved_link_with_todays_token(graph: Api, place: Place):
    uri = f"{graph.url}/v16.0/1234/comments"
    graph.faults = {2: (500, {}, "down")}
    with pytest.raises(FetchFailed):
        place.fetch(uri, attempts=1, **GRAPH)
    assert SECRETS["API_TOKEN"] not in place.everything_written()

    graph.token = "another-token-of-today"
    place.fetch(uri, lambda name: graph.token, **GRAPH)
    assert len(ids(place)) == len(set(ids(place))) == 2


def test_a_wait_that_is_too_long_is_not_begun(x: Api, place: Place):
    x.faults = {2: busy(**{"Retry-After": "900"})}
    with pytest.raises(FetchFailed, match=r"rate limit: .* asks to wait 900 s"):
        place.fetch(x.url + SEARCH, max_wait_seconds=60, **X)
    assert len(x.asked) == 2
    place.fetch(x.url + SEARCH, **X)
    assert len(ids(place)) == len(set(ids(place))) == 200


def test_a_refusal_is_not_tried_again(x: Api, place: Place):
    with pytest.raises(FetchFailed, match=r"answered 401 .*mend the settings or the credentials"):
        place.fetch(x.url + SEARCH, lambda name: "a wrong token", **X)
    assert len(x.asked) == 1
    assert place.files == []


def test_a_refusal_that_the_settings_call_busy_is_tried_again(graph: Api, place: Place):
    limit = json.dumps({"error": {"code": 4, "message": "Application request limit reached"}})
    graph.faults = {1: (400, {}, limit)}
    uri = f"{graph.url}/v16.0/1234/comments"
    place.fetch(uri, retry_on={"error.code": [4, 17, 32, 613]}, **GRAPH)
    assert len(graph.asked) == 3


def test_a_server_that_is_not_there_is_named(place: Place):
    with pytest.raises(FetchFailed, match=r"feed, from http://127.0.0.1:9/a: the server does not"):
        place.fetch("http://127.0.0.1:9/a", attempts=2)


def test_a_saved_page_that_has_run_out_begins_the_walk_anew(x: Api, place: Place):
    x.faults = {2: (500, {}, "down"), 3: (400, {}, '{"detail": "invalid next_token"}')}
    with pytest.raises(FetchFailed):
        place.fetch(x.url + SEARCH, attempts=1, **X)
    assert place.fetch(x.url + SEARCH, **X).note == "the saved page had run out: begun anew"
    assert len(set(ids(place))) == 200


def killed_at(moment: int, place: Place, uri: str) -> None:
    """Fetch in a process of its own that dies, without a word, at the n-th of its changes."""
    calls = 0
    replace, keep = Path.replace, api.Walk.keep

    def dying(change: Any) -> Any:
        def changed(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == moment:
                os._exit(9)
            return change(*args, **kwargs)

        return changed

    Path.replace, api.Walk.keep = dying(replace), dying(keep)  # type: ignore[method-assign]
    place.fetch(uri, pages_per_file=1, **X)
    os._exit(0)


@pytest.mark.parametrize("moment", range(1, 8))
def test_a_crash_at_any_moment_loses_nothing_and_doubles_nothing(x: Api, place: Place, moment):
    """Two pages, two files: six changes; after the seventh there is nothing left to kill."""
    fork = multiprocessing.get_context("fork")
    victim = fork.Process(target=killed_at, args=(moment, place, x.url + SEARCH))
    victim.start()
    victim.join()
    assert victim.exitcode == (9 if moment < 7 else 0)

    place.fetch(x.url + SEARCH, pages_per_file=1, **X)
    assert len(ids(place)) == len(set(ids(place))) == 200
    assert not any(path.name.endswith(".part") for path in place.files)
    assert place.fetch(x.url + SEARCH, **X).files == ()


def test_changed_settings_begin_anew(x: Api, place: Place):
    place.fetch(x.url + SEARCH, **X)
    changed = place.fetch(x.url + SEARCH, **{**X, "params": {"query": "another"}})
    assert changed.note == "the settings have changed: fetched from the start"
    assert "since_id" not in x.asked[-1][1]


def test_the_next_page_may_not_be_elsewhere(place: Place):
    served = Api(lambda path, params: {"next": "https://elsewhere.example/a"})
    for _ in serve(served):
        with pytest.raises(FetchFailed, match=r"said to be at https://elsewhere.example"):
            place.fetch(served.url, paging="link", next="next", token="{secret:API_TOKEN}")
        assert len(served.asked) == 1


def test_a_page_that_names_itself_as_next_ends_the_walk(place: Place):
    served = Api(lambda path, params: {"data": [1], "next": "same"})
    for _ in serve(served):
        with pytest.raises(FetchFailed, match="names the page itself as the next one"):
            place.fetch(served.url, paging="cursor", next="next", next_param="cursor")
        assert len(served.asked) == 2


@pytest.mark.parametrize(
    ("paging", "options"),
    [("offset", {"limit": 2}), ("page", {"first": 0})],
)
def test_offsets_and_page_numbers_stop_at_an_empty_page(place: Place, paging, options):
    items = ['{"id": 1, "total": 19.90}', '{"id": 2, "total": 5.00}', '{"id": 3, "total": 1.10}']

    def answer(path: str, params: Params) -> str:
        start = int(params["offset"]) if paging == "offset" else 2 * int(params["page"])
        return "[" + ",\n".join(items[start : start + 2]) + "]"

    served = Api(answer)
    param = {"offset": "offset", "page": "page"}[paging]
    for _ in serve(served):
        asked = {"paging": paging, "next_param": param, "items": "[*]", **options}
        assert place.fetch(served.url, **asked).files == ("00000001.jsonl",)
        # An array is a line an element, its numbers as they were written.
        assert place.files[0].read_text().splitlines() == items
        assert place.fetch(served.url, **asked).files == ()  # nothing changed: nothing lands


def test_a_walk_that_is_too_long_goes_on_in_the_next_run(x: Api, place: Place):
    stopped = place.fetch(x.url + SEARCH, max_pages=1, **X)
    assert stopped.note == "stopped after 1 pages; the next run goes on"
    place.fetch(x.url + SEARCH, **X)
    assert len(ids(place)) == len(set(ids(place))) == 200


def test_links_in_the_header_are_followed(place: Place):
    pages = {"/": '{"id": 1}', "/two": '{"id": 2}'}
    served = Api(lambda path, params: pages[path])
    for _ in serve(served):
        link = {"Link": f'<{served.url}/two>; rel="next"'}
        served.faults = {1: (200, link, pages["/"])}
        place.fetch(f"{served.url}/", paging="link_header")
        assert place.lines() == [{"id": 1}, {"id": 2}]


def test_json_lines_leave_every_character_but_line_breaks():
    assert list(json_lines('{"a": 1.10,\r\n "b": "ü\\n"}')) == ['{"a": 1.10,  "b": "ü\\n"}']
    assert list(json_lines('[1.50, "a]b", [2, 3] , {}]')) == ["1.50", '"a]b"', "[2, 3]", "{}"]
    assert list(json_lines("[]")) == []
