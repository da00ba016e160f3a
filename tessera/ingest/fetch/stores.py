"""Files of an object store, a file server or another folder, through fsspec.

An object is copied when it is new or changed: its etag, version, time and size are remembered. One
that changed lands beside its older version, so that every load can be replayed.
"""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Iterator
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
PACKED = (".gz", ".zst")
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
    known: dict[str, list[Any]] = dict(landing.saved)
    names: list[str] = []
    size, failed = 0, []
    try:
        for count, found in enumerate(_found(store, pattern), start=1):
            try:
                landed = _land(store, found, known, landing)
            except (OSError, FetchFailed) as error:
                failed.append(f"{found.name}: {error}")
                continue
            names += [name for name, _ in landed]
            size += sum(size for _, size in landed)
            if count % SAVE_EVERY == 0:
                landing.save(known)
    finally:
        landing.save(known)
    return names, size, failed


def _land(
    store: Any, found: Object, known: dict[str, list[Any]], landing: Landing
) -> list[tuple[str, int]]:
    """Copy an object that is new or changed; its name and bytes, or nothing."""
    mark, version = known.get(found.name, ("", 0))
    if mark == found.mark:
        return []
    name, older = _versioned(found.name, version + 1), _versioned(found.name, version)
    _copy(store, found, landing.part(name))
    # Some stores give an object a new mark when only its labels changed.
    if version and _equal(landing.part(name), landing.folder / older):
        landing.part(name).unlink()
        known[found.name] = [found.mark, version]
        return []
    size = landing.land(name)
    known[found.name] = [found.mark, version + 1]
    return [(name, size)]


def _open(uri: str, options: dict[str, Any]) -> tuple[Any, str]:
    try:
        store, path = fsspec.url_to_fs(uri, **options)
    except ImportError as error:
        extra = STORES.get(scheme_of(uri), "")
        if not extra:
            raise FetchFailed(f"the library for {scheme_of(uri)}:// is missing: {error}") from None
        raise need(f"the library for {scheme_of(uri)}://", extra) from None
    return store, path + ("/" if uri.endswith("/") and not path.endswith("/") else "")


def _found(store: Any, pattern: str) -> Iterator[Object]:
    """The objects of the pattern in the order of their names. Raises FetchFailed without any."""
    # fsspec keeps listings: a run in a long-lived worker would see the past.
    store.invalidate_cache()
    wanted = pattern
    if not _is_glob(pattern) and (pattern.endswith("/") or store.isdir(pattern)):
        wanted = f"{pattern.rstrip('/')}/**"
    fixed = _fixed_part(wanted)
    found = store.glob(wanted, detail=True)
    if not found:
        raise FetchFailed(
            "nothing is there: check the uri, and whether the credentials may list it"
        )
    for path, info in sorted(found.items()):
        name = path[len(fixed) :].lstrip("/") if path.startswith(fixed) else path
        if info["type"] == "file" and not _is_unfinished(name):
            yield Object(path, _safe(name), info.get("size"), _mark(info))


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


def _safe(name: str) -> str:
    if not name or ".." in PurePosixPath(name).parts or "\0" in name:
        raise FetchFailed(f"an object is called {name!r}: no file of the inbox can be called so")
    return name


def _mark(info: dict[str, Any]) -> str:
    return "|".join(f"{key}={info[key]}" for key in MARKS_AND_SIZE if info.get(key) is not None)


def _versioned(name: str, version: int) -> str:
    """The name of a version: it sorts behind the earlier ones, and keeps its ending.

    >>> _versioned("2026/orders.csv.gz", 1), _versioned("2026/orders.csv.gz", 2)
    ('2026/orders.csv.gz', '2026/orders.v0002.csv.gz')
    """
    if version == 1:
        return name
    path = PurePosixPath(name)
    packed = path.suffix if path.suffix in PACKED else ""
    plain = PurePosixPath(path.name.removesuffix(packed))
    return str(path.with_name(f"{plain.stem}.v{version:04}{plain.suffix}{packed}"))


def _equal(new: Path, older: Path) -> bool:
    return older.is_file() and filecmp.cmp(new, older, shallow=False)


def _copy(store: Any, found: Object, part: Path) -> None:
    with store.open(found.path, "rb") as source, part.open("wb") as target:
        shutil.copyfileobj(source, target, CHUNK_BYTES)
    size = part.stat().st_size
    if found.size is not None and size != found.size:
        raise FetchFailed(
            f"{size:,} bytes came instead of {found.size:,}: it changed meanwhile; "
            "the next run fetches it"
        )
