"""Who is whom: the accounts, e-mail addresses and handles of the exports → customers.

Between tessera/identity and the tables. Names and addresses in clear come from the vault into
temporary tables of the run, and go no further.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime

import duckdb

from tessera.identity import events, memory
from tessera.identity.memory import Memory
from tessera.identity.overrides import standing
from tessera.identity.resolve import Resolution, Rules
from tessera.identity.resolve import resolve as resolve_records
from tessera.settings import Identity

# Every export that names an account, and when its row was first known.
ACCOUNTS = {
    "stg_crm__contacts": "created_at",
    "stg_crm__consents": "changed_at",
    "stg_crm__demographics": "updated_at",
    "stg_shop__orders": "ordered_at",
    "stg_shop__order_lines": "ordered_at",
    "stg_support__tickets": "opened_at",
    "stg_feedback__survey_answers": "answered_at",
    "stg_marketing__campaign_events": "occurred_at",
    "stg_web__events": "occurred_at",
    "stg_app__events": "occurred_at",
}
# Those that name an e-mail address, which makes a customer where there is no account.
EMAILS = {
    "stg_crm__contacts": "created_at",
    "stg_shop__orders": "ordered_at",
    "stg_support__tickets": "opened_at",
    "stg_feedback__survey_answers": "answered_at",
    "stg_marketing__campaign_events": "occurred_at",
}
# An order changes: of those that later exports changed, what stood before the as-of date counts.
_CHANGING = {"stg_shop__orders": ("order_id",), "stg_shop__order_lines": ("order_id", "line_id")}
_DEVICES = {"stg_web__events": "occurred_at", "stg_app__events": "occurred_at"}
_VAULT = (
    "first_name", "last_name", "birth_date", "email", "phone", "street", "postal_code", "handle",
    "external_id",
)  # fmt: skip
_NEAR = 4.0  # bits around the threshold within which a verdict is doubtful


def resolve(
    connection: duckdb.DuckDBPyConnection,
    as_of: date,
    told: Identity | None = None,
    now: datetime | None = None,
    secret: str | None = None,
) -> str:
    """Replace `enriched.identities` by the people of before the as-of date, and say how many.

    `now`: when the run is made, for the ledger's `recorded_at` alone. `secret`: what the memory of
    a run is hashed with; without it, nothing is remembered.
    """
    told = told or Identity()
    stamp = events.Stamp(as_of, now or datetime(*as_of.timetuple()[:3]))
    gather(connection, as_of)
    _find_evidence(connection, as_of, told.max_accounts_per_identifier)
    words = standing(connection)
    found = resolve_records(
        connection,
        "identity_contacts",
        "identity_behaviour",
        rules_of(told),
        words.together,
        words.apart,
        Memory(as_of, salt_of(secret, told)) if secret else None,
    )
    connection.execute("begin")
    try:
        changed = _replace(connection, stamp, told, found)
        if secret and found.parameters:
            memory.keep(connection, found.parameters, found.recalled_results)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return _summary(connection, changed)


def salt_of(secret: str, told: Identity) -> str:
    """Of the memory: another for each region, for it decides what a telephone number means."""
    return f"{secret}|{told.region or ''}"


def rules_of(told: Identity) -> Rules:
    """What decides, of the settings."""
    return Rules(
        threshold=told.threshold,
        max_accounts_per_identifier=told.max_accounts_per_identifier,
        max_accounts_per_customer=told.max_accounts_per_customer,
        region=told.region and told.region.upper(),
    )


def _replace(
    connection: duckdb.DuckDBPyConnection,
    stamp: events.Stamp,
    told: Identity,
    found: Resolution,
) -> dict[str, int]:
    """Name the customers, write the ledger and the tables; how many of each event there were."""
    connection.execute(_ALL_CLUSTERS)
    events.name_customers(connection, "identity_all", stamp.as_of)
    connection.execute(_GROUNDS)
    changed = events.record(connection, "identity_named", "identity_grounds", stamp)
    _write(connection, stamp)
    _write_doubts(connection, stamp.as_of, rules_of(told).weight)
    _write_run(connection, stamp, found, changed)
    return changed


def gather(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make identity_contacts: what is known of each account, in clear."""
    columns = ", ".join(f"max(value) filter (field = '{name}') as {name}" for name in _VAULT)
    connection.execute(
        f"""
        create or replace temporary table identity_contacts as
        with details as (
            select pseudonym as account, {columns} from staging.stg_vault__identifiers
            where kind = 'customer' and field <> 'customer_id' group by pseudonym
        )
        select c.account_id as account, c.created_at, d.* exclude (account), c.city, c.country
        from (
            select account_id, min(created_at) as created_at, any_value(city) as city,
                any_value(country) as country
            from staging.stg_crm__contacts
            where account_id is not null and (created_at is null or created_at < $as_of)
            group by account_id
        ) as c
        left join details as d on d.account = c.account_id
        """,
        {"as_of": as_of},
    )
    accounts = " union ".join(
        f"select account_id from {_known(table)} where {moment} is null or {moment} < $as_of"
        for table, moment in ACCOUNTS.items()
    )
    connection.execute(
        f"insert into identity_contacts (account) select account_id from ({accounts}) as seen "
        "where account_id is not null "
        "and account_id not in (select account from identity_contacts)",
        {"as_of": as_of},
    )


