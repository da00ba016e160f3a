"""Snowplow's public e-commerce sample: its tables of facts, made by others, agree with ours.

The sample lies in the layout of a warehouse: a table of events and one for each kind of entity.
Here it is written as the enriched events of a pipeline, loaded, and built by dbt. Compared are ids,
times, products, prices, quantities, carts, steps and revenue, row for row.

Where ours differs on purpose:

- Their settings leave out the app `skip-me`; we keep its one event, which is about no product.
- A purchase is the last step of their checkouts, with a number from their settings (4). The export
  has none, so ours has none; it says `is_completed`.
- Their carts have no currency at a purchase; ours keep that of the purchase.
- Their sessions begin when the first event arrived (`collector_tstamp`), ours when it happened
  (`derived_tstamp`): beginnings and ends are not compared, the times within are.

Their rule for what is told twice is ours: a purchase with the order id of an earlier one is left
out, with its products (one of 834 events). No other event is left out by either.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tessera.ingest.formats.snowplow import FORMAT
from tessera.ingest.load import load_source
from tessera.ingest.source import Source
from tests.conftest import shared
from tests.pipeline.dbt_project.conftest import failures, new_warehouse, run

AS_OF = "2023-01-01"
SNOWPLOW = "com.snowplowanalytics.snowplow"
# Table of the sample → schema, and its columns as members of the entity. Numbers are numbers there.
ENTITIES = {
    f"{SNOWPLOW}_ecommerce_product": (
        f"{SNOWPLOW}.ecommerce/product",
        ["id", "name", "category", "price:double", "list_price:double", "quantity:bigint", "size",
         "variant", "brand", "inventory_status", "position:bigint", "currency", "creative_id"],
    ),
    f"{SNOWPLOW}_ecommerce_cart": (
        f"{SNOWPLOW}.ecommerce/cart", ["cart_id", "currency", "total_value:double"],
    ),
    f"{SNOWPLOW}_ecommerce_transaction": (
        f"{SNOWPLOW}.ecommerce/transaction",
        ["transaction_id", "currency", "payment_method", "revenue:double", "total_quantity:bigint"],
    ),
    f"{SNOWPLOW}_ecommerce_checkout_step": (f"{SNOWPLOW}.ecommerce/checkout_step", ["step:bigint"]),
    f"{SNOWPLOW}_ecommerce_user": (
        f"{SNOWPLOW}.ecommerce/user", ["id", "email", "is_guest:boolean"],
    ),
    f"{SNOWPLOW}_ecommerce_page": (f"{SNOWPLOW}.ecommerce/page", ["type"]),
    f"{SNOWPLOW}_client_session": (
        f"{SNOWPLOW}/client_session", ["session_id=sessionId", "user_id=userId"],
    ),
}  # fmt: skip


def sample(name: str) -> str:
    """SQL of one CSV of the sample, all text."""
    path = shared("snowplow-ecommerce") / name
    return f"read_csv('{path}', all_varchar=true, header=true, nullstr=['', 'NULL'])"


def member(column: str) -> str:
    """SQL of one member of a JSON object: `column[:type][=name]`."""
    column, _, name = column.partition("=")
    column, _, type_ = column.partition(":")
    value = f"try_cast({column} as {type_})" if type_ else column
    return f"'{name or column}', {value}"


def entities() -> str:
    """SELECT of every entity of every event as self-describing JSON."""
    return " union all ".join(
        f"""
        select root_id, rowid as nth, json_object(
            'schema', 'iglu:{schema}/jsonschema/1-0-0',
            'data', json_merge_patch('{{}}', json_object({", ".join(map(member, members))}))
        ) as entity
        from "{table}"
        """
        for table, (schema, members) in ENTITIES.items()
    )


def enriched(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Write the sample as enriched events: 131 columns, tab-separated, no header, no quotes."""
    folder = "source"
    for table in [*ENTITIES, f"{SNOWPLOW}_ecommerce_action"]:
        file = f"{folder}/{table.replace('.', '_')}_1.csv"
        connection.execute(f'create table "{table}" as from {sample(file)}')
    events = sample(f"{folder}/snowplow_ecommerce_events.csv")
    connection.execute(f"create table events as from {events}")
    present = {row[1] for row in connection.execute("pragma table_info('events')").fetchall()}
    made = {
        "contexts": """json_object(
            'schema', 'iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0',
            'data', all_entities)""",
        "unstruct_event": f"""json_object(
            'schema', 'iglu:{SNOWPLOW}/unstruct_event/jsonschema/1-0-0',
            'data', json_object(
                'schema', 'iglu:{SNOWPLOW}.ecommerce/snowplow_ecommerce_action/jsonschema/1-0-0',
                'data', json_merge_patch('{{}}', json_object('type', a.type, 'name', a.name))))""",
    }
    columns = ", ".join(
        f"{made[c]} as {c}" if c in made
        else f"replace({c}, '+00:00', '') as {c}" if c in present
        else f"null as {c}"
        for c in FORMAT.columns
    )  # fmt: skip
    connection.execute(
        f"""
        copy (
            select {columns} from events
            left join "{SNOWPLOW}_ecommerce_action" a on a.root_id = event_id
            left join (
                select root_id, list(entity order by nth) as all_entities
                from ({entities()}) group by root_id
            ) c on c.root_id = event_id
        ) to '{target}' (format csv, header false, delimiter '\t', quote '', escape '')
        """
    )


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The built warehouse with the expected tables beside it, as `expected_…`."""
    scratch = tmp_path_factory.mktemp("snowplow")
    warehouse = scratch / "warehouse.duckdb"
    (scratch / "inbox").mkdir()
    with duckdb.connect() as connection:
        enriched(connection, scratch / "inbox" / "events.tsv")
    with new_warehouse(warehouse) as connection:
        source = Source(format="snowplow", files="*.tsv")
        loaded = load_source(connection, scratch / "inbox", "shop", source, datetime(2023, 1, 1))
        assert (loaded.rows_read, loaded.rows_loaded) == (834, 834)
    wanted = ["+int_web_cart_interactions", "int_web_checkout_interactions", "int_web_transactions"]
    only = ["--exclude-resource-type", "unit_test"]
    assert failures(run(["build", *only, "--select", *wanted], warehouse, scratch, AS_OF)) == []
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set timezone = 'UTC'; set schema = 'intermediate'")
        for name in ("sessions", *FACTS):
            file = f"expected/default/snowplow_ecommerce_{name}_expected.csv"
            connection.execute(f"create temp table expected_{name} as from {sample(file)}")
        yield connection


HAPPENED = "timezone('UTC', cast(derived_tstamp as timestamptz))"
ACTION = "case action when 'purchase' then 'transaction' else action end"
# Table of the sample → rows, SELECT of ours, SELECT of theirs.
FACTS = {
    "product_interactions": (
        928,
        f"""select event_id, tracker_session_id, occurred_at, {ACTION}, order_id, product_id,
            product_name, category, brand, variant, price, quantity, currency
            from int_web_product_interactions""",
        f"""select event_id, domain_sessionid, {HAPPENED}, ecommerce_action_type, transaction_id,
            product_id, product_name, product_category, product_brand, product_variant,
            cast(product_price as decimal(18, 4)), cast(product_quantity as decimal(18, 4)),
            product_currency
            from expected_product_interactions""",
    ),
    "cart_interactions": (
        67,
        f"""select event_id, tracker_session_id, occurred_at, {ACTION}, cart_id, cart_value,
            case when action <> 'purchase' then currency end, is_created, is_emptied, is_bought
            from int_web_cart_interactions""",
        f"""select event_id, domain_sessionid, {HAPPENED}, ecommerce_action_type, cart_id,
            cast(cart_total_value as decimal(18, 4)), cart_currency, cast(cart_created as boolean),
            cast(cart_emptied as boolean), cast(cart_transacted as boolean)
            from expected_cart_interactions""",
    ),
    "checkout_interactions": (
        52,
        f"""select event_id, tracker_session_id, occurred_at, {ACTION}, checkout_step, is_completed
            from int_web_checkout_interactions""",
        f"""select event_id, domain_sessionid, {HAPPENED}, ecommerce_action_type,
            case when ecommerce_action_type <> 'transaction'
                then cast(checkout_step_number as bigint) end,
            cast(checkout_succeeded as boolean)
            from expected_checkout_interactions""",
    ),
    "transaction_interactions": (
        14,
        """select event_id, tracker_session_id, occurred_at, order_id, revenue, currency, products
            from int_web_transactions""",
        f"""select event_id, domain_sessionid, {HAPPENED}, transaction_id,
            cast(transaction_revenue as decimal(18, 4)), transaction_currency,
            cast(number_products as bigint)
            from expected_transaction_interactions""",
    ),
}  # fmt: skip


def differences(connection: duckdb.DuckDBPyConnection, ours: str, theirs: str) -> list[Any]:
    """Rows that only one of the queries gives, as often as it gives more of them."""
    return [
        (told, *row)
        for told, one, other in (("ours", ours, theirs), ("theirs", theirs, ours))
        for row in connection.execute(f"({one}) except all ({other})").fetchall()
    ]


@pytest.mark.parametrize("table", FACTS)
def test_facts_agree_row_for_row(facts: duckdb.DuckDBPyConnection, table: str) -> None:
    rows, ours, theirs = FACTS[table]
    assert facts.execute(f"select count(*) from ({ours})").fetchall() == [(rows,)]
    assert differences(facts, ours, theirs) == []


# What their table of sessions says of each, from our facts.
SESSIONS = """
    with sessions as (
        select tracker_session_id, any_value(anonymous_id) as anonymous_id
        from staging.stg_web__events
        where anonymous_id is not null
        group by all
    ),
    products as (
        select
            tracker_session_id,
            count(distinct event_id) filter (action in ('product_view', 'list_view')) as views,
            count(distinct event_id) filter (action = 'add_to_cart') as added,
            count(distinct event_id) filter (action = 'remove_from_cart') as removed,
            min(occurred_at) filter (action in ('product_view', 'list_view')) as first_view,
            max(occurred_at) filter (action in ('product_view', 'list_view')) as last_view
        from int_web_product_interactions group by all
    ),
    carts as (
        select
            tracker_session_id,
            count(*) filter (is_created) as created,
            count(*) filter (is_emptied) as emptied,
            count(*) filter (is_bought) as bought
        from int_web_cart_interactions group by all
    ),
    checkouts as (
        select tracker_session_id, count(*) as steps, bool_or(is_completed) as is_completed
        from int_web_checkout_interactions group by all
    ),
    transactions as (
        select tracker_session_id, count(*) as orders, sum(revenue) as revenue,
            sum(products) as products
        from int_web_transactions group by all
    )
    select tracker_session_id, anonymous_id, views, added, removed, first_view, last_view, created,
        emptied, bought, steps, is_completed, orders, revenue, transactions.products
    from sessions
    left join products using (tracker_session_id)
    left join carts using (tracker_session_id)
    left join checkouts using (tracker_session_id)
    left join transactions using (tracker_session_id)
