"""The only place that opens the warehouse, and the tables of `ops` and `quarantine`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

SCHEMA = """
set timezone = 'UTC';
create schema if not exists raw;
create schema if not exists quarantine;
create schema if not exists enriched;
create schema if not exists ml;
create schema if not exists ops;

create table if not exists ops.loads (
    load_id bigint primary key, source varchar, kind varchar, file varchar, content_hash varchar,
    bytes bigint, rows_read bigint, rows_loaded bigint, rows_quarantined bigint,
    rows_already_there bigint, newest_event_at timestamp, status varchar, reason varchar,
    loaded_at timestamp
);
create table if not exists ops.source_columns (
    source varchar, column_name varchar, in_header boolean
);
create table if not exists ops.drift (
    source varchar, load_id bigint, column_name varchar, change varchar
);
create table if not exists quarantine.rows (
    load_id bigint, source varchar, kind varchar, file varchar, line bigint, item bigint,
    reason varchar, column_name varchar, row_key varchar, raw_row varchar
);
create table if not exists quarantine.files (
    load_id bigint, source varchar, file varchar, reason varchar
);
create table if not exists quarantine.repairs (
    source varchar, content_hash varchar, line bigint, record varchar
);
create table if not exists ops.checks (
    step varchar, as_of date, suite varchar, table_name varchar, expectation varchar,
    title varchar, severity varchar, success boolean, observed varchar, details varchar,
    checked_at timestamp
);
create table if not exists ops.dbt_builds (selection varchar primary key, definitions varchar);
create table if not exists ops.touched_devices (
    device_id varchar, event_date date, is_condensed boolean
);
create table if not exists ops.step_runs (
    step varchar, as_of date, fingerprint varchar, started_at timestamp, seconds double,
    summary varchar
);
create table if not exists ops.pseudonym_key (
    fingerprint varchar, first_used_at timestamp
);
create table if not exists enriched.post_sentiment (
    text_hash varchar primary key, sentiment double
);

create table if not exists ml.assignments (
    customer_id varchar, as_of date, model_id varchar, segment_id varchar, segment_name varchar,
    distance double, confidence double
);
create table if not exists ml.fits (
    model_id varchar, as_of date, algorithm varchar, k integer, silhouette double, inertia double,
    customers bigint, seed integer, features varchar
);
create table if not exists ml.k_selection (
    model_id varchar, as_of date, k integer, silhouette double, inertia double,
    smallest_share double, is_chosen boolean, reason varchar
);
create table if not exists ml.segment_names (
    model_id varchar, as_of date, segment_id varchar, segment_name varchar, description varchar,
    suggested_action varchar
);
"""


class WarehouseBusy(RuntimeError):
    """Another process holds the warehouse."""


@contextmanager
def open_warehouse(
    file: Path, memory_limit: str = "1500MB", threads: int = 2
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for writing and close it again; it is made when it is not there.

    Raises WarehouseBusy when another process holds it: DuckDB allows one writing process a file.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    config = {"memory_limit": memory_limit, "threads": str(threads)}
    try:
        connection = duckdb.connect(str(file), config=config)  # type: ignore[arg-type]
    except duckdb.IOException as error:
        if "Could not set lock" in str(error):
            raise WarehouseBusy(
                f"another process holds the warehouse {file}. Wait until it ends, or close the "
                f"program that has it open ({_holder(error)}); BI tools read "
                "data/published/segments.duckdb instead"
            ) from None
        raise
    try:
        connection.execute(SCHEMA)
        yield connection
    finally:
        connection.close()


def _holder(error: Exception) -> str:
    found = re.search(r"PID \d+", str(error))
    return found.group() if found else "unknown process"


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with no file, for work that leaves nothing in the warehouse."""
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


@contextmanager
def open_published(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published tables, read-only and with no way to other files of the machine."""
    config = {"enable_external_access": "false", "lock_configuration": "true"}
    connection = duckdb.connect(str(file.resolve()), read_only=True, config=config)  # type: ignore[arg-type]
    try:
        yield connection
    finally:
        connection.close()
