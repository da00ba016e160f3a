"""Exports → raw: what the load steps and `tessera quarantine retry` do, and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from tessera import runs
from tessera.ingest.load import Loaded
from tessera.ingest.source import Source
from tessera.runs import StepFailed, open_run_warehouse
from tessera.settings import Settings

Secret = Callable[[str], str]


class NotFetched(RuntimeError):
    """Exports could not be fetched; what is in the inbox was loaded. Another try may help."""


def load_group(settings: Settings, group: str, secret: Secret) -> str:
    """Fetch and load the sources of one group; orders, new or known, must be there.

    Raises NotFetched when a source could not be fetched, after all that is there was loaded.
    """
    from tessera.ingest.load import create_raw_tables

    sources = {n: s for n, s in settings.sources.items() if s.group == group}
    notes, failures = _fetch(settings, sources, secret)
    with open_run_warehouse(settings) as connection:
        create_raw_tables(connection)
        done = [_load_source(connection, settings, name) for name in sources]
        if failures:
            raise NotFetched("; ".join([*failures, f"loaded all the same: {_told(done)}"]))
        if group == "crm":
            _require_orders(connection, settings)
        stale = _stale(connection, sources, settings.stale_after_days) if done else ""
        doubts = [doubt for doubt in (_clock_went_back(connection), stale) if doubt]
    if not done:
        return "no source of this kind in the settings"
    told = "; ".join([*doubts, _told(done), *notes])
    return f"warning: {told}" if doubts else told


def _newest_load(connection: duckdb.DuckDBPyConnection) -> datetime:
    row = connection.execute("select max(loaded_at) from ops.loads").fetchone()
    return (row and row[0]) or datetime.min


def _clock_went_back(connection: duckdb.DuckDBPyConnection) -> str:
    """That the clock is a day or more behind a load, when it is."""
    now, newest = runs.now(), _newest_load(connection)
    if newest - now < timedelta(days=1):
        return ""
    return (
        f"the clock says {now:%Y-%m-%d %H:%M}, but a load before was at {newest:%Y-%m-%d %H:%M}: "
        "set it right; then `tessera quarantine retry` loads what was refused as in the future"
    )


def _stale(connection: duckdb.DuckDBPyConnection, sources: Collection[str], days: int) -> str:
    """For how long nothing new has come from any of the sources, when that is too long.

    By the clock, and said to people only: what is computed never depends on it.
    """
    row = connection.execute(
        "select max(loaded_at) from ops.loads where source in ? and rows_loaded > 0",
        [list(sources)],
    ).fetchone()
    if not row or row[0] is None or (age := (runs.now() - row[0]).days) < days:
        return ""
    return f"nothing new has come for {age} days from {', '.join(sorted(sources))}"


def _fetch(
    settings: Settings, sources: Mapping[str, Source], secret: Secret
) -> tuple[list[str], list[str]]:
    """Fetch what is new into the inbox; return what to tell, and what failed."""
    from tessera.ingest.fetch.failure import FetchFailed
    from tessera.ingest.fetch.fetch import fetch

    notes, failures = [], []
    for name, source in sources.items():
        if not source.uri:
            continue
        try:
            fetched = fetch(
                source.uri, source.fetch, name, settings.inbox_dir, settings.state_dir, secret
            )
        except FetchFailed as failure:
            failures.append(str(failure))
        else:
            notes += [f"{name}: {fetched.note}"] if fetched.note else []
    return notes, failures


def retry(settings: Settings, source_name: str, repaired: Path | None = None) -> str:
    """Load the files of a source with refused rows anew, under the settings of now.

    `repaired` holds rows mended by hand, as `tessera.ingest.repairs.export` wrote them.
    Raises LookupError for an unknown source, StepFailed when a file is not in the inbox any more.
    """
    from tessera.ingest import repairs
    from tessera.ingest.load import create_raw_tables

    if source_name not in settings.sources:
        raise LookupError(f"no source is called '{source_name}' in the settings")
    with open_run_warehouse(settings) as connection:
        create_raw_tables(connection)
        if repaired:
            files = repairs.keep(connection, source_name, repaired)
        else:
            files = repairs.files_with_refused_rows(connection, source_name)
        gone = [file for file in files if not (settings.inbox_dir / file).is_file()]
        if gone:
            raise StepFailed(
                f"not in the inbox {settings.inbox_dir} any more: {', '.join(gone)}. Put them back "
                "to load them anew"
            )
        told = _load_source(connection, settings, source_name, again=files) if files else None
    return _told([told]) if told else f"{source_name} has no refused rows"


def _load_source(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    name: str,
    again: Sequence[str] = (),
) -> Loaded:
    from tessera.ingest.load import load_source

    return load_source(
        connection,
        settings.inbox_dir,
        name,
        settings.sources[name],
        # No row lies in the future because the clock has gone back.
        max(runs.now(), _newest_load(connection)),
        currencies=settings.currencies,
        settle_seconds=settings.settle_seconds,
        again=again,
    )


def _told(done: Sequence[Loaded]) -> str:
    """What became of the files and rows, in one line; the unusual only when it is there."""
    files, rows = sum(d.files_loaded for d in done), sum(d.rows_loaded for d in done)
    told = [
        f"{files:,} new files, {rows:,} rows loaded",
        f"{sum(d.rows_quarantined for d in done):,} in quarantine",
    ]
    for count, what in (
        (sum(d.rows_already_there for d in done), "already there"),
        (sum(d.files_refused for d in done), "files refused: see `tessera doctor`"),
        (sum(len(d.growing) for d in done), "files still growing, left for the next run"),
        (sum(len(d.drift) for d in done), "columns new or missing: see `tessera doctor`"),
    ):
        if count:
            told.append(f"{count:,} {what}")
    return ", ".join(told)


def _require_orders(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    loaded = connection.execute(
        "select count(*) from ops.loads where kind in ('orders', 'order_lines') and rows_loaded > 0"
    ).fetchone()
    if loaded and loaded[0]:
        return
    looked = [
        s.files for s in settings.sources.values() if {"orders", "order_lines"} & set(s.kinds)
    ]
    reasons = connection.execute("select file, reason from quarantine.files limit 3").fetchall()
    refused = "".join(f" Refused: {file}: {reason}." for file, reason in reasons)
    raise StepFailed(
        f"no orders: nothing was loaded from {', '.join(looked)} in {settings.inbox_dir}.{refused}"
        " Put the exports there, or mend `files` and `columns` in the settings"
    )
