"""The key of the pseudonyms: given by the environment, or kept in a file of its own.

It never lies in the warehouse, which keeps a fingerprint only: under another key every customer
would have another pseudonym, and what was known of her before would no longer be hers.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path

import duckdb

from tessera.privacy.pseudonym import define_function, fingerprint

VARIABLE = "TESSERA_PSEUDONYM_KEY"
SHORTEST = 32


class KeyRefused(RuntimeError):
    """The key is missing, too short, or not that of the warehouse."""


def key_of_warehouse(
    connection: duckdb.DuckDBPyConnection, given: str | None, file: Path, at: datetime
) -> str:
    """The key that a warehouse's pseudonyms are made with: `given`, else that of `file`.

    A warehouse without pseudonyms takes any key, and a new one is written to `file` when there is
    none; from then on it knows its key by the fingerprint. `at` is naive UTC. Raises KeyRefused.
    """
    key = given or _read(file)
    known = connection.execute("select fingerprint from ops.pseudonym_key").fetchone()
    if known is None:
        key = _long_enough(key or _write_new(file))
        _remember(connection, key, at)
    elif key is None:
        raise KeyRefused(
            f"the key of this warehouse's pseudonyms is missing: set {VARIABLE}, or put the file "
            f"{file} back. Without it, start with a new warehouse and the same exports"
        )
    elif fingerprint(key) != known[0]:
        raise KeyRefused(
            f"the key in {VARIABLE if given else file} is not the one this warehouse was made "
            "with: every customer would get another id. Give the old key, or start with a new "
            "warehouse and the same exports"
        )
    return key


def _remember(connection: duckdb.DuckDBPyConnection, key: str, at: datetime) -> None:
    """Note the fingerprint; ids and texts from before there were pseudonyms become some."""
    define_function(connection, key)
    connection.execute("begin")
    connection.execute("update ml.assignments set customer_id = pseudonym('customer', customer_id)")
    connection.execute("delete from enriched.text_scores")
    connection.execute("insert into ops.pseudonym_key values (?, ?)", [fingerprint(key), at])
    connection.execute("commit")


def _long_enough(key: str) -> str:
    if len(key) < SHORTEST:
        raise KeyRefused(
            f"{VARIABLE} has {len(key)} characters: a key that cannot be guessed has at least "
            f"{SHORTEST}, such as those of `openssl rand -hex 32`"
        )
    return key


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8").strip() or None if file.is_file() else None


def _write_new(file: Path) -> str:
    """Make a key file that only its owner may read; another process may have been quicker."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(secrets.token_hex(32) + "\n")
    try:
        os.link(unfinished, file)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    return _read(file) or ""
