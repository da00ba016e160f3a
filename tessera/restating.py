"""Features of the run before this one, as they would have been with what came late.

Late is what is dated before that run's day and was loaded after it: new rows, files replaced or
withdrawn, people found to be one. Then the features of that day are built again, from today's
exports, in the place of today's; the step that builds today's comes after. Without anything late
nothing is built: what was kept of that run still holds.
"""

from __future__ import annotations

import json
from datetime import date

import duckdb

from tessera import champions, dbt, fits, runs, weeks
from tessera.settings import Settings

# When each row of an export was known first; without a moment it counts on every day.
KNOWN_AT = {
    "stg_crm__contacts": "coalesce(updated_at, created_at)",
    "stg_crm__consents": "changed_at",
    "stg_crm__demographics": "updated_at",
    "stg_shop__orders": "ordered_at",
    "stg_shop__order_lines": "ordered_at",
    "stg_shop__refunds": "refunded_at",
    "stg_shop__products": "null",
    "stg_web__events": "occurred_at",
    "stg_app__events": "occurred_at",
    "stg_social__posts": "posted_at",
    "stg_social__profiles": "coalesce(seen_at, created_at)",
    "stg_social__follows": "followed_at",
    "stg_support__tickets": "opened_at",
    "stg_feedback__survey_answers": "answered_at",
    "stg_marketing__campaign_events": "occurred_at",
}
STATE = """
select
    (select md5(string_agg(load_id::varchar, ',' order by load_id)) from ops.loads
     where status = 'loaded' and load_id <= $last_load) as loads,
    (select coalesce(max(load_id), 0) from ops.loads) as last_load,
    (select coalesce(max(seq), 0) from ops.identity_events) as last_identity_event
"""


def restate(settings: Settings, as_of: date) -> str:
    """Build again what the run before this day knew, if it is known otherwise now; say so.

    The warehouse must be closed in this process. After it the features are of the earlier day.
    """
    with runs.open_run_warehouse(settings) as connection:
        connection.execute("delete from ml.restated_inputs")
        before = champions.before(connection, as_of)
        wanted = settings.moves.restate and before
        reason = _reason(connection, settings, before.as_of) if before and wanted else None
    if not settings.moves.restate:
        return "not wanted (settings moves.restate)"
    if before is None:
        return "no run before this day"
    if reason is None:
        return f"nothing of before {before.as_of} came late"
    with runs.open_run_warehouse(settings) as connection:
        # From here on the log must not say any more that the features of any day are there.
        runs.begin(connection, "build_features")
    # Without tests: what they say of an earlier day is no reason to stop today.
    dbt.build(settings, "tag:features", before.as_of, with_tests=False, people_as_of=as_of)
    with runs.open_run_warehouse(settings) as connection:
        changed = _keep_changed(connection, settings, before.as_of, as_of)
    return f"{reason}: {changed:,} customers of {before.as_of} are known otherwise now"


def remember(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> None:
    """Note what the run of this day knew, so that a later one sees what came after."""
    state = connection.execute("select coalesce(max(load_id), 0) from ops.loads").fetchone()
    assert state is not None
    loads, last_load, last_event = _state(connection, state[0])
    connection.execute("delete from ops.assignment_runs where as_of = ?", [as_of])
    connection.execute(
        "insert into ops.assignment_runs values (?, ?, ?, ?, ?)",
        [as_of, loads, last_load, last_event, _definitions(settings)],
    )


def _reason(
    connection: duckdb.DuckDBPyConnection, settings: Settings, previous: date
) -> str | None:
    """Why features of the earlier day may be others now; None when they cannot be."""
    if not weeks.has_inputs(connection, previous):
        return f"what was known on {previous} is no longer kept"
    row = connection.execute(
        "select loads, last_load, last_identity_event, definitions from ops.assignment_runs "
        "where as_of = ?",
        [previous],
    ).fetchone()
    if row is None:
        return "nobody wrote down what was known"
    loads, last_load, last_event, definitions = row
    if _state(connection, last_load)[0] != loads:
        return "files were replaced or withdrawn"
    if definitions != _definitions(settings):
        return "features mean something else now"
    if _people_changed(connection, last_event):
        return "people were found to be one, or not"
    late = [t for t in KNOWN_AT if _has_late_rows(connection, t, last_load, previous)]
    return f"late rows in {', '.join(t.split('__')[1] for t in late)}" if late else None


def _state(connection: duckdb.DuckDBPyConnection, last_load: int) -> tuple[str | None, int, int]:
    row = connection.execute(STATE, {"last_load": last_load}).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _definitions(settings: Settings) -> str:
    """What features mean: the dbt project and the settings that they depend on."""
    told = {**fits.definitions(settings), "analytics": settings.privacy.analytics}
    return json.dumps({**told, "dbt": runs.code_version(("dbt_project",))}, sort_keys=True)


def _people_changed(connection: duckdb.DuckDBPyConnection, last_event: int) -> bool:
    """Whether accounts that were known are other customers now; newcomers have no past."""
    found = connection.execute(
        "with since as (from ops.identity_events where seq > ?) "
        "select 1 from since where event <> 'born' "
        "and account not in (select account from since where event = 'born') limit 1",
        [last_event],
    )
    return bool(found.fetchall())


def _has_late_rows(
    connection: duckdb.DuckDBPyConnection, table: str, last_load: int, previous: date
) -> bool:
    found = connection.execute(
        f"select 1 from staging.{table} where _load_id > ? "
        f"and coalesce({KNOWN_AT[table]} < ?::timestamp, true) limit 1",
        [last_load, previous],
    )
    return bool(found.fetchall())


def _keep_changed(
    connection: duckdb.DuckDBPyConnection, settings: Settings, previous: date, as_of: date
) -> int:
    """Keep the features of those of whom they are others now; how many customers these are."""
    kept = connection.execute(
        "select distinct feature from ml.assignment_inputs where as_of = ? order by 1", [previous]
    ).fetchall()
    names = [name for (name,) in kept] or fits.week_parameters(settings).features
    rows = weeks.long("features.customer_features where as_of = $previous and frequency > 0", names)
    connection.execute(
        f"""
        insert into ml.restated_inputs
        with now as ({rows}),
        changed as (
            select distinct customer_id from (
                from now except
                select customer_id, feature, value from ml.assignment_inputs
                where as_of = $previous
            )
        )
        select $as_of, $previous, customer_id, feature, value
        from now join changed using (customer_id) order by customer_id, feature
        """,
        {"previous": previous, "as_of": as_of},
    )
    row = connection.execute(
        "select count(distinct customer_id) from ml.restated_inputs"
    ).fetchone()
    assert row is not None
    return int(row[0])
