"""Requests that are tried again, and how long that may take.

Tried again: 429, 5xx, connections that fail or break off, and refusals that the settings name
(`retry_on`). The server's own word on when (`Retry-After`, `x-rate-limit-reset`) goes before
exponential back-off with full jitter. Attempts and the time spent waiting are bounded.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity

from tessera.ingest.fetch.failure import FetchFailed

BUSY = (429, *range(500, 600))
BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
BACKOFF = tenacity.wait_random_exponential(multiplier=1, max=60)

RetryOn = Mapping[str, Sequence[str | int | bool]]
SHOWN_BODY = 300


class Refused(FetchFailed):
    """The server's answer is no response to keep; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TimeoutSession(requests.Session):
    """A session whose requests never wait for ever; `timeout` is in seconds of silence."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self.timeout = timeout

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send with the session's timeout when the caller gives none."""
        kwargs["timeout"] = kwargs.get("timeout") or self.timeout
        return super().send(request, **kwargs)


def retrying_session(
    attempts: int, max_wait: float, timeout: float, retry_on: RetryOn
) -> requests.Session:
    """A session that tries again, and whose responses are JSON and no refusals.

    Sending raises Refused for an answer that stays bad, FetchFailed for a server that is not there.

    max_wait  seconds that the waits before one response may take together; a longer wait that the
              server asks for is not begun
    """
    session = TimeoutSession(timeout)
    retry = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(BROKEN)
        | tenacity.retry_if_result(lambda response: is_busy(response, retry_on)),
        wait=_wait,
        stop=tenacity.stop_after_attempt(attempts) | tenacity.stop_before_delay(max_wait),
        retry_error_callback=_last,
    )
    send = retry.wraps(session.send)

    def checked(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        try:
            response = send(request, **kwargs)
        except requests.RequestException as error:
            raise FetchFailed(f"the server does not answer: {error}") from None
        if not response.is_redirect:
            _check(response, retry_on)
        return response

    session.send = checked  # type: ignore[method-assign]
    return session


def _check(response: requests.Response, retry_on: RetryOn) -> None:
    status = response.status_code
    if response.ok and _body(response) is not None:
        return
    said = " ".join(response.text.split())[:SHOWN_BODY]
    answer = f"{urlsplit(response.url).path} answered {status} {response.reason}: {said}"
    if response.ok:
        raise Refused(f"{answer} — this is no JSON", status)
    if status == requests.codes.too_many_requests:
        asked = asked_wait(response)
        wait = "" if asked is None else f", which asks to wait {asked:,.0f} s"
        raise Refused(f"rate limit: {answer}{wait}. The next run goes on from here", status)
    if is_busy(response, retry_on):
        raise Refused(f"{answer}. Tried again in vain; the next run goes on from here", status)
    raise Refused(f"{answer}. It would say so again: mend the settings or the credentials", status)


def is_busy(response: requests.Response, retry_on: RetryOn) -> bool:
    """Whether the server may answer the same request well later."""
    if response.status_code in BUSY:
        return True
    body = _body(response)
    if response.ok:
        # Broken off where the server names no length, or a proxy's page of apology.
        return body is None and not response.is_redirect
    return any(_at(body, path) in values for path, values in retry_on.items())


def asked_wait(response: requests.Response) -> float | None:
    """Seconds that the server asks to wait, or None when it does not say.

    `Retry-After` is seconds or a date; `x-rate-limit-reset` is a Unix time.
    """
    after = response.headers.get("Retry-After", "").strip()
    if after.isdigit():
        return float(after)
    try:
        if after:
            return max(parsedate_to_datetime(after).timestamp() - time.time(), 0)
        if response.status_code == requests.codes.too_many_requests:
            return max(float(response.headers["x-rate-limit-reset"]) - time.time(), 0)
    except (KeyError, ValueError, TypeError):
        return None
    return None


def _wait(state: tenacity.RetryCallState) -> float:
    assert state.outcome is not None
    if not state.outcome.failed:
        asked = asked_wait(state.outcome.result())
        if asked is not None:
            # A moment more: many clients may have been told the same second.
            return asked + float(BACKOFF(state)) / 10
    return float(BACKOFF(state))


def _last(state: tenacity.RetryCallState) -> Any:
    assert state.outcome is not None
    return state.outcome.result()


def _body(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _at(body: Any, path: str) -> Any:
    for member in path.split("."):
        body = body.get(member) if isinstance(body, dict) else None
    return body