def _known(table: str) -> str:
    """SQL: the rows of a staging table as they stood before the as-of date."""
    if table not in _CHANGING:
        return f"staging.{table}"
    keys = ", ".join(_CHANGING[table])
    return (
        f"(select * from staging.{table} anti join staging.{table}_earlier using ({keys}) "
        f"union all by name select * from staging.{table}_earlier)"
    )


def _find_evidence(connection: duckdb.DuckDBPyConnection, as_of: date, most: int) -> None:
    """Make identity_addresses, identity_used (address, account) and identity_behaviour (pairs)."""
    addresses = " union ".join(
        f"select email_key, account_id from {_known(table)} "
        f"where email_key is not null and ({moment} is null or {moment} < $as_of)"
        for table, moment in EMAILS.items()
    )
    devices = " union ".join(
        f"select device_id, account_id from staging.{table} where device_id is not null "
        f"and account_id is not null and ({moment} is null or {moment} < $as_of)"
        for table, moment in _DEVICES.items()
    )
    values = {"as_of": as_of}
    for name, query in (("identity_addresses", addresses), ("identity_logins", devices)):
        connection.execute(f"create or replace temporary table {name} as {query}", values)
    pairs = " union all ".join(
        f"""
        select l.account_id as account_l, r.account_id as account_r, '{rule}' as rule
        from {table} as l join {table} as r
            on l.{key} = r.{key} and l.account_id < r.account_id
        where l.{key} in (
            select {key} from {table} where account_id is not null
            group by {key} having count(*) <= {int(most)}
        )
        """
        for table, key, rule in (
            ("identity_addresses", "email_key", "email"),
            ("identity_logins", "device_id", "device"),
        )
    )
    connection.execute(f"create or replace temporary table identity_behaviour as {pairs}")


# Accounts, and the addresses that no account ever used, each a customer of its own.
_ALL_CLUSTERS = """
create or replace temporary table identity_all as
select k.account, k.cluster, c.created_at
from identity_clusters as k join identity_contacts as c using (account)
union all
select email_key, email_key, null from identity_addresses
group by email_key having count(account_id) = 0
"""
# Why an account is where it is: its strongest link, or an operator's word.
_GROUNDS = """
create or replace temporary table identity_grounds as
with sides as (
    select account_l as account, account_r as other, reason, match_weight
    from identity_judged where is_joined and not is_cut
    union all
    select account_r, account_l, reason, match_weight
    from identity_judged where is_joined and not is_cut
    union all
    select unnest([account_l, account_r]), unnest([account_r, account_l]),
        'operator: ' || action, null
    from identity_words
)
select account, arg_max(reason, (coalesce(match_weight, 1e9), other)) as reason,
    to_json({
        'with': arg_max(other, (coalesce(match_weight, 1e9), other)),
        'match_weight': max(match_weight)
    })::varchar as evidence
from sides group by account
"""


