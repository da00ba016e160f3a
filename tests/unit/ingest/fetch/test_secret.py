"""No secret is written, logged or said: not its value, not as a URL or JSON writes it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tessera.ingest.fetch.failure import FetchFailed
from tessera.ingest.fetch.secret import Secrets
from tests.unit.ingest.fetch.conftest import Place
from tests.unit.ingest.fetch.served import Api

TOKEN = 'a "token"/of+the API'


def written() -> list[str]:
    """Every way in which the token may be written."""
    return [TOKEN, quote(TOKEN), quote(TOKEN, safe=""), quote_plus(TOKEN), json.dumps(TOKEN)[1:-1]]


@pytest.fixture
def echo() -> Iterator[Api]:
    """An API that says the token back wherever it can."""

    def answer(path: str, params: dict[str, str]) -> Any:
        return {
            "data": [{"said": params.get("access_token")}],
            "next": f"{served.url}/next?access_token={quote_plus(TOKEN)}&page=2",
        }

    served = Api(answer, TOKEN)
    served.start()
    yield served
    served.stop()


def options(**more: Any) -> dict[str, Any]:
    return {
        "params": {"access_token": "{secret:API_TOKEN}"},
        "paging": "link",
        "next": "next",
        "max_pages": 2,
        **more,
    }


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (None, "names the page itself"),
        ((500, {}, f"you sent {TOKEN} and {quote(TOKEN)}"), "answered 500"),
        ((403, {}, json.dumps({"error": TOKEN})), "answered 403"),
        ((200, {}, f"<html>{TOKEN}</html>"), "no JSON"),
        ("drop", "the server does not answer"),
    ],
)
def test_nothing_that_is_written_logged_or_said_holds_it(echo, place: Place, caplog, fault, said):
    caplog.set_level(logging.DEBUG)
    if fault:
        echo.faults = {2: fault}
    with pytest.raises(FetchFailed, match=said) as raised:
        place.fetch(f"{echo.url}/a", lambda name: TOKEN, **options(attempts=1, max_pages=9))
    shown = caplog.text + str(raised.value) + place.everything_written()
    assert "GET /a" in caplog.text  # the log was listened to
    assert "{secret:API_TOKEN}" in shown
    assert not [form for form in written() if form in shown]
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None  # nor does a traceback show what was raised before


def test_a_saved_state_and_its_files_hold_the_reference(echo, place: Place):
    place.fetch(f"{echo.url}/a", lambda name: TOKEN, **options(max_pages=1))
    state = json.loads((place.state / "feed.json").read_text())
    assert state["saved"]["next"]["url"].endswith("/next?access_token={secret:API_TOKEN}&page=2")
    assert place.lines()[0]["data"] == [{"said": "{secret:API_TOKEN}"}]


def test_a_traceback_in_the_log_holds_none(caplog):
    secrets = Secrets(lambda name: TOKEN)
    secrets.resolve("{secret:API_TOKEN}")
    with secrets.hidden():
        try:
            raise ValueError(f"could not use {TOKEN}")
        except ValueError:
            logging.getLogger("some.library").exception("with %s", TOKEN)
    assert TOKEN not in caplog.text
    assert "could not use {secret:API_TOKEN}" in caplog.text


@pytest.mark.parametrize("resolver", [{}.__getitem__, lambda name: ""])
def test_an_unknown_secret_says_where_it_is_looked_for(place: Place, resolver):
    with pytest.raises(FetchFailed, match="set the environment variable API_TOKEN"):
        place.fetch("https://api.example.com/a", resolver, token="{secret:API_TOKEN}")


def test_a_secret_that_cannot_be_told_from_data_is_refused(place: Place):
    with pytest.raises(FetchFailed, match="shorter than 8 characters"):
        place.fetch("https://api.example.com/a", lambda name: "ab", token="{secret:API_TOKEN}")
