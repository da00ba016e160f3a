"""The story: one function a step, in the order of the data.

Each opens what it reads, calls one leaf, checks, writes, and returns one line for people. Airflow
task id, CLI command (`tessera run STEP`) and step have the same name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from expectations.checks import Suite
from tessera import dbt, gate, runs
from tessera.ingest.load import Loaded
from tessera.ingest.source import Source
from tessera.privacy.key import KeyRefused
from tessera.settings import Settings, SettingsError, secret
from tessera.warehouse import open_warehouse


class StepFailed(RuntimeError):
    """A step cannot go on; the message says what happened, where, and what to do."""


class NotFetched(RuntimeError):
    """Exports could not be fetched; what is in the inbox was loaded. Another try may help."""


# What only a person can mend: trying again would not help.
FINAL = (StepFailed, dbt.DbtFailed, KeyRefused, runs.NothingLoaded, SettingsError)


@dataclass(frozen=True)
class Run:
    """One run of one step."""

    settings: Settings
    as_of: date
    fingerprint: str

    @contextmanager
    def warehouse(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The open warehouse; closed again at the end of the block."""
        with open_run_warehouse(self.settings) as connection:
            yield connection


def load_crm(settings: Settings, secret: Secret) -> str:
    """Contacts, orders, tickets, surveys, campaigns: exports → raw."""
    return _load(settings, "crm", secret)


def load_clickstream(settings: Settings, secret: Secret) -> str:
    """Web and app events: exports → raw."""
    return _load(settings, "clickstream", secret)


def load_social(settings: Settings, secret: Secret) -> str:
    """Posts and follows: exports → raw."""
    return _load(settings, "social", secret)


def check_crm(run: Run) -> str:
    """Gate: are the business's own exports fit for use?"""
    return _check_exports(run, "check_crm")


def check_clickstream(run: Run) -> str:
    """Gate: are the event exports fit for use?"""
    return _check_exports(run, "check_clickstream")


def check_social(run: Run) -> str:
    """Gate: are the social exports fit for use?"""
    return _check_exports(run, "check_social")


def build_staging(run: Run) -> str:
    """Raw → staging: cast, renamed, de-duplicated."""
    return dbt.build(run.settings, "tag:staging", run.as_of)


def score_sentiment(run: Run) -> str:
    """Staging → enriched: the tone of each new text, once a text."""
    from tessera.text.sentiment import score_texts

    with run.warehouse() as connection:
        new = connection.sql(
            "select pseudonym as text_hash, value as text from staging.stg_vault__identifiers "
            "where kind = 'text' and field = 'post_text' and pseudonym not in "
            "(select text_hash from enriched.post_sentiment) order by text_hash"
        ).to_arrow_table()
        scores = pa.table({"text_hash": new["text_hash"], "score": score_texts(new["text"])})
        connection.execute(
            "insert into enriched.post_sentiment "
            "select text_hash, case when not isnan(score) then score end from scores"
        )
    return f"{scores.num_rows:,} new texts"


def build_features(run: Run) -> str:
    """Staging and enriched → features: one row per customer and as-of date."""
    return dbt.build(run.settings, "tag:features", run.as_of)


def check_features(run: Run) -> str:
    """Gate: is every customer described, once, within bounds, with all the revenue?"""
    with run.warehouse() as connection:
        suites = gate.feature_suites(connection, run.as_of)
    return _pass(run, "check_features", suites)


def fit_segments(run: Run) -> str:
    """Features → ml: cluster the customers, name the clusters, write both back."""
    from tessera import fits

    with run.warehouse() as connection:
        customers = fits.read_customers(connection, run.as_of)
    if customers.empty:
        raise StepFailed(f"no customer has a purchase before {run.as_of}: nothing to segment")
    fit = fits.fit(customers, run.settings, run.as_of)
    with run.warehouse() as connection:
        fits.write(connection, fit, run.as_of)
    return f"k = {fit.fitted.k}, silhouette {fit.fitted.silhouette:.3f}"


def build_segments(run: Run) -> str:
    """Features and ml → segments: the tables that people use."""
    return dbt.build(run.settings, "tag:segments", run.as_of)


def check_segments(run: Run) -> str:
    """Gate: may these tables be published?"""
    from expectations.segments.published import suites

    return _pass(run, "check_segments", suites(run.as_of))


def publish(run: Run) -> str:
    """Segments → data/published: a new versioned file, then one swap."""
    from tessera.publish.published import publish as publish_tables

    with run.warehouse() as connection:
        _require_gates(connection)
        return publish_tables(
            connection,
            run.settings.published_dir,
            f"{run.as_of}-{run.fingerprint[:12]}",
            runs.now(),
        )


