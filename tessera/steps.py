"""The story: one function a step, in the order of the data.

Each opens what it reads, calls one leaf, checks, writes, and returns one line for people. Airflow
task id, CLI command (`tessera run STEP`) and step have the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial

import duckdb

from tessera import dbt, gate, lineage, loads, runs, storage
from tessera.privacy.key import KeyRefused
from tessera.publish.refusals import NotServed
from tessera.recording import Step, recorded
from tessera.registry import ModelRefused
from tessera.runs import StepFailed, open_run_warehouse
from tessera.settings import Settings, SettingsError, secret
from tessera.warehouse import hold, open_published

# What only a person can mend: trying again would not help.
FINAL = (
    StepFailed, dbt.DbtFailed, KeyRefused, runs.NothingLoaded, SettingsError, ModelRefused
)  # fmt: skip
# What another try may mend.
PASSING = (loads.NotFetched, NotServed)


# The dbt models that people read.
SEGMENTS = "tag:segments"


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


def load_crm(settings: Settings, secret: loads.Secret) -> str:
    """Contacts, orders, tickets, surveys, campaigns: exports → raw."""
    return loads.load_group(settings, "crm", secret)


def load_clickstream(settings: Settings, secret: loads.Secret) -> str:
    """Web and app events: exports → raw."""
    return loads.load_group(settings, "clickstream", secret)


def load_social(settings: Settings, secret: loads.Secret) -> str:
    """Posts and follows: exports → raw."""
    return loads.load_group(settings, "social", secret)


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
    from tessera.ingest.load import create_raw_tables

    with run.warehouse() as connection:
        # A newer version of Tessera may know kinds and columns that no load has made yet.
        create_raw_tables(connection)
    return dbt.build(run.settings, "tag:staging", run.as_of)


def resolve_identity(run: Run) -> str:
    """Staging → enriched: which accounts, e-mail addresses and handles are one customer."""
    from tessera import identities

    with run.warehouse() as connection:
        secret = runs.pseudonym_key(connection, run.settings)
        told = run.settings.identity
        return identities.resolve(connection, run.as_of, told, runs.now(), secret)


def score_texts(run: Run) -> str:
    """Staging → enriched: language, tone and signals of each new text, once a text."""
    from tessera import texts

    with run.warehouse() as connection:
        return str(texts.score(connection, run.settings))


def find_topics(run: Run) -> str:
    """Staging → enriched: what people write about."""
    from tessera import topics

    with run.warehouse() as connection:
        return topics.find(connection, run.settings.topics, run.as_of)


def find_communities(run: Run) -> str:
    """Staging → enriched: who belongs together, who is heard, who connects."""
    from tessera import networks

    with run.warehouse() as connection:
        return networks.find(connection, run.settings.network, run.as_of)


def restate_features(run: Run) -> str:
    """Staging and enriched → ml: what the run before would have known, had nothing come late."""
    from tessera import restating

    return restating.restate(run.settings, run.as_of)


def build_features(run: Run) -> str:
    """Staging and enriched → features: one row per customer and as-of date."""
    return dbt.build(run.settings, "tag:features", run.as_of)


def check_features(run: Run) -> str:
    """Gate: is every customer described, once, within bounds, with all the revenue?"""
    with run.warehouse() as connection:
        suites = gate.feature_suites(connection, run.as_of)
    return gate.ask(run.settings, "check_features", suites, run.as_of)


def find_outliers(run: Run) -> str:
    """Features → ml: the customers who are unlike all others, and in what."""
    from tessera import outliers

    with run.warehouse() as connection:
        return outliers.find(connection, run.settings, run.as_of)


def fit_segments(run: Run) -> str:
    """Features → ml: cluster the customers anew; the challenger, which assigns nobody yet."""
    from tessera import fits

    with run.warehouse() as connection:
        customers = fits.read_customers(connection, run.as_of)
        champion = fits.in_use(connection, run.settings, run.as_of)
    if customers.empty:
        raise StepFailed(f"no customer has a purchase before {run.as_of}: nothing to segment")
    fit = fits.fit(customers, run.settings, run.as_of, champion)
    with run.warehouse() as connection:
        fits.write(connection, fit, run.settings, run.as_of, runs.now())
    return f"{fit.model_id}: k = {fit.fitted.k}, silhouette {fit.fitted.silhouette:.3f}"


def assign_segments(run: Run) -> str:
    """Features and ML models → ml: judge the fit, put every customer into a segment."""
    from tessera import assignments, explanations, fits, restating, scorecards

    with run.warehouse() as connection:
        customers = fits.read_customers(connection, run.as_of)
        done = assignments.assign(connection, run.settings, customers, run.as_of, runs.now())
        restating.remember(connection, run.settings, run.as_of)
        judged = gate.results_of_fit(done.reasons)
        gate.record(connection, "assign_segments", run.as_of, judged)
        told = (customers, run.settings, run.as_of, done.stability)
        scorecards.judge(connection, done.week.fitted.preparation, *told)
        explanations.explain(connection, customers, done.week, run.as_of)
    return done.told


def analyse_behaviour(run: Run) -> str:
    """Features and their sources → ml: how customers go, in tables for analysts."""
    from tessera import behaviour

    with run.warehouse() as connection:
        return behaviour.analyse(connection, run.settings, run.as_of)


def apply_rules(run: Run) -> str:
    """Features and segments → ml: who meets the declared rules, what has just begun to hold."""
    from tessera import rules

    with run.warehouse() as connection:
        return rules.apply(connection, run.settings, run.as_of)


def build_segments(run: Run) -> str:
    """Features and ml → segments: the tables that people use."""
    return dbt.build(run.settings, SEGMENTS, run.as_of)


def check_segments(run: Run) -> str:
    """Gate: may these tables be published?"""
    from expectations.segments.published import suites

    return gate.ask(run.settings, "check_segments", suites(run.as_of), run.as_of)


def publish(run: Run) -> str:
    """Segments → data/published: a new versioned file, then one swap."""
    from tessera import contract
    from tessera.publish.about import About
    from tessera.publish.published import publish as publish_tables

    name = f"{run.as_of}-{run.fingerprint[:12]}"
    about = About(name, run.as_of, runs.now(), contract.version())
    with run.warehouse() as connection:
        gate.require(connection)
        tables = dbt.tables(connection, SEGMENTS, "segments")
        return publish_tables(connection, run.settings.published_dir, about, tables)


def serve(run: Run) -> str:
    """Published file → PostgreSQL, for BI tools that want a server; off unless one is named."""
    from tessera.publish import postgres

    url = run.settings.serving_url
    if url is None:
        return "off: TESSERA_SERVING_URL is not set"
    with open_published(run.settings.published_file) as published:
        return postgres.serve(published, url.get_secret_value())


def write_report(run: Run) -> str:
    """Segments, ml and ops → data/published/report.html: the run, told to people."""
    from tessera.run_report.page import About, write

    about = About(run.settings.company, run.settings.currency, run.as_of, run.fingerprint)
    with run.warehouse() as connection:
        return write(connection, run.settings.published_dir, about)


Load = Callable[[Settings, loads.Secret], str]
Work = Callable[[Run], str]
LOADS: dict[str, Load] = {f.__name__: f for f in (load_crm, load_clickstream, load_social)}
WORK: dict[str, Work] = {
    f.__name__: f
    for f in (
        check_crm,
        check_clickstream,
        check_social,
        build_staging,
        resolve_identity,
        score_texts,
        find_topics,
        find_communities,
        restate_features,
        build_features,
        check_features,
        find_outliers,
        fit_segments,
        assign_segments,
        analyse_behaviour,
        apply_rules,
        build_segments,
        check_segments,
        publish,
        serve,
        write_report,
    )
}
STEPS = [*LOADS, *WORK]
# What a step reads must have been made from the same input: a run for another day may have come
# between two tasks of a DAG. So a step makes what it needs, when it is not there.
NEEDS = {
    "resolve_identity": ("build_staging",),
    "score_texts": ("build_staging",),
    "find_topics": ("resolve_identity", "score_texts"),
    "find_communities": ("resolve_identity",),
    "restate_features": ("find_topics", "find_communities"),
    "build_features": ("restate_features",),
    "check_features": ("build_features",),
    "find_outliers": ("build_features",),
    "fit_segments": ("find_outliers", "build_features"),
    "assign_segments": ("find_outliers", "build_features"),
    "analyse_behaviour": ("assign_segments", "build_features"),
    "apply_rules": ("assign_segments", "build_features"),
    "build_segments": ("analyse_behaviour", "apply_rules", "assign_segments", "build_features"),
    "check_segments": ("build_segments",),
    "publish": ("check_segments",),
    "serve": ("publish",),
    "write_report": ("publish",),
}
# They look themselves whether what they wrote is still there.
LOOK_THEMSELVES = ("publish", "serve", "write_report")
# The data-in gates look at their own exports, whatever the day.
DOORS = {"check_crm": "crm", "check_clickstream": "clickstream", "check_social": "social"}


def _needs(name: str, settings: Settings, as_of: date) -> tuple[str, ...]:
    """NEEDS, and a fit before the first assignment: later ones take the champion as well."""
    needed = NEEDS.get(name, ())
    if name == "assign_segments":
        from tessera import champions

        with open_run_warehouse(settings) as connection:
            if champions.before(connection, as_of) is None:
                return (*needed, "fit_segments")
    return needed


def _fingerprint(
    connection: duckdb.DuckDBPyConnection, step: str, settings: Settings, as_of: date
) -> str:
    if step in DOORS:
        return runs.fingerprint(connection, settings, None, _kinds(DOORS[step]))
    return runs.fingerprint(connection, settings, as_of)


def _check_exports(run: Run, step: str) -> str:
    with run.warehouse() as connection:
        suites = gate.export_suites(connection, _kinds(DOORS[step]))
    return gate.ask(run.settings, step, suites, run.as_of)


def _kinds(group: str) -> list[str]:
    from tessera.ingest.kinds import KINDS

    return [name for name, kind in KINDS.items() if kind.group == group]


def run_step(
    name: str,
    settings: Settings,
    as_of: date | None = None,
    secret: loads.Secret = secret,
    tell: lineage.Tell = lineage.tell_nobody,
) -> str:
    """Run one step by name, and before it what it needs on the same input and is not there.

    Nothing is done when the step's latest run succeeded on the same input. `as_of` defaults to the
    day after the newest event of the exports. `secret` gives the value of a secret that the
    settings name; `tell` hears of every step that ended. One step at a time works on a warehouse,
    whoever runs it; others wait. Raises NothingLoaded before the first export, WarehouseBusy,
    StorageFailed.
    """
    file, wait = settings.warehouse_file, settings.warehouse.wait_seconds
    with storage.told(settings.data_dir), hold(file, wait):
        if name in LOADS:
            work = partial(LOADS[name], settings, secret)
            return _recorded(Step(name), settings, work, tell)
        return _run_with_needs(name, settings, as_of, tell)


def _run_with_needs(name: str, settings: Settings, as_of: date | None, tell: lineage.Tell) -> str:
    with open_run_warehouse(settings) as connection:
        newest = runs.newest_day(connection)
        day = as_of or newest
        mark = _fingerprint(connection, name, settings, day)
        if name not in LOOK_THEMSELVES and runs.is_done(connection, name, mark):
            return "unchanged"
    for needed in _needs(name, settings, day):
        _run_with_needs(needed, settings, day, tell)
    work = partial(WORK[name], Run(settings, day, mark))
    return _recorded(Step(name, day, mark), settings, work, tell)


def _recorded(step: Step, settings: Settings, work: Callable[[], str], tell: lineage.Tell) -> str:
    return recorded(step, settings, work, tell, known=(*FINAL, *PASSING))
