"""The run log: what a step was run on, so that nothing is done twice on the same input."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb

from tessera.privacy.key import key_of_warehouse
from tessera.settings import SECRETS, Settings
from tessera.warehouse import open_warehouse

ROOT = Path(__file__).resolve().parents[1]
CODE = ("tessera", "models", "expectations", "dbt_project")


class StepFailed(RuntimeError):
    """A step cannot go on; the message says what happened, where, and what to do."""


class NothingLoaded(RuntimeError):
    """There is no order to work on."""


def open_run_warehouse(
    settings: Settings,
) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """The warehouse of the settings, within their limits."""
    limits = settings.warehouse
    return open_warehouse(settings.warehouse_file, limits.memory_limit, limits.threads)


def pseudonym_key(connection: duckdb.DuckDBPyConnection, settings: Settings) -> str:
    """The key that the warehouse's pseudonyms are made with. Raises KeyRefused."""
    secret = settings.pseudonym_key
    given = secret.get_secret_value() if secret else None
    return key_of_warehouse(connection, given, settings.key_file, now())


def now() -> datetime:
    """Naive UTC, for `loaded_at`, `checked_at` and the like; never for what is computed."""
    return datetime.now(UTC).replace(tzinfo=None)


def newest_day(connection: duckdb.DuckDBPyConnection) -> date:
    """The day after the newest event in all that was loaded. Raises NothingLoaded."""
    row = connection.execute("select max(newest_event_at) from ops.loads").fetchone()
    if row is None or row[0] is None:
        raise NothingLoaded(
            "no export with a dated row has been loaded. See `tessera doctor` for what became "
            "of the files in the inbox"
        )
    return row[0].date() + timedelta(days=1)


def fingerprint(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    as_of: date | None,
    kinds: Collection[str] | None = None,
) -> str:
    """Hash of all that decides a step's outcome: loaded files, settings, code and `as_of`.

    A step that looks at some kinds of export only, whatever the day, gives those and no `as_of`.
    """
    loaded = connection.execute(
        "select string_agg(concat_ws(':', source, content_hash, kind, rows_loaded), ',' "
        "order by source, content_hash, kind) "
        "from ops.loads where status = 'loaded' and (?1 is null or list_contains(?1, kind))",
        [None if kinds is None else list(kinds)],
    ).fetchone()
    told = settings.model_dump_json(exclude={"data_dir", "inbox", "warehouse", *SECRETS})
    words = connection.execute(
        "select (select max(override_id) from ops.identity_overrides), "
        "(select max(word) from ops.model_words), "
        "(select max(rename_id) from ops.segment_renames)"
    ).fetchone()
    parts = (
        str(loaded and loaded[0]),
        str(words),
        told,
        code_version(CODE),
        str(as_of),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def code_version(folders: tuple[str, ...]) -> str:
    """Hash of the code in these folders of the project."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".sql", ".yml", ".j2") and "target" not in path.parts:
                digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def is_done(connection: duckdb.DuckDBPyConnection, step: str, mark: str) -> bool:
    """Whether the step's latest run succeeded, and on this fingerprint; the clock has no say."""
    row = connection.execute(
        "select fingerprint from ops.step_runs where step = ? order by rowid desc limit 1",
        [step],
    ).fetchone()
    return row is not None and row[0] == mark


def begin(connection: duckdb.DuckDBPyConnection, step: str) -> None:
    """From now on the step is not done: a run that is killed half-way may have written a part."""
    connection.execute(
        "update ops.step_runs set fingerprint = null where step = ? and fingerprint is not null",
        [step],
    )


def record(
    connection: duckdb.DuckDBPyConnection,
    step: str,
    as_of: date | None,
    mark: str | None,
    started_at: datetime,
    seconds: float,
    summary: str,
) -> None:
    """Write a run into the run log; a failed one has no fingerprint, so it is never done."""
    connection.execute(
        "insert into ops.step_runs values (?, ?, ?, ?, ?, ?)",
        [step, as_of, mark, started_at, round(seconds, 3), summary],
    )
