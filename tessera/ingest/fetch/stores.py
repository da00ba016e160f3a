"""Files of an object store, a file server or another folder, through fsspec.

An object is copied when it is new or changed: its etag, version, time and size are remembered. One
that changed takes the place of the file it was, as a re-sent export does; the older version stays
in the hidden folder `.replaced`.
"""

from __future__ import annotations

import filecmp
import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from tessera.ingest.fetch.failure import FetchFailed, need
from tessera.ingest.fetch.landing import Landing
from tessera.ingest.fetch.settings import STORES, scheme_of
from tessera.ingest.files import UNFINISHED

CHUNK_BYTES = 8 * 1024**2
# The state is saved after so many objects: a crash copies at most these again, under equal names.
SAVE_EVERY = 100
REPLACED = ".replaced"
# What a store may call the identity of an object's content.
MARKS = ("ETag", "etag", "md5Hash", "content_md5", "LastModified", "last_modified", "mtime")
MARKS_AND_SIZE = (*MARKS, "updated", "version_id", "generation", "size")


@dataclass(frozen=True)
class Object:
    """One file of the store: `path` is the store's, `name` is below the fixed part of the URI."""

    path: str
    name: str
    size: int | None
    mark: str


def fetch_objects(
    uri: str, options: dict[str, Any], landing: Landing
) -> tuple[list[str], int, list[str]]:
    """Copy what is new; return the names of the files, their bytes, and what failed."""
    store, pattern = _open(uri, options)
    known: dict[str, str] = dict(landing.saved)
    names: list[str] = []
    size, failed = 0, []
    try:
        for count, found in enumerate(_found(store, pattern, is_first=not known), start=1):
            if known.get(found.name) == found.mark:
                continue
            try:
                size += _land(store, found, landing, names)
            except (OSError, FetchFailed) as error:
                failed.append(f"{found.name}: {error}")
                continue
            known[found.name] = found.mark
            if count % SAVE_EVERY == 0:
                landing.save(known)
    finally:
        landing.save(known)
    return names, size, failed


def _land(store: Any, found: Object, landing: Landing, names: list[str]) -> int:
    """Copy an object into its place and add its name; return its bytes, 0 when they were there."""
    _check_name(found.name)
    part, place = landing.part(found.name), landing.folder / found.name
    _copy(store, found, part)
    if place.is_file():
        # The same bytes come again after a crash, or where only an object's labels changed.
        if filecmp.cmp(part, place, shallow=False):
            part.unlink()
            return 0
        _put_aside(place, landing.folder)
    names.append(found.name)
    return landing.land(found.name)


def _put_aside(place: Path, folder: Path) -> None:
    aside = folder / REPLACED / place.relative_to(folder)
    aside.parent.mkdir(parents=True, exist_ok=True)
    names = (aside.with_name(f"{aside.name}.{number}") for number in itertools.count(1))
    place.rename(next(name for name in names if not name.exists()))


def _open(uri: str, options: dict[str, Any]) -> tuple[Any, str]:
    try:
        store, path = fsspec.url_to_fs(uri, **options)
    except ImportError as error:
        extra = STORES.get(scheme_of(uri), "")
        if not extra:
            raise FetchFailed(f"the library for {scheme_of(uri)}:// is missing: {error}") from None
        raise need(f"the library for {scheme_of(uri)}://", extra) from None
    return store, path + ("/" if uri.endswith("/") and not path.endswith("/") else "")


def _found(store: Any, pattern: str, is_first: bool) -> list[Object]:
    """The objects of the pattern in the order of their names.

    Raises FetchFailed when the first look finds nothing: a mistake is likelier than an empty store.
    """
    # fsspec keeps listings: a run in a long-lived worker would see the past.
    store.invalidate_cache()
    wanted = pattern
    if not _is_glob(pattern) and (pattern.endswith("/") or store.isdir(pattern)):
        wanted = f"{pattern.rstrip('/')}/**"
    fixed = _fixed_part(wanted)
    found = {
        path.removeprefix(fixed): Object(path, path.removeprefix(fixed), info["size"], _mark(info))
        for path, info in sorted(store.glob(wanted, detail=True).items())
        if info["type"] == "file"
    }
    if is_first and not found:
        raise FetchFailed("nothing is there: check the uri, and what the credentials may list")
    return [thing for name, thing in found.items() if not _is_unfinished(name)]


def _is_glob(path: str) -> bool:
    return any(character in path for character in "*?[")


def _fixed_part(pattern: str) -> str:
    """The folder before the first part with a wildcard; of a plain path the folder it is in.

    >>> _fixed_part("bucket/exports/2026-*/orders.csv")
    'bucket/exports/'
    """
    parts = pattern.split("/")
    count = next((i for i, part in enumerate(parts) if _is_glob(part)), len(parts) - 1)
    return "".join(f"{part}/" for part in parts[:count])


def _is_unfinished(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name.endswith(UNFINISHED) or any(part.startswith(".") and part != ".." for part in parts)


def _check_name(name: str) -> None:
    if not name or ".." in PurePosixPath(name).parts or "\0" in name or name.startswith("/"):
        raise FetchFailed("no file of the inbox can be called so")


def _mark(info: dict[str, Any]) -> str:
    return "|".join(f"{key}={info[key]}" for key in MARKS_AND_SIZE if info.get(key) is not None)


def _copy(store: Any, found: Object, part: Path) -> None:
    with store.open(found.path, "rb") as source, part.open("wb") as target:
        shutil.copyfileobj(source, target, CHUNK_BYTES)
    size = part.stat().st_size
    if found.size is not None and size != found.size:
        raise FetchFailed(
            f"{size:,} bytes came instead of {found.size:,}: it changed meanwhile; "
            "the next run fetches it"
        )
