"""Tables and queries of a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow.parquet as pq
import pytest

from tessera.ingest.fetch.failure import FetchFailed
from tests.unit.ingest.fetch.conftest import Place
from tests.unit.ingest.fetch.served import postgresql

PASSWORD = "a:hidden/pass@word"
CURSOR = {"table": "shop.orders", "cursor": "updated_at", "password": "{secret:PG_PASSWORD}"}


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with postgresql() as started:
        yield started


@pytest.fixture
def database(server: Any) -> Iterator[Any]:
    connection = psycopg2.connect(server.get_uri())
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(
        "drop schema if exists shop cascade; create schema shop;"
        "create table shop.orders (id int, total numeric(12, 2), note text, extra jsonb,"
        " updated_at timestamptz)"
    )
    yield cursor
    connection.close()


@pytest.fixture
def uri(server: Any) -> str:
    """With a user, without the password."""
    return server.get_uri().replace("postgres:@", "postgres@")


def insert(cursor: Any, *rows: tuple[int, str | None]) -> None:
    for order_id, at in rows:
        cursor.execute("insert into shop.orders values (%s, 19.90, 'n', '{}', %s)", (order_id, at))


def fetch(place: Place, uri: str, **options: Any) -> list[dict[str, str | None]]:
    """The rows that one fetch brings."""
    fetched = place.fetch(uri, lambda name: PASSWORD, **{**CURSOR, **options})
    rows: list[dict[str, str | None]] = []
    for name in fetched.files:
        rows += pq.read_table(place.inbox / "feed" / name).to_pylist()
    return rows


def ids(rows: list[dict[str, str | None]]) -> list[int]:
    return [int(row["id"] or 0) for row in rows]


def test_the_first_run_takes_all_and_the_next_what_is_new(database, uri, place: Place):
    insert(database, (2, "2026-01-02 08:00+01"), (1, "2026-01-01"), (3, None))
    first = fetch(place, uri)
    assert sorted(ids(first)) == [1, 2, 3]
    assert first[-1] == {
        "id": "2",
        "total": "19.90",
        "note": "n",
        "extra": "{}",
        "updated_at": "2026-01-02 07:00:00+00",
    }
    assert fetch(place, uri) == []
    insert(database, (4, "2026-01-03"))
    database.execute("update shop.orders set note = 'new', updated_at = '2026-01-04' where id = 1")
    assert ids(fetch(place, uri)) == [4, 1]
    assert [path.name for path in place.files] == [
        "00000001-0001.parquet",
        "00000002-0001.parquet",
    ]


def test_ties_at_the_mark_and_late_commits_are_brought_once(database, uri, place: Place):
    insert(database, (1, "2026-01-01 12:00:00"), (2, "2026-01-01 12:00:00.000001"))
    fetch(place, uri)
    insert(database, (3, "2026-01-01 12:00:00.000001"))  # a tie
    insert(database, (4, "2026-01-01 11:30"))  # committed late, within the hour looked back
    insert(database, (5, "2026-01-01 10:30"))  # later than that
    assert sorted(ids(fetch(place, uri))) == [3, 4]
    insert(database, (6, None))
    assert ids(fetch(place, uri)) == [6]
    assert fetch(place, uri) == []


def test_a_longer_look_back_brings_what_was_missed(database, uri, place: Place):
    insert(database, (1, "2026-01-02"))
    fetch(place, uri, lookback=86400)
    insert(database, (2, "2026-01-01 06:00"))
    assert ids(fetch(place, uri, lookback=86400)) == [2]


def test_equal_rows_are_as_many_as_there_are(database, uri, place: Place):
    insert(database, (1, "2026-01-01"), (1, "2026-01-01"))
    assert ids(fetch(place, uri)) == [1, 1]
    insert(database, (1, "2026-01-01"))
    assert ids(fetch(place, uri)) == [1]
    assert fetch(place, uri) == []


def test_deleted_rows_do_not_set_the_mark_back(database, uri, place: Place):
    insert(database, (1, "2026-01-01"), (2, "2026-02-01"))
    fetch(place, uri)
    database.execute("delete from shop.orders where id = 2")
    assert fetch(place, uri) == []
    database.execute("delete from shop.orders")
    assert fetch(place, uri) == []
    insert(database, (3, "2026-02-02"))
    assert ids(fetch(place, uri)) == [3]


def test_numbers_and_words_are_cursors_too(database, uri, place: Place):
    insert(database, (9, "2026-01-01"), (10, "2026-01-01"))
    query = "select *, 'w' || lpad(id::text, 3, '0') as word from shop.orders; "
    assert ids(fetch(place, uri, table="", query=query, cursor="id")) == [9, 10]
    insert(database, (11, "2026-01-01"))
    assert ids(fetch(place, uri, table="", query=query, cursor="id")) == [11]
    other = Place(place.inbox.parent / "other")
    assert len(fetch(other, uri, table="", query=query, cursor="word")) == 3
    insert(database, (12, "2026-01-01"))
    assert ids(fetch(other, uri, table="", query=query, cursor="word")) == [12]
    with pytest.raises(FetchFailed, match=r"`lookback` needs a cursor .* word is text"):
        fetch(other, uri, table="", query=query, cursor="word", lookback=5)


def test_files_hold_at_most_so_many_rows(database, uri, place: Place):
    insert(database, *((n, f"2026-01-{n:02}") for n in range(1, 8)))
    assert ids(fetch(place, uri, rows_per_file=3)) == [1, 2, 3, 4, 5, 6, 7]
    assert [pq.read_metadata(path).num_rows for path in place.files] == [3, 3, 1]


def test_without_a_cursor_everything_comes_when_anything_changed(database, uri, place: Place):
    insert(database, (2, "2026-01-01"), (1, "2026-01-01"))
    everything = {"cursor": ""}
    assert sorted(ids(fetch(place, uri, **everything))) == [1, 2]
    assert fetch(place, uri, **everything) == []
    database.execute("delete from shop.orders where id = 1")
    assert ids(fetch(place, uri, **everything)) == [2]


def test_a_crash_before_the_state_is_saved_leaves_the_mark(database, uri, place, monkeypatch):
    insert(database, (1, "2026-01-01"))
    with monkeypatch.context() as patched:
        patched.setattr("tessera.ingest.fetch.landing.Landing._write", lambda *a, **k: 1 / 0)
        with pytest.raises(FetchFailed, match="ZeroDivisionError"):
            fetch(place, uri)
    assert ids(fetch(place, uri)) == [1]
    assert [path.name for path in place.files] == ["00000001-0001.parquet"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"table": "shop.nowhere"}, 'relation "shop.nowhere" does not exist'),
        ({"cursor": "nothing"}, "column t.nothing does not exist"),
        ({"table": "", "query": "selekt 1"}, "syntax error at or near"),
    ],
)
def test_what_the_server_says_is_passed_on(database, uri, place: Place, options, said):
    with pytest.raises(FetchFailed) as raised:
        fetch(place, uri, **options)
    assert said in str(raised.value)


def test_the_password_opens_what_asks_for_one(server, database, uri, place: Place):
    database.execute("show hba_file")
    rules = Path(database.fetchone()[0])
    rules.write_text(f"local all reader scram-sha-256\n{rules.read_text()}")
    database.execute("select pg_reload_conf()")
    database.execute("drop role if exists reader")
    database.execute("create role reader login superuser password %s", (PASSWORD,))
    insert(database, (1, "2026-01-01"))
    as_reader = uri.replace("postgres@", "reader@")
    assert ids(fetch(place, as_reader)) == [1]
    with pytest.raises(FetchFailed, match="password authentication failed") as raised:
        place.fetch(as_reader, lambda name: "another password", **CURSOR)
    assert "another password" not in str(raised.value)


def test_a_server_that_is_not_there_is_named_without_the_password(place: Place):
    with pytest.raises(FetchFailed, match="Connection refused") as raised:
        fetch(place, "postgresql://reader@127.0.0.1:9/shop")
    assert PASSWORD not in str(raised.value)
    assert "a%3Ahidden" not in str(raised.value)
    assert not list(Path(place.inbox).rglob("*.parquet"))
