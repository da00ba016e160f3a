"""What an operator sees of a verdict: doubtful pairs, and why two accounts are one."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from tessera import identities, operators
from tessera.settings import Identity
from tests.unit.identity.test_namesakes import CROWD
from tests.unit.test_identities import DAY, NOW, two_contacts

SECRET = "not to be guessed"


@pytest.fixture(scope="module")
def crowded() -> duckdb.DuckDBPyConnection:
    """After a run over a crowd."""
    warehouse = two_contacts()
    invite_crowd(warehouse)
    warehouse.execute("create temp table said as select ? as line", [told_of(warehouse)])
    return warehouse


def invite_crowd(warehouse: duckdb.DuckDBPyConnection) -> None:
    """People with two accounts each, a few of whom bought something, and a guest."""
    warehouse.execute(
        f"""
        create temp table crowd as {CROWD};
        insert into staging.stg_crm__contacts
        select account, null, null, null, 'DE', timestamp '2025-01-01' from crowd;
        insert into staging.stg_vault__identifiers
        select 'customer', account, field, value from (
            unpivot crowd on first_name, last_name, birth_date, email, phone, street
            into name field value value
        );
        insert into staging.stg_shop__orders
        select 'o' || account, account, null, timestamp '2025-02-01', false, 10.0 from crowd
        where account like 'x1%';
        insert into staging.stg_shop__orders values
            ('guest', null, 'nobody knows', timestamp '2025-03-01', false, 5.0);
        """
    )


def shown(*tables: object) -> str:
    with StringIO() as written:
        Console(width=200, file=written).print(*tables)
        return written.getvalue()


def told_of(connection: duckdb.DuckDBPyConnection, weeks: int = 0) -> str:
    day = DAY + timedelta(weeks=weeks)
    return identities.resolve(connection, day, Identity(region="DE"), NOW, SECRET)


def test_a_run_says_accounts_and_customers(crowded: duckdb.DuckDBPyConnection) -> None:
    told = crowded.execute("select line from said").fetchall()[0][0]
    assert told.startswith("302 accounts are 152 customers, 1 more customers known by an e-mail")


def test_the_week_after_is_as_the_week_before(crowded: duckdb.DuckDBPyConnection) -> None:
    before = crowded.execute("select key, customer_id from enriched.identities").fetchall()
    assert "as before" in told_of(crowded, weeks=1)
    weeks = crowded.execute("select told::json->>'$.pairs' from ops.identity_runs order by as_of")
    first, second = (int(row[0]) for row in weeks.fetchall())
    assert first > 0 and second == 0
    after = crowded.execute("select key, customer_id from enriched.identities").fetchall()
    assert sorted(before) == sorted(after)


def test_why_two_are_one(crowded: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    weight = crowded.execute(
        "select match_weight from ops.identity_weights "
        "where account_l = 'x1a' and account_r = 'x1b'"
    ).fetchall()[0][0]
    region = Identity(region="DE")
    table, page = operators.explain(crowded, ("x1a", "x1b"), region, tmp_path, SECRET)
    text = shown(table)
    assert f"match weight {weight:.2f}" in text and "the same" in text
    assert "mail.example" not in text and "mail.example" not in page.read_text()


def test_nothing_to_explain(tmp_path: Path) -> None:
    warehouse = two_contacts()
    with pytest.raises(LookupError, match="weighed nothing"):
        operators.explain(warehouse, ("a", "b"), Identity(), tmp_path)
    assert operators.draw_weights(warehouse, tmp_path) is None


def test_an_account_that_nobody_knows(crowded: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="not both of them"):
        operators.explain(crowded, ("x1a", "nobody"), Identity(region="DE"), tmp_path, SECRET)


def test_the_weights_as_a_page(crowded: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    page = operators.draw_weights(crowded, tmp_path)
    assert page is not None and "birth_date" in page.read_text()


def test_doubts_and_words_are_reported(crowded: duckdb.DuckDBPyConnection) -> None:
    crowded.execute(
        "insert into enriched.identity_doubts values "
        "($1, 'x1a', 'x2a', 4.0, '{}', 'below the threshold', false, 12.5), "
        "($1, 'x3a', 'x4a', 5.0, '{}', 'match weight', true, 99.0)",
        crowded.execute("select max(as_of) from enriched.identities").fetchone(),
    )
    operators.say_word(crowded, "split", ("x1a", "x1b"), "father and son", NOW)
    text = shown(*operators.report(crowded, 20))
    assert text.index("99.00") < text.index("12.50") and "father and son" in text
    assert "99.00" in shown(*operators.report(crowded, 1))
    assert "12.50" not in shown(*operators.report(crowded, 1))