def _write(connection: duckdb.DuckDBPyConnection, stamp: events.Stamp) -> None:
    """Replace enriched.identities. What several customers share has no row."""
    connection.execute("delete from enriched.identities")
    connection.execute(
        """
        insert into enriched.identities
        with customers as (select account, customer_id from identity_named),
        accounts as (select * from customers semi join identity_contacts using (account)),
        used as (
            select 'email' as kind, email_key as key, coalesce(account_id, email_key) as account
            from identity_addresses as a
            where account_id is not null or email_key in (select account from customers)
            union all
            select 'handle', handle_key, account_id from staging.stg_crm__contacts
            where handle_key is not null and (created_at is null or created_at < $as_of)
        )
        select $as_of, 'account', account, customer_id from accounts
        union all
        select $as_of, kind, key, min(customer_id) from used join customers using (account)
        group by kind, key having count(distinct customer_id) = 1
        order by all
        """,
        {"as_of": stamp.as_of},
    )


def _write_doubts(connection: duckdb.DuckDBPyConnection, as_of: date, weight: float) -> None:
    """Replace the doubtful verdicts of this day: near the threshold, or against the weight."""
    gammas = [
        row[0]
        for row in connection.execute("describe identity_judged").fetchall()
        if row[0].startswith("gamma_")
    ]
    levels = ", ".join(f"'{name.removeprefix('gamma_')}': {name}" for name in gammas)
    connection.execute("delete from enriched.identity_doubts where as_of = ?", [as_of])
    connection.execute(
        f"""
        insert into enriched.identity_doubts
        with revenue as (
            select account_id as account, sum(total_amount) as revenue
            from {_known("stg_shop__orders")}
            where not is_test and ordered_at < $as_of and account_id is not null
            group by account_id
        )
        select $as_of, account_l, account_r, match_weight,
            {f"to_json({{{levels}}})::varchar" if levels else "null"},
            case when is_cut then 'cut: would join what must be apart' else reason end,
            is_joined and not is_cut,
            least(coalesce(l.revenue, 0), coalesce(r.revenue, 0))
        from identity_judged as j
        left join revenue as l on l.account = account_l
        left join revenue as r on r.account = account_r
        where is_cut or abs(match_weight - $weight) < $near
            or (not is_joined and match_weight >= $weight)
        order by account_l, account_r
        """,
        {"as_of": as_of, "weight": weight, "near": _NEAR},
    )


def _write_run(
    connection: duckdb.DuckDBPyConnection,
    stamp: events.Stamp,
    found: Resolution,
    changed: dict[str, int],
) -> None:
    told = asdict(found) | {"events": changed}  # the parameters hold no names, only numbers
    connection.execute("delete from ops.identity_runs where as_of = ?", [stamp.as_of])
    connection.execute(
        "insert into ops.identity_runs values (?, ?, ?)",
        [stamp.as_of, stamp.recorded_at, json.dumps(told, sort_keys=True)],
    )


def _summary(connection: duckdb.DuckDBPyConnection, changed: dict[str, int]) -> str:
    accounts, people, alone = connection.execute(
        """
        select count(*) filter (kind = 'account'),
            count(distinct customer_id) filter (kind = 'account'),
            count(distinct customer_id) filter (kind <> 'account' and customer_id not in (
                select customer_id from enriched.identities where kind = 'account'))
        from enriched.identities
        """
    ).fetchall()[0]
    guests = f", {alone:,} more customers known by an e-mail address alone" if alone else ""
    told = ", ".join(f"{count:,} {event}" for event, count in changed.items()) or "as before"
    return f"{accounts:,} accounts are {people:,} customers{guests} ({told})"
