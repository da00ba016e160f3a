"""The published tables on a PostgreSQL server, for BI tools that want one.

All of it is one transaction: a new schema is filled and indexed unseen, then takes the place of the
old one. Whoever dies in the middle leaves the old tables. docs/decisions/serving.md.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import psycopg
import pyarrow.csv
from psycopg import Cursor, errors
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from tessera.publish.columns import Column, read_columns
from tessera.publish.refusals import NotServed
from tessera.sql import name as quoted

SCHEMA, NEXT = "segments", "segments_next"
READER = "tessera_bi"
# What people look rows up and sort them by: a table of more than a few pages gets every index whose
# columns it has.
INDEXES = (
    ("customer_id",),
    ("segment_id",),
    ("lifecycle_stage", "m_score"),
    # The best customers of a stage: read in this order, without a look at the rows of other stages.
    ("monetary", "lifecycle_stage", "m_score"),
    ("valid_from", "segment_name"),
)
MANY_ROWS = 1_000
BATCH_ROWS = 50_000
NAME_BYTES = 63
# Below PostgreSQL's deadlock_timeout of a second: it must never be a reader who is ended.
LOCK_MILLISECONDS = (100, 200, 400, 800)
PATIENCE_SECONDS = 600.0
_NO_RIGHTS = (
    errors.UndefinedObject, errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A published table as the server gets it."""

    name: str
    columns: Sequence[Column]

    @property
    def loaded(self) -> Composed:
        """Its name while it is loaded."""
        return SQL("{}.{}").format(Identifier(NEXT), Identifier(self.name))


def serve(
    published: duckdb.DuckDBPyConnection, url: str, patience_seconds: float = PATIENCE_SECONDS
) -> str:
    """Replace the server's schema `segments` by the published tables; say what was done.

    `published` is an open published file, `url` says `postgresql://…` and a role that owns the
    database. Readers see the old tables or the new ones, in a transaction always the same. Raises
    NotServed when the server cannot be reached, refuses, or readers hold the old tables for longer
    than `patience_seconds`.
    """
    (run,) = published.execute("select any_value(run) from segments.about").fetchall()[0]
    try:
        with (
            psycopg.connect(url, connect_timeout=10, application_name="tessera serve") as server,
            server.cursor() as cursor,
        ):
            return _replace(published, cursor, run, patience_seconds)
    except psycopg.Error as error:
        raise NotServed(f"PostgreSQL has not taken {run}: {_explained(error)}") from error


def _replace(
    published: duckdb.DuckDBPyConnection, cursor: Cursor, run: str, patience_seconds: float
) -> str:
    # Two at once: the second finds the run served, or waits in vain and says so.
    cursor.execute("set local lock_timeout = '60s'")
    cursor.execute("select pg_advisory_xact_lock(hashtext('tessera serve'))")
    if _served(cursor) == run:
        return "unchanged"
    tables = _tables(published)
    cursor.execute(SQL("drop schema if exists {} cascade").format(Identifier(NEXT)))
    cursor.execute(SQL("create schema {}").format(Identifier(NEXT)))
    rows = sum(_load(published, cursor, table) for table in tables)
    _grant(cursor)
    _swap(cursor, patience_seconds)
    return f"{len(tables)} tables, {rows:,} rows of {run} in PostgreSQL"


def _served(cursor: Cursor) -> str | None:
    """The run that readers see; none before the first one."""
    there = cursor.execute("select to_regclass(%s)", [f"{SCHEMA}.about"]).fetchone()
    if not there or there[0] is None:
        return None
    row = cursor.execute(SQL("select max(run) from {}.about").format(Identifier(SCHEMA))).fetchone()
    return str(row[0]) if row else None


def _tables(published: duckdb.DuckDBPyConnection) -> list[Table]:
    """All published tables. Raises NotServed for a name that PostgreSQL would cut."""
    tables = [Table(name, columns) for name, columns in read_columns(published, SCHEMA).items()]
    for table in tables:
        for name in (table.name, *(column.name for column in table.columns)):
            if len(name.encode()) > NAME_BYTES:
                raise NotServed(
                    f"{table.name}: the name {name!r} has more than the {NAME_BYTES} bytes that "
                    "PostgreSQL takes. Give it a shorter one in the dbt model"
                )
    return tables


def _load(published: duckdb.DuckDBPyConnection, cursor: Cursor, table: Table) -> int:
    """Create, fill, index and analyse one table; return its rows."""
    columns = [
        SQL("{} {}").format(Identifier(column.name), SQL(column.postgres_type))
        for column in table.columns
    ]
    cursor.execute(SQL("create table {} ({})").format(table.loaded, SQL(", ").join(columns)))
    rows = _copy(published, cursor, table)
    if rows > MANY_ROWS:
        names = {column.name for column in table.columns}
        for indexed in (index for index in INDEXES if names.issuperset(index)):
            by = SQL(", ").join(map(Identifier, indexed))
            cursor.execute(SQL("create index on {} ({})").format(table.loaded, by))
    cursor.execute(SQL("analyze {}").format(table.loaded))
    return rows


