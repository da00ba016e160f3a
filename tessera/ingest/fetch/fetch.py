"""Exports from elsewhere into the inbox: one source, once.

What comes lands as files in `<inbox>/<source>/`; loading them is another matter. What was fetched
is remembered in `<state>/<source>.json`: delete that file to fetch everything again.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tessera.ingest.fetch.failure import FetchFailed
from tessera.ingest.fetch.landing import Landing, landing
from tessera.ingest.fetch.secret import Secrets
from tessera.ingest.fetch.settings import API, DATABASE, Fetch, check, scheme_of

# What decides which rows come, and so whether what was saved still holds.
DECISIVE = {"params", "headers", "since", "paging", "items", "table", "query", "cursor"}
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
SHOWN_FAILURES = 3
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fetched:
    """What one fetch brought.

    files  names below the source's folder
    bytes  their size
    note   what people should know; often empty
    """

    files: tuple[str, ...]
    bytes: int
    note: str = ""


def fetch(
    uri: str,
    options: Fetch,
    source_name: str,
    inbox: Path,
    state: Path,
    secrets: Callable[[str], str],
) -> Fetched:
    """Fetch what is new behind `uri` into the inbox folder of the source.

    secrets  gives the value of a named secret; raises LookupError when it has none

    Raises FetchFailed, whose message names no secret; what came before the failure has landed.
    """
    hidden = Secrets(secrets)
    with hidden.hidden():
        try:
            return _fetch(uri, options, source_name, inbox, state, hidden)
        except FetchFailed as failure:
            said = str(failure)
        except Exception as error:
            LOG.debug("fetching %s failed", source_name, exc_info=True)
            said = f"{type(error).__name__}: {error}"
    # Any library's error may quote an address with its secrets: none is passed on as it is.
    raise FetchFailed(f"{source_name}, from {uri}: {' '.join(hidden.redact(said).split())}")


def _fetch(
    uri: str, options: Fetch, source_name: str, inbox: Path, state: Path, secrets: Secrets
) -> Fetched:
    check(uri, options)
    if not NAME.fullmatch(source_name):
        raise FetchFailed("the source's name is also its folder's: use letters, digits, - and _")
    with landing(inbox, state, source_name) as place:
        if scheme_of(uri) in (*API, *DATABASE):
            return _fetch_marked(uri, options, place, secrets)
        return _fetch_store(uri, options, place, secrets)


def _fetch_marked(uri: str, options: Fetch, place: Landing, secrets: Secrets) -> Fetched:
    """What goes on from a mark, which holds only for the settings it was made with."""
    notes = []
    if place.begin(_fingerprint(uri, options)):
        notes.append("the settings have changed: fetched from the start")
    if scheme_of(uri) in API:
        from tessera.ingest.fetch.api import fetch_api as fetch_new
    else:
        from tessera.ingest.fetch.database import fetch_rows as fetch_new
    files, size, said = fetch_new(uri, options, place, secrets)
    return Fetched(tuple(files), size, "; ".join([*notes, *said]))


def _fetch_store(uri: str, options: Fetch, place: Landing, secrets: Secrets) -> Fetched:
    from tessera.ingest.fetch.stores import fetch_objects

    files, size, failed = fetch_objects(uri, secrets.resolve_all(options.options), place)
    if failed:
        shown = "; ".join(failed[:SHOWN_FAILURES])
        raise FetchFailed(f"{len(failed)} of the files did not come, {len(files)} did: {shown}")
    return Fetched(tuple(files), size)


def _fingerprint(uri: str, options: Fetch) -> str:
    decisive = options.model_dump_json(include=DECISIVE)
    return hashlib.sha256(f"{uri}\n{decisive}".encode()).hexdigest()