"""
EXPECTED_SESSIONS = """
    select domain_sessionid, domain_userid, cast(number_product_views as bigint),
        cast(number_add_to_carts as bigint), cast(number_remove_from_carts as bigint),
        timezone('UTC', cast(first_product_view as timestamptz)),
        timezone('UTC', cast(last_product_view as timestamptz)),
        cast(number_carts_created as bigint), cast(number_carts_emptied as bigint),
        cast(number_carts_transacted as bigint), cast(number_checkout_steps_visited as bigint),
        cast(checkout_succeeded as boolean), cast(total_number_transactions as bigint),
        cast(total_transaction_revenue as decimal(18, 4)), cast(total_transacted_products as bigint)
    from expected_sessions
"""


def test_the_trackers_sessions_agree(facts: duckdb.DuckDBPyConnection) -> None:
    assert facts.execute(f"select count(*) from ({SESSIONS})").fetchall() == [(63,)]
    assert differences(facts, SESSIONS, EXPECTED_SESSIONS) == []


def test_our_sessions_are_the_trackers(facts: duckdb.DuckDBPyConnection) -> None:
    """Thirty minutes without an event are the tracker's rule too: no session is cut or joined."""
    pairs = """
        select tracker_session_id, session_id, excluded_because,
            bool_or(anonymous_id is null) as is_without_visitor
        from staging.stg_web__events as events
        join int_web_sessions_judged as sessions
            on events.device_id = sessions.device_id
            and events.occurred_at between sessions.started_at and sessions.ended_at
        group by all
    """
    query = f"""
        select count(*), count(distinct tracker_session_id), count(distinct session_id),
            count(*) filter (is_without_visitor), count(excluded_because)
        from ({pairs})
    """
    # 63 and that of the app `skip-me`, whose visitor we know by address and browser.
    assert facts.execute(query).fetchall() == [(64, 64, 64, 1, 0)]


def test_what_is_told_twice_is_left_out_by_both(facts: duckdb.DuckDBPyConnection) -> None:
    left_out = """
        select order_id, count(*) from staging.stg_web__events
        where event_name = 'transaction'
            and event_id not in (select event_id from int_web_transactions)
        group by all
    """
    assert facts.execute(left_out).fetchall() == [("TtlZ3b", 1)]
