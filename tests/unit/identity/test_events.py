"""Customer ids stay: over re-runs, backfills, merges that are undone, and in any order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tessera.identity.events import Stamp, name_customers, record
from tessera.warehouse import SCHEMA

ACCOUNTS = "abcdefg"
DAY = date(2026, 1, 5)
Partition = dict[str, int]  # account → number of its cluster
partitions = st.dictionaries(st.sampled_from(ACCOUNTS), st.integers(0, 3), min_size=1)
histories = st.lists(partitions, min_size=1, max_size=4)
few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@contextmanager
def ledger() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty ledger; of the warehouse's tables only those that it has."""
    tables = re.findall(r"create table if not exists ops\.identity_[^;]*;", SCHEMA)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("create schema ops;" + "".join(tables))
        yield connection


def run(
    connection: duckdb.DuckDBPyConnection, partition: Partition, as_of: date, order: str = "asc"
) -> dict[str, str]:
    """What each account is called after a run; clusters are named by their least account."""
    least = {c: min(a for a, k in partition.items() if k == c) for c in partition.values()}
    rows = sorted(partition, reverse=order == "desc")
    values = ", ".join(
        f"('{a}', '{least[partition[a]]}', "
        f"timestamp '2025-01-01' + interval {ord('z') - ord(a)} day)"
        for a in rows
    )
    connection.execute(
        "create or replace temp table clusters as "
        f"select * from (values {values}) as t (account, cluster, created_at)"
    )
    connection.execute(
        "create or replace temp table grounds as select '' as account, '' as reason, "
        "'' as evidence limit 0"
    )
    name_customers(connection, "clusters", as_of)
    clock = connection.execute("select count(*) from ops.identity_events").fetchall()[0][0]
    stamp = Stamp(as_of, datetime(2026, 6, 1) + timedelta(minutes=clock))
    record(connection, "identity_named", "grounds", stamp)
    connection.execute("delete from ops.identity_runs where as_of = ?", [as_of])
    connection.execute("insert into ops.identity_runs values (?, now(), '')", [as_of])
    return dict(connection.execute("select account, customer_id from identity_named").fetchall())


def events(connection: duckdb.DuckDBPyConnection) -> list[tuple]:  # type: ignore[type-arg]
    return connection.execute("select * from ops.identity_events order by seq").fetchall()


def weeks(history: list[Partition]) -> list[tuple[Partition, date]]:
    return [(partition, DAY + timedelta(weeks=i)) for i, partition in enumerate(history)]


# The account that an id came from is gone: whom it was given to has it, nobody else.
GONE = [
    {"a": 0, "f": 0, "b": 0},
    dict.fromkeys("abcd", 0) | {"e": 1, "f": 1},
    {"a": 2, "b": 0, "e": 1},
]


@few
@given(histories)
@example(GONE)
def test_one_id_a_cluster_and_one_cluster_an_id(history) -> None:
    with ledger() as connection:
        for partition, as_of in weeks(history):
            named = run(connection, partition, as_of)
            assert set(named) == set(partition)
            pairs = {(partition[account], known) for account, known in named.items()}
            assert len(pairs) == len(set(partition.values())) == len(set(named.values()))


@few
@given(histories)
@example(GONE)
def test_a_run_again_changes_nothing_and_says_nothing(history) -> None:
    with ledger() as connection:
        for partition, as_of in weeks(history):
            first, told = run(connection, partition, as_of), events(connection)
            assert run(connection, partition, as_of) == first
            assert events(connection) == told


@few
@given(histories)
def test_the_order_of_rows_is_no_matter(history) -> None:
    with ledger() as one, ledger() as other:
        for partition, as_of in weeks(history):
            assert run(one, partition, as_of) == run(other, partition, as_of, order="desc")


@few
@given(histories, partitions)
def test_a_backfill_changes_nothing_later(history, earlier) -> None:
    with ledger() as connection:
        named = [run(connection, partition, as_of) for partition, as_of in weeks(history)]
        run(connection, earlier, DAY - timedelta(weeks=1))
        for (partition, as_of), known in zip(weeks(history), named, strict=True):
            assert run(connection, partition, as_of) == known


@few
@given(partitions, st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS))
def test_undoing_a_merge_restores_exactly_what_was(before, left, right) -> None:
    with ledger() as connection:
        first = run(connection, before, DAY)
        a, b = before.get(left, 0), before.get(right, 0)
        merged = {account: a if c == b else c for account, c in before.items()}
        run(connection, merged, DAY)
        assert run(connection, before, DAY) == first


@few
@given(histories)
def test_a_cluster_that_stays_keeps_its_id(history) -> None:
    with ledger() as connection:
        known: dict[str, str] = {}
        for partition, as_of in weeks(history):
            named = run(connection, partition, as_of)
            for account, previous in known.items():
                same = {a for a, c in partition.items() if c == partition.get(account)}
                if account in partition and same == {a for a, i in known.items() if i == previous}:
                    assert named[account] == previous
            known = named


def test_the_eldest_gives_the_id_and_the_ledger_goes_before_age() -> None:
    with ledger() as connection:
        assert run(connection, {"a": 0, "b": 0}, DAY) == {"a": "b", "b": "b"}  # b is elder
        named = run(connection, {"a": 0, "b": 0, "c": 0}, DAY + timedelta(weeks=1))
        assert set(named.values()) == {"b"}  # c is elder still, but new in the ledger


def test_what_is_told_of_a_merge_and_a_split() -> None:
    with ledger() as connection:
        run(connection, {"a": 0, "b": 1}, DAY)
        run(connection, {"a": 0, "b": 0}, DAY + timedelta(weeks=1))
        run(connection, {"a": 0, "b": 1}, DAY + timedelta(weeks=2))
        told = [(row[1], row[2], row[3], row[4]) for row in events(connection)]
    assert told == [
        ("born", "b", None, "b"),
        ("born", "a", None, "a"),
        ("merged", "a", "a", "b"),
        ("split", "a", "b", "a"),
    ]


@pytest.mark.parametrize("gone", ["b", "a"])
def test_an_id_stays_when_the_account_it_came_from_is_forgotten(gone: str) -> None:
    with ledger() as connection:
        run(connection, {"a": 0, "b": 0, "c": 1}, DAY)
        left = {"a": 0, "b": 0, "c": 1}
        del left[gone]
        named = run(connection, left, DAY + timedelta(weeks=1))
        assert named["a" if gone == "b" else "b"] == "b"
