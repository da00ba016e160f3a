"""Who is whom: the accounts, e-mail addresses and handles of the exports → customers."""

from __future__ import annotations

from datetime import date

import duckdb

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


def resolve(connection: duckdb.DuckDBPyConnection, as_of: date) -> int:
    """Replace `enriched.identities` by the people of before the as-of date; return how many.

    Each account is a customer. An e-mail address or handle that two contacts share is nobody's.
    """
    accounts = " union ".join(
        f"select account_id from staging.{table} where {moment} is null or {moment} < $as_of"
        for table, moment in ACCOUNTS.items()
    )
    unique = " union all ".join(
        f"select $as_of, '{kind}', {kind}_key, min(account_id) from staging.stg_crm__contacts "
        f"where {kind}_key is not null and (created_at is null or created_at < $as_of) "
        f"group by {kind}_key having count(*) = 1"
        for kind in ("email", "handle")
    )
    connection.execute("begin")
    connection.execute("delete from enriched.identities")
    connection.execute(
        f"insert into enriched.identities "
        f"select $as_of, 'account', account_id, account_id from ({accounts}) "
        f"where account_id is not null union all {unique} order by all",
        {"as_of": as_of},
    )
    connection.execute("commit")
    row = connection.execute(
        "select count(distinct customer_id) from enriched.identities"
    ).fetchone()
    return int(row[0]) if row else 0
