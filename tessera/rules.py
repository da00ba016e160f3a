"""Rules and triggers that the settings declare: who meets them, and what that says.

A rule is a condition over features and segments (`tessera/conditions.py`); the customers who meet
it are a segment of their own, beside the one she was clustered into. A trigger is a condition that
is news when it begins to hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import chain

import duckdb

from tessera.conditions import ConditionRefused, UnknownColumn, compile_condition, named
from tessera.ingest.source import did_you_mean
from tessera.micro_segments import COLUMNS, find
from tessera.settings import Settings, SettingsError
from tessera.settings_rules import Rule, Trigger
from tessera.sql import name as quoted

# What conditions may speak of beside the contract of features.customer_features.
SEGMENT_COLUMNS = {
    "segment_id": "varchar", "segment_name": "varchar", "confidence": "double",
    "is_outlier": "boolean",
}  # fmt: skip
TABLES = (
    "customer_rules", "rule_segments", "rule_overlaps", "trigger_states", "triggers",
    "trigger_events",
)  # fmt: skip
POPULATION = """
    create or replace temp table population as
    select {columns}, assigned.segment_id, assigned.segment_name, assigned.confidence,
        coalesce(judged.is_outlier, false) as is_outlier
    from features.customer_features as features
    left join ml.assignments as assigned using (customer_id, as_of)
    left join ml.customer_outliers as judged using (customer_id, as_of)
    where features.as_of = $as_of
"""


def apply(connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> str:
    """Replace what the ml floor says of rules, triggers and micro-segments of this day, or nothing.

    Raises SettingsError for a condition that cannot be used, with its place in the settings.
    """
    columns = columns_of(connection)
    rules = {name: compiled("rules", name, rule, columns) for name, rule in settings.rules.items()}
    triggers = {n: compiled("triggers", n, t, columns) for n, t in settings.triggers.items()}
    connection.execute("begin")
    try:
        _describe_population(connection, settings, as_of)
        for table in TABLES:
            connection.execute(f"delete from ml.{table} where as_of = ?", [as_of])
        for name, sql in rules.items():
            _apply_rule(connection, name, settings.rules[name], sql, as_of)
        connection.execute(OVERLAPS, {"as_of": as_of})
        fired = sum(
            _apply_trigger(connection, name, settings.triggers[name], sql, as_of)
            for name, sql in triggers.items()
        )
        found = find(connection, settings.micro_segments, as_of)
        connection.execute("drop table population")
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return f"{len(rules)} rules, {len(triggers)} triggers fired {fired:,} times, {found}"


def _describe_population(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: date
) -> None:
    """The day's customers as a temporary table, with the columns that are asked about."""
    asked = {"customer_id", "as_of", "gross_revenue", *chain(*COLUMNS.values())}
    for rule in settings.rules.values():
        asked |= named(rule.when)
    for trigger in settings.triggers.values():
        asked |= named(trigger.when)
    columns = ", ".join(
        f"features.{quoted(name)}" for name in sorted(asked - SEGMENT_COLUMNS.keys())
    )
    connection.execute(POPULATION.format(columns=columns), {"as_of": as_of})


