from __future__ import annotations

from datetime import date

import duckdb
import pytest

from tessera import networks
from tessera.settings import Network
from tessera.warehouse import SCHEMA

DAY, NEXT = date(2026, 1, 1), date(2026, 1, 8)
STAGING = """
create schema staging;
create table staging.stg_social__follows (
    follower_handle_key varchar, followed_handle_key varchar, followed_at timestamp
);
create table staging.stg_social__posts (
    post_id varchar, author_key varchar, author_handle_key varchar, network varchar,
    posted_at timestamp, in_reply_to varchar, mention_keys varchar
);
create table staging.stg_social__profiles (
    author_key varchar, handle_key varchar, seen_at timestamp
);
"""


@pytest.fixture
def warehouse(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(SCHEMA + STAGING)
    return connection


def _follow(warehouse: duckdb.DuckDBPyConnection, *pairs: str, at: str = "2025-06-01") -> None:
    for follower, followed in (pair.split(">") for pair in pairs):
        warehouse.execute(
            "insert into staging.stg_social__follows values (?, ?, ?)", [follower, followed, at]
        )


def _clique(warehouse: duckdb.DuckDBPyConnection, name: str, size: int) -> None:
    people = [f"{name}{n}" for n in range(size)]
    _follow(warehouse, *[f"{a}>{b}" for a in people for b in people if a < b])


def _own(warehouse: duckdb.DuckDBPyConnection, handle: str, customer: str) -> None:
    for day in (DAY, NEXT):
        warehouse.execute(
            "insert into enriched.identities values (?, 'handle', ?, ?)", [day, handle, customer]
        )


def _edges(warehouse: duckdb.DuckDBPyConnection, **told: float) -> list[tuple[str, str, float]]:
    network = networks.read(warehouse, Network(**told), DAY)
    keys = network.keys.to_pylist()
    ends = zip(network.source, network.target, network.weight, strict=True)
    return [(keys[a], keys[b], round(float(weight), 3)) for a, b, weight in ends]


def _communities(warehouse: duckdb.DuckDBPyConnection, day: date) -> list[tuple]:  # type: ignore[type-arg]
    return warehouse.execute(
        "select community_id, first_seen, is_new, members from enriched.communities "
        "where as_of = ? order by all",
        [day],
    ).fetchall()


def test_no_social_export_is_an_empty_network(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert networks.find(warehouse, Network(), DAY).startswith("0 people, 0 ties, 0 communities")
    assert warehouse.execute("select nodes from enriched.networks").fetchall() == [(0,)]


def test_follows_mentions_and_replies_are_ties(warehouse: duckdb.DuckDBPyConnection) -> None:
    _follow(warehouse, "a>b")
    warehouse.execute(
        """
        insert into staging.stg_social__posts values
            ('1', null, 'a', 'x', '2025-06-01', null, '["b", "b", null, "c"]'),
            ('2', 'x:7', null, 'x', '2025-06-02', '1', null),
            ('2', null, 'd', 'instagram', '2025-06-02', '1', '[]'),
            ('3', 'x:8', null, 'x', '2025-06-03', '1', null),
            ('4', null, 'a', 'x', '2026-01-01', null, '["late"]');
        insert into staging.stg_social__profiles values ('x:7', 'e', '2025-01-01')
        """
    )
    assert _edges(warehouse) == [
        ("a", "b", 2.585),  # followed once, mentioned twice
        ("a", "c", 1.0),
        ("e", "a", 1.0),  # known by the profile; a reply on another network is to another post
        ("x:8", "a", 1.0),
    ]
    assert _edges(warehouse, follow=0, reply=0, mention=2) == [("a", "b", 3.17), ("a", "c", 2.0)]


def test_two_handles_of_a_customer_are_one(warehouse: duckdb.DuckDBPyConnection) -> None:
    _own(warehouse, "a", "ada")
    _own(warehouse, "ada2", "ada")
    _follow(warehouse, "a>b", "ada2>b", "a>ada2")
    assert _edges(warehouse) == [("ada", "b", 1.585)]
    networks.find(warehouse, Network(), DAY)
    known = "select node, customer_id from enriched.network_nodes order by node"
    assert warehouse.execute(known).fetchall() == [("ada", "ada"), ("b", None)]


def test_what_comes_later_is_not_known_yet(warehouse: duckdb.DuckDBPyConnection) -> None:
    _follow(warehouse, "a>b", at="2025-12-31 23:59:59")
    _follow(warehouse, "a>c", at="2026-01-01 00:00:00")
    assert _edges(warehouse) == [("a", "b", 1.0)]


def test_ids_stay_while_members_come_and_go(warehouse: duckdb.DuckDBPyConnection) -> None:
    _clique(warehouse, "a", 5)
    _clique(warehouse, "b", 6)
    _follow(warehouse, "a0>b0", "y>z")
    networks.find(warehouse, Network(), DAY)
    first = [("c20260101-001", DAY, True, 6), ("c20260101-002", DAY, True, 5)]
    assert _communities(warehouse, DAY) == first, "a pair is no community"
    for n in range(4):  # the second community grows past the first
        _follow(warehouse, *[f"new{n}>a{m}" for m in range(5)], at="2026-01-05")
    late = [f"q{n}" for n in range(4)]
    _follow(warehouse, *[f"{a}>{b}" for a in late for b in late if a < b], at="2026-01-05")
    networks.find(warehouse, Network(), NEXT)
    second = [
        ("c20260101-001", DAY, False, 6),
        ("c20260101-002", DAY, False, 9),
        ("c20260108-001", NEXT, True, 4),
    ]
    assert _communities(warehouse, NEXT) == second
    networks.find(warehouse, Network(), DAY)  # later days are not looked at
    networks.find(warehouse, Network(), NEXT)
    assert _communities(warehouse, DAY) == first
    assert _communities(warehouse, NEXT) == second


def test_a_rerun_gives_the_same_tables(warehouse: duckdb.DuckDBPyConnection) -> None:
    _clique(warehouse, "a", 5)
    _clique(warehouse, "b", 4)
    networks.find(warehouse, Network(), DAY)
    tables = ("network_nodes", "communities", "networks")
    before = [warehouse.execute(f"from enriched.{t} order by all").fetchall() for t in tables]
    networks.find(warehouse, Network(), DAY)
    after = [warehouse.execute(f"from enriched.{t} order by all").fetchall() for t in tables]
    assert after == before


def test_figures_of_a_community(warehouse: duckdb.DuckDBPyConnection) -> None:
    _clique(warehouse, "a", 4)
    _own(warehouse, "a0", "ada")
    networks.find(warehouse, Network(), DAY)
    found = warehouse.execute(
        "select members, customers, ties, density, modularity, outward_share "
        "from enriched.communities"
    ).fetchall()
    assert found == [(4, 1, 6, 1.0, 0.0, 0.0)]
