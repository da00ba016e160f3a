"""Secrets: named in the settings, looked up when they are needed, shown to nobody.

`{secret:NAME}` in a setting stands for a value that the caller's resolver knows. Whatever is
written or logged passes `redact`, which puts the reference in the place of the value, so that a
saved link can be used again.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

from tessera.ingest.fetch.failure import FetchFailed

Resolver = Callable[[str], str]

REFERENCE = re.compile(r"\{secret:([A-Za-z0-9_.-]+)\}")
# A shorter value could not be told from the data around it.
SHORTEST_IN_DATA = 8


class Secrets:
    """The secrets of one fetch: those that were asked for are the ones that are hidden.

    >>> secrets = Secrets({"X_BEARER": "abc/123"}.__getitem__)
    >>> secrets.resolve("Bearer {secret:X_BEARER}")
    'Bearer abc/123'
    >>> secrets.redact("GET /posts?token=abc%2F123")
    'GET /posts?token={secret:X_BEARER}'
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._references: dict[str, str] = {}

    def resolve(self, text: str) -> str:
        """The text with the values of the secrets it names.

        Raises FetchFailed when a secret is unknown or empty.
        """
        return REFERENCE.sub(lambda found: self._value(found[1]), text)

    def resolve_url(self, url: str) -> str:
        """The same for a URL: a value is written as a URL writes it."""
        return REFERENCE.sub(lambda found: quote(self._value(found[1]), safe=""), url)

    def resolve_all(self, value: Any) -> Any:
        """`resolve` for every text in nested mappings and lists."""
        return _mapped(self.resolve, value)

    def redact(self, text: str) -> str:
        """The text with each secret, as it is or as a URL or JSON writes it, by its reference."""
        # The longest first: one secret may be the beginning of another.
        for written in sorted(self._references, key=len, reverse=True):
            text = text.replace(written, self._references[written])
        return text

    def redact_all(self, value: Any) -> Any:
        """`redact` for every text in nested mappings and lists."""
        return _mapped(self.redact, value)

    def require_findable(self) -> None:
        """Raise FetchFailed when a secret is too short to be taken out of data."""
        for written, reference in self._references.items():
            if len(written) < SHORTEST_IN_DATA:
                raise FetchFailed(
                    f"{reference} is shorter than {SHORTEST_IN_DATA} characters: it could not be "
                    "told from the data of the responses, which must not hold it"
                )

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Within the block no log record of any library holds a secret."""
        make = logging.getLogRecordFactory()

        def redacted(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = make(*args, **kwargs)
            self._redact_record(record)
            return record

        logging.setLogRecordFactory(redacted)
        try:
            yield
        finally:
            logging.setLogRecordFactory(make)

    def _redact_record(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            return  # not ours to mend: logging itself reports a record whose arguments do not fit
        shown = self.redact(message)
        if shown != message:
            record.msg, record.args = shown, None
        if record.exc_info and record.exc_info[0]:
            trace = logging.Formatter().formatException(record.exc_info)
            if self.redact(trace) != trace:
                record.exc_info, record.exc_text = None, self.redact(trace)

    def _value(self, name: str) -> str:
        try:
            value = self._resolver(name)
        except LookupError:
            value = ""
        if not value:
            raise FetchFailed(
                f"the secret {name} is not known: set the environment variable {name}, or in "
                f"Airflow a connection with this id whose password it is"
            )
        reference = f"{{secret:{name}}}"
        for written in (value, quote(value, safe=""), quote(value), quote_plus(value)):
            self._references[written] = reference
        self._references[json.dumps(value)[1:-1]] = reference
        return value


def _mapped(change: Callable[[str], str], value: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(change, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(change, item) for item in value]
    return value