def columns_of(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What conditions may speak of, by name, with its SQL type: the contract, and the segment."""
    contract = connection.execute(
        "select name, data_type from features.feature_catalogue "
        "where name not in ('customer_id', 'as_of')"
    ).fetchall()
    return {**dict(contract), **SEGMENT_COLUMNS}


def compiled(kind: str, name: str, told: Rule | Trigger, columns: Mapping[str, str]) -> str:
    """The SQL of a rule's or trigger's condition. Raises SettingsError."""
    try:
        return f"coalesce({compile_condition(told.when, columns)}, false)"
    except UnknownColumn as error:
        known = did_you_mean(error.name, list(columns))
        raise SettingsError(
            f"{kind}.{name}.when: {error}{known} (docs/reference/features.md lists all)"
        ) from None
    except ConditionRefused as error:
        raise SettingsError(f"{kind}.{name}.when: {error}") from None


def _met(connection: duckdb.DuckDBPyConnection, where: str, table: str, key: str, sql: str) -> None:
    """Append to a table of (as_of, `key`, customer_id) who meets a condition."""
    try:
        connection.execute(
            f"insert into ml.{table} select as_of, ?, customer_id "
            f"from (select as_of, customer_id, {sql} as is_met from population) "
            "where is_met order by customer_id",
            [key],
        )
    except duckdb.Error as error:
        raise SettingsError(f"{where}.{key}.when: cannot be computed: {error}") from None


def _apply_rule(
    connection: duckdb.DuckDBPyConnection, name: str, rule: Rule, sql: str, as_of: date
) -> None:
    _met(connection, "rules", "customer_rules", name, sql)
    told = {"as_of": as_of, "rule": name, "condition": rule.when}
    words = {"description": rule.description, "action": rule.action}
    connection.execute(RULE_SEGMENTS, {**told, **words})


def _apply_trigger(
    connection: duckdb.DuckDBPyConnection, name: str, trigger: Trigger, sql: str, as_of: date
) -> int:
    _met(connection, "triggers", "trigger_states", name, sql)
    told = {"as_of": as_of, "trigger": name}
    asked = {"condition": trigger.when, "description": trigger.description}
    connection.execute(TRIGGERS, {**told, **asked})
    connection.execute(TRIGGER_EVENTS, {**told, "quiet_days": trigger.quiet_days})
    connection.execute(FIRED, told)
    row = connection.execute(
        "select fired from ml.triggers where as_of = $as_of and trigger_name = $trigger", told
    ).fetchall()
    return row[0][0] or 0


# Compared with the latest run before this day that asked the same of the same rule.
RULE_SEGMENTS = """
    insert into ml.rule_segments by name
    with previous as (
        select max(as_of) as as_of from ml.rule_segments
        where rule = $rule and condition = $condition and as_of < $as_of
    ),
    now as (
        select customer_id from ml.customer_rules where as_of = $as_of and rule = $rule
    ),
    earlier as (
        select rules.customer_id from ml.customer_rules as rules join previous using (as_of)
        where rule = $rule
    ),
    moved as (
        select count(*) filter (earlier.customer_id is null) as joined,
            count(*) filter (now.customer_id is null) as gone
        from now full join earlier using (customer_id)
    ),
    sums as (
        select count(now.customer_id) as customers, count(*) as all_customers,
            coalesce(sum(gross_revenue) filter (now.customer_id is not null), 0) as gross_revenue,
            sum(gross_revenue) as all_revenue
        from population left join now using (customer_id)
    )
    select $as_of as as_of, $rule as rule, $description as description, $condition as condition,
        $action as suggested_action, customers,
        customers / nullif(all_customers, 0) as customer_share, gross_revenue,
        gross_revenue::double / nullif(all_revenue, 0)::double as revenue_share,
        previous.as_of as previous_as_of,
        case when previous.as_of is not null then joined end as joined,
        case when previous.as_of is not null then gone end as gone
    from sums, moved, previous
"""
OVERLAPS = """
    insert into ml.rule_overlaps by name
    with groups as (
        select 'rule' as other_kind, rule as other, customer_id from ml.customer_rules
        where as_of = $as_of
        union all
        select 'segment' as other_kind, segment_id as other, customer_id from population
        where segment_id is not null
    ),
    sizes as (
        select other_kind, other, count(*) as size, (select count(*) from population) as everybody
        from groups group by all
    ),
    shared as (
        select rules.rule, other_kind, other, count(*) as customers
        from ml.customer_rules as rules join groups using (customer_id)
        where rules.as_of = $as_of and not (other_kind = 'rule' and other = rules.rule)
        group by all
    )
    select $as_of as as_of, shared.rule, shared.other_kind, shared.other, shared.customers,
        shared.customers / mine.size as share_of_rule,
        shared.customers / theirs.size as share_of_other,
        shared.customers / (mine.size + theirs.size - shared.customers) as jaccard,
        shared.customers * theirs.everybody / (mine.size * theirs.size) as lift
    from shared
    join sizes as mine on mine.other_kind = 'rule' and mine.other = shared.rule
    join sizes as theirs on theirs.other_kind = shared.other_kind and theirs.other = shared.other
    order by shared.rule, shared.other_kind, shared.other
"""
TRIGGERS = """
    insert into ml.triggers by name
    select $as_of as as_of, $trigger as trigger_name, $description as description,
        $condition as condition,
        (select count(*) from ml.trigger_states
            where as_of = $as_of and trigger_name = $trigger) as customers,
        (select max(as_of) from ml.triggers where trigger_name = $trigger
            and condition = $condition and as_of < $as_of) as previous_as_of
"""
# The first time that a condition is asked, nobody knows since when it holds: no event.
TRIGGER_EVENTS = """
    insert into ml.trigger_events by name
    select now.as_of, now.trigger_name, now.customer_id, asked.previous_as_of
    from ml.trigger_states as now
    join ml.triggers as asked using (as_of, trigger_name)
    where now.as_of = $as_of and now.trigger_name = $trigger and asked.previous_as_of is not null
        and not exists (
            from ml.trigger_states as earlier where earlier.as_of = asked.previous_as_of
            and earlier.trigger_name = $trigger and earlier.customer_id = now.customer_id
        )
        and not exists (
            from ml.trigger_events as told where told.trigger_name = $trigger
            and told.customer_id = now.customer_id and told.as_of < $as_of
            and told.as_of > $as_of::date - $quiet_days::integer
        )
    order by now.customer_id
"""
FIRED = """
    update ml.triggers set fired = (
        select count(*) from ml.trigger_events where as_of = $as_of and trigger_name = $trigger
    )
    where as_of = $as_of and trigger_name = $trigger and previous_as_of is not null
"""
