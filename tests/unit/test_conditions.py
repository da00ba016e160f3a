from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.conditions import ConditionRefused, UnknownColumn, check, compile_condition, kind_of

COLUMNS = {
    "monetary": "decimal(18, 4)", "frequency": "bigint", "refunds": "double",
    "stage": "varchar", "is_bridge": "boolean", "last_order_at": "timestamp",
}  # fmt: skip
ROWS = """
    create table customers as
    select * from (values
        ('a', 10.5, 3, 1.0, 'active', true, timestamp '2025-01-01 10:00:00'),
        ('b', 20.0, 1, 0.0, 'it''s', false, timestamp '2025-02-01 00:00:00'),
        ('c', 30.0, 9, null, 'active', null, timestamp '2025-03-01 00:00:00'),
        ('d', null, null, null, 'prospect', null, null),
        ('e', 30.0, 2, 3.0, 'dormant', false, timestamp '2025-04-01 00:00:00')
    ) as t (customer_id, monetary, frequency, refunds, stage, is_bridge, last_order_at)
"""


def met(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    connection.execute(f"create or replace {ROWS.strip().removeprefix('create ')}")
    sql = compile_condition(text, COLUMNS)
    rows = connection.execute(
        f"select customer_id from (select *, coalesce({sql}, false) as is_met from customers) "
        "where is_met order by 1"
    ).fetchall()
    return "".join(row[0] for row in rows)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("frequency >= 3", "ac"),
        ("Frequency >= 3", "ac"),
        ("frequency >= 3 and not stage = 'dormant' or frequency = 1", "abc"),
        ("stage in ('active', 'it''s')", "abc"),
        ("stage not in ('active')", "bde"),
        ("monetary between 10.5 and 20", "ab"),
        ("monetary not between 10.5 and 20", "ce"),
        ("monetary is null", "d"),
        ("monetary is not null and is_bridge", "a"),
        ("not is_bridge", "be"),
        ("is_bridge is true or is_bridge = false", "abe"),
        ("monetary - refunds > -(-9)", "abe"),
        ("refunds / frequency > 0.3", "ae"),
        ("refunds / (frequency - frequency) > 0", ""),
        ("last_order_at >= '2025-02-01'", "bce"),
        ("last_order_at between '2025-01-01' and '2025-02-01'", "ab"),
        # Of the four whose spend is known, none, one, two and two spend less.
        ("percentile(monetary) >= 0.5", "ce"),
        ("percentile(monetary) < 0.25", "a"),
        ("stage <> '; drop table customers; --'", "abcde"),
        ("stage = ''''", ""),
    ],
)
def test_conditions_say_who(connection: duckdb.DuckDBPyConnection, text: str, who: str) -> None:
    assert met(connection, text) == who
    assert check(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("frequency > 1; drop table customers", "not one condition"),
        ("drop table customers", "not understood"),
        ("", "not one condition"),
        ("frequency > 1 -- and more", "comment"),
        ("frequency /* one */ > 1", "comment"),
        ("frequency in (select 1)", "not understood"),
        ("exists (select 1)", "not understood"),
        ("(select count(*) from customers) > 1", "not understood"),
        ("select 1", "not understood"),
        ("customers.frequency > 1", "without their table"),
        ("read_csv('/etc/passwd') = 'x'", "not understood"),
        ("getenv('HOME') = 'x'", "the one function is percentile"),
        ("lower(stage) = 'x'", "not understood"),
        ("frequency::varchar = '1'", "not understood"),
        ("frequency = ?", "not understood"),
        ("frequency = $1", "not understood"),
        ("case when is_bridge then true end", "not understood"),
        ("stage like '%'", "not understood"),
        ("*", "not understood"),
        ("frequency > 1 as x", "not understood"),
        ("frequency >", "cannot be read"),
        ("stage = 'open", "cannot be read"),
        ("(" * 900 + "frequency > 1" + ")" * 900, "cannot be read|not"),
        ("frequency > 1 or " * 200 + "frequency > 1", "at most 2000"),
        ("frequency", "is a number, not a condition"),
        ("stage", "is a text, not a condition"),
        ("frequency = 'three'", "compares"),
        ("stage > 3", "compares"),
        ("frequency = null", "is null"),
        ("frequency and is_bridge", "where a boolean is needed"),
        ("is_bridge > false", "no order"),
        ("stage + 1 > 2", "where a number is needed"),
        ("percentile(stage) > 0.5", "where a number is needed"),
        ("percentile(monetary + 1) > 0.5", "the one function"),
        ("percentile() > 0.5", "the one function"),
        ("last_order_at > 'yesterday'", "no date"),
        ("frequency > 1e999", "too large"),
        ("stage = '\x00'", "cannot be|not"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConditionRefused, match=told):
        compile_condition(text, COLUMNS)


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(UnknownColumn, match="montary") as raised:
        compile_condition('"montary" > 1', COLUMNS)
    assert raised.value.name == "montary"


def test_types_have_their_kind() -> None:
    told = ["decimal(18, 4)", "BIGINT", "varchar", "timestamp", "date", "boolean", "integer"]
    assert [kind_of(t) for t in told] == [
        "number", "number", "text", "date", "date", "boolean", "number",
    ]  # fmt: skip


WORDS = st.sampled_from(
    ["frequency", "monetary", "stage", "is_bridge", "and", "or", "not", "in", "(", ")", ",", "'x'",
     "'; drop table customers", ";", "--", "/*", "*/", "1", ">", "=", "+", "/", "null", "is",
     "select", "from", "customers", "percentile", "between", "::", "union", "drop", "table", '"']
)  # fmt: skip


@settings(deadline=None)
@given(st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(max_size=60)))
def test_whatever_is_written_changes_nothing(text: str) -> None:
    try:
        sql = compile_condition(text, COLUMNS)
    except ConditionRefused:
        return
    with duckdb.connect() as connection:
        connection.execute(ROWS)
        assert len(duckdb.extract_statements(f"select {sql} from customers")) == 1
        rows = connection.execute(f"select coalesce({sql}, false) from customers").fetchall()
        assert len(rows) == 5
        assert {type(row[0]) for row in rows} == {bool}
        assert connection.execute("select count(*) from customers").fetchall() == [(5,)]