Secret = Callable[[str], str]
Load = Callable[[Settings, Secret], str]
Work = Callable[[Run], str]
LOADS: dict[str, Load] = {f.__name__: f for f in (load_crm, load_clickstream, load_social)}
WORK: dict[str, Work] = {
    f.__name__: f
    for f in (
        check_crm,
        check_clickstream,
        check_social,
        build_staging,
        score_sentiment,
        build_features,
        check_features,
        fit_segments,
        build_segments,
        check_segments,
        publish,
    )
}
STEPS = [*LOADS, *WORK]
# What a step reads must have been made from the same input: a run for another day may have come
# between two tasks of a DAG. So a step makes what it needs, when it is not there.
NEEDS = {
    "score_sentiment": ("build_staging",),
    "build_features": ("score_sentiment",),
    "check_features": ("build_features",),
    "fit_segments": ("build_features",),
    "build_segments": ("fit_segments", "build_features"),
    "check_segments": ("build_segments",),
    "publish": ("check_segments",),
}
# The data-in gates look at their own exports, whatever the day.
DOORS = {"check_crm": "crm", "check_clickstream": "clickstream", "check_social": "social"}


def _fingerprint(
    connection: duckdb.DuckDBPyConnection, step: str, settings: Settings, as_of: date
) -> str:
    if step in DOORS:
        return runs.fingerprint(connection, settings, None, _kinds(DOORS[step]))
    return runs.fingerprint(connection, settings, as_of)


def open_run_warehouse(
    settings: Settings,
) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """The warehouse of the settings, within their limits."""
    limits = settings.warehouse
    return open_warehouse(settings.warehouse_file, limits.memory_limit, limits.threads)


def _load(settings: Settings, group: str, secret: Secret) -> str:
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
    if not done:
        return "no source of this kind in the settings"
    return "; ".join([_told(done), *notes])


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
        runs.now(),
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


def _check_exports(run: Run, step: str) -> str:
    with run.warehouse() as connection:
        suites = gate.export_suites(connection, _kinds(DOORS[step]))
    return _pass(run, step, suites)


def _kinds(group: str) -> list[str]:
    from tessera.ingest.kinds import KINDS

    return [name for name, kind in KINDS.items() if kind.group == group]


def _pass(run: Run, step: str, suites: Sequence[Suite]) -> str:
    """Check, keep and show what was found; raise StepFailed when a critical check says no."""
    results = gate.check(run.settings, step, suites, run.as_of)
    with run.warehouse() as connection:
        gate.record(connection, step, run.as_of, results)
        page = gate.write_page(connection, run.settings, run.as_of)
    told, stop = gate.verdict(results)
    if stop:
        raise StepFailed(f"{stop}. Nothing was published. All checks: {page}")
    return told


def _require_gates(connection: duckdb.DuckDBPyConnection) -> None:
    """The last word before publishing, whoever asks for it: no gate says no."""
    failing = gate.failing(connection)
    if failing:
        raise StepFailed(f"a gate says no: {failing}. Nothing was published")


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


def run_step(
    name: str, settings: Settings, as_of: date | None = None, secret: Secret = secret
) -> str:
    """Run one step by name, and before it what it needs on the same input and is not there.

    Nothing is done when the step's latest run succeeded on the same input. `as_of` defaults to the
    day after the newest event of the exports. `secret` gives the value of a secret that the
    settings name. Raises NothingLoaded before the first export.
    """
    if name in LOADS:
        return _recorded(name, settings, None, None, lambda: LOADS[name](settings, secret))
    with open_run_warehouse(settings) as connection:
        newest = runs.newest_day(connection)
        day = as_of or newest
        mark = _fingerprint(connection, name, settings, day)
        # Publishing looks itself whether the published file is there.
        if name != "publish" and runs.is_done(connection, name, mark):
            return "unchanged"
    for needed in NEEDS.get(name, ()):
        run_step(needed, settings, day)
    return _recorded(name, settings, day, mark, lambda: WORK[name](Run(settings, day, mark)))


def _recorded(
    name: str, settings: Settings, as_of: date | None, mark: str | None, work: Callable[[], str]
) -> str:
    """Do the work and write it into the run log; what failed is not done, whatever its input."""
    started_at, clock = runs.now(), time.perf_counter()
    failure: Exception | None = None
    try:
        summary = work()
    except (*FINAL, NotFetched) as error:
        summary, mark, failure = f"failed: {error}", None, error
    seconds = time.perf_counter() - clock
    with open_run_warehouse(settings) as connection:
        runs.record(connection, name, as_of, mark, started_at, seconds, summary)
    if failure:
        raise failure
    return summary