def _copy(published: duckdb.DuckDBPyConnection, cursor: Cursor, table: Table) -> int:
    # Frozen rows are seen by transactions that began earlier, too; they would find an empty table.
    into = SQL("copy {} from stdin (format csv, freeze)").format(table.loaded)
    selected = ", ".join(column.as_csv for column in table.columns)
    rows = 0
    with cursor.copy(into) as copy:
        batches = published.sql(f"select {selected} from {SCHEMA}.{quoted(table.name)}")
        for batch in batches.to_arrow_reader(BATCH_ROWS):
            lines = io.BytesIO()
            pyarrow.csv.write_csv(batch, lines, pyarrow.csv.WriteOptions(include_header=False))
            copy.write(lines.getbuffer())
            rows += batch.num_rows
    return rows


def _grant(cursor: Cursor) -> None:
    told: dict[str, Composable] = {"schema": Identifier(NEXT), "reader": Identifier(READER)}
    cursor.execute(SQL("grant usage on schema {schema} to {reader}").format(**told))
    cursor.execute(SQL("grant select on all tables in schema {schema} to {reader}").format(**told))


def _swap(cursor: Cursor, patience_seconds: float) -> None:
    """Put the new schema in the place of the old one, between two statements of every reader.

    A reader's transaction keeps a lock on what it has read, so it never sees both. We wait for it
    shortly, then let those queued behind us go on, and try again.
    """
    until, attempt = time.monotonic() + patience_seconds, 0
    while not _swapped(cursor, LOCK_MILLISECONDS[min(attempt, len(LOCK_MILLISECONDS) - 1)]):
        if time.monotonic() > until:
            raise NotServed(
                f"readers have held the old tables for {patience_seconds:.0f} s: {_readers(cursor)}"
                ". End their transactions and run the step again; they see the old tables till then"
            )
        attempt += 1
        time.sleep(min(0.1 * 2**attempt, 2))


def _swapped(cursor: Cursor, milliseconds: int) -> bool:
    cursor.execute("savepoint swap")
    try:
        cursor.execute(SQL("set local statement_timeout = {}").format(Literal(milliseconds)))
        old = _old_tables(cursor)
        if old:
            named = SQL(", ").join(old)
            cursor.execute(SQL("lock table {} in access exclusive mode").format(named))
            cursor.execute("set local statement_timeout = 0")
            # Not cascade: a view that somebody made on a table is not ours to drop.
            cursor.execute(SQL("drop table {}").format(named))
        cursor.execute(SQL("drop schema if exists {}").format(Identifier(SCHEMA)))
        cursor.execute(
            SQL("alter schema {} rename to {}").format(Identifier(NEXT), Identifier(SCHEMA))
        )
    except errors.QueryCanceled:
        cursor.execute("rollback to savepoint swap")
        cursor.execute("set local statement_timeout = 0")
        return False
    return True


def _old_tables(cursor: Cursor) -> list[Composed]:
    rows = cursor.execute(
        "select tablename from pg_tables where schemaname = %s order by tablename", [SCHEMA]
    ).fetchall()
    return [SQL("{}.{}").format(Identifier(SCHEMA), Identifier(name)) for (name,) in rows]


def _readers(cursor: Cursor) -> str:
    """Who holds a lock on the served tables."""
    rows = cursor.execute(
        "select distinct format('pid %%s, %%s, %%s, in a transaction since %%s', a.pid, a.usename, "
        "coalesce(nullif(a.application_name, ''), 'no application name'), "
        "coalesce(a.xact_start::timestamp(0)::text, 'unknown')) "
        "from pg_locks l join pg_class c on c.oid = l.relation "
        "join pg_namespace n on n.oid = c.relnamespace join pg_stat_activity a on a.pid = l.pid "
        "where n.nspname = %s and l.granted and l.pid <> pg_backend_pid()",
        [SCHEMA],
    ).fetchall()
    return "; ".join(who for (who,) in rows) or "they have just let go"


def _explained(error: psycopg.Error) -> str:
    told = " ".join(f"{error} {error.diag.message_detail or ''}".split()) or type(error).__name__
    if isinstance(error, _NO_RIGHTS):
        return f"{told}. Roles and rights are made by deploy/serving-roles.sql"
    if isinstance(error, errors.DependentObjectsStillExist):
        return f"{told}. Drop these, or make them in dbt as public tables"
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return f"{told}. Is the server of TESSERA_SERVING_URL up?"
    return told
