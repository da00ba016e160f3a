"""A table or query of PostgreSQL: what is new by its cursor column, as Parquet files of text.

One extraction is one snapshot (a repeatable-read transaction). It brings the rows above the saved
mark, and of those at and `lookback` below it, where a transaction that was slow to commit may have
added some, only the ones that were not there before: they are told by a digest of the whole row.
Values come as PostgreSQL writes them: nothing is rounded, and the raw floor is text.

The saved state: `mark`, the greatest cursor so far, and `seen`, the digests of the rows that the
next extraction looks at again. Without a cursor: `digests`, of the files of the last extraction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tessera import sql
from tessera.ingest.fetch.failure import FetchFailed, need
from tessera.ingest.fetch.landing import Landing
from tessera.ingest.fetch.secret import Secrets
from tessera.ingest.fetch.settings import Fetch

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

SNAPSHOT = (
    "set transaction isolation level repeatable read read only",
    # How values are written may not depend on the server's or the user's settings.
    "set local time zone 'UTC'",
    "set local datestyle = 'ISO, YMD'",
    "set local intervalstyle = 'iso_8601'",
    "set local extra_float_digits = 1",
    "set local bytea_output = 'hex'",
)
TIMES = ("timestamp", "date")
NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
# Looked back where the settings say nothing, in seconds or units: a transaction that commits late
# brings times and ids below the greatest one.
LOOKBACK = 3600
# Equal rows are numbered, so that a second one that comes later is not taken for the first.
DIGEST = "md5(t::text) || ':' || row_number() over (partition by t::text)"


@dataclass(frozen=True)
class Window:
    """What one extraction reads, as SQL conditions: the new rows, and those to look at again.

    mark  text of the greatest cursor of the snapshot; None when no row has one
    """

    new: str
    again: str
    next_again: str
    mark: str | None


def fetch_rows(
    uri: str, fetch: Fetch, landing: Landing, secrets: Secrets
) -> tuple[list[str], int, list[str]]:
    """Land what is new; return the names of the files, their bytes, and notes for people."""
    with _connect(uri, fetch, secrets) as connection, connection.cursor() as cursor:
        for statement in SNAPSHOT:
            cursor.execute(statement)
        extraction = Extraction(cursor, fetch, landing)
        names, saved = extraction.since_mark() if fetch.cursor else extraction.all()
        connection.rollback()
    size = landing.commit(names, saved, extraction.number if names else 0)
    return names, size, []


class Extraction:
    """One reading of the table: writes the parts, commits nothing."""

    def __init__(self, cursor: Cursor, fetch: Fetch, landing: Landing) -> None:
        self._cursor, self._fetch, self._landing = cursor, fetch, landing
        self.number = landing.next_number()
        asked = fetch.query.strip().rstrip(";") or f"select * from {_quoted(fetch.table)}"
        self._rows = f"({asked}\n) t"
        cursor.execute(f"select * from {self._rows} limit 0")
        self._columns = [column[0] for column in cursor.description or ()]
        self._texts = ", ".join(f"t.{sql.name(c)}::text as {sql.name(c)}" for c in self._columns)

    def all(self) -> tuple[list[str], dict[str, Any]]:
        """Every row; nothing when the files are those of the last time."""
        query = f"select {self._texts} from {self._rows}"
        names = self._write(self._batches(f"{query} order by t::text"))
        names, digests = self._landing.fresh(names, self._landing.saved.get("digests", []))
        return names, {"digests": digests}

    def since_mark(self) -> tuple[list[str], dict[str, Any]]:
        """The rows above the mark, and those at or below it that were not there before."""
        window = self._window(self._landing.saved.get("mark"))
        names = self._write(self._wanted(window))
        self._cursor.execute(f"select {DIGEST} from {self._rows} where {window.next_again}")
        seen = self._cursor.fetch_arrow_table().column(0).to_pylist()
        return names, {"mark": window.mark, "seen": sorted(seen)}

    def _wanted(self, window: Window) -> Iterator[pa.RecordBatch]:
        seen = pa.array(self._landing.saved.get("seen", []), pa.string())
        for batch in self._batches(
            f"select {self._texts}, {DIGEST} as {sql.name(DIGEST)} from {self._rows} "
            f"where {window.again} order by t::text"
        ):
            digests = batch.column(batch.num_columns - 1)
            fresh = pc.invert(pc.is_in(digests, value_set=seen))
            yield batch.select(self._columns).filter(fresh)
        yield from self._batches(
            f"select {self._texts} from {self._rows} where {window.new} "
            f"order by t.{sql.name(self._fetch.cursor)}"
        )

    def _window(self, mark: str | None) -> Window:
        column = f"t.{sql.name(self._fetch.cursor)}"
        kind = self._one(f"select pg_typeof(max({column}))::text from {self._rows} where false")
        # Rows that were deleted do not set the mark back.
        old = "null" if mark is None else _value(mark, kind)
        newest = self._one(f"select greatest(max({column}), {old})::text from {self._rows}")
        new, again, next_again = f"{column} is not null", "false", "false"
        if mark is not None:
            new = f"{column} > {old}"
            again = f"{column} between {self._back(mark, kind)} and {old}"
        if newest is not None:
            next_again = f"{column} >= {self._back(newest, kind)}"
        nulls = f"{column} is null"
        return Window(new, f"({again} or {nulls})", f"({next_again} or {nulls})", newest)

    def _back(self, mark: str, kind: str) -> str:
        is_time, is_number = kind.startswith(TIMES), kind in NUMBERS
        if self._fetch.lookback and not (is_time or is_number):
            raise FetchFailed(
                f"`lookback` needs a cursor that is a time or a number: "
                f"{self._fetch.cursor} is {kind}"
            )
        lookback = LOOKBACK if self._fetch.lookback is None else self._fetch.lookback
        if is_time:
            return f"{_value(mark, kind)} - interval '{lookback} seconds'"
        return f"{_value(mark, kind)} - {lookback}" if is_number else _value(mark, kind)

    def _one(self, query: str) -> Any:
        self._cursor.execute(query)
        return (self._cursor.fetchone() or (None,))[0]

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        self._cursor.execute(query)
        yield from self._cursor.fetch_record_batch()

    def _write(self, batches: Iterator[pa.RecordBatch]) -> list[str]:
        """Write the rows into parts of at most `rows_per_file`; return their names."""
        names: list[str] = []
        limit = self._fetch.rows_per_file
        rows, writer = limit, None
        for batch in _sliced(batches, limit):
            # Files are filled up to a whole batch: the next one may be too large for the rest.
            if writer is None or rows + batch.num_rows > limit:
                if writer is not None:
                    writer.close()
                names.append(f"{self.number:08}-{len(names) + 1:04}.parquet")
                rows, writer = 0, pq.ParquetWriter(self._landing.part(names[-1]), batch.schema)
            writer.write_batch(batch)
            rows += batch.num_rows
        if writer is not None:
            writer.close()
        return names


def _sliced(batches: Iterator[pa.RecordBatch], limit: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, limit):
            yield batch.slice(start, limit)


def _connect(uri: str, fetch: Fetch, secrets: Secrets) -> Connection:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise need("adbc-driver-postgresql", "postgresql") from None
    parts = urlsplit(uri)
    if fetch.password:
        user, _, host = parts.netloc.rpartition("@")
        password = quote(secrets.resolve(fetch.password), safe="")
        parts = parts._replace(netloc=f"{user.rstrip(':')}:{password}@{host}")
    return dbapi.connect(urlunsplit(parts))


def _quoted(table: str) -> str:
    return ".".join(sql.name(part) for part in table.split("."))


def _value(text: str, kind: str) -> str:
    return f"{sql.text(text)}::{kind}"
