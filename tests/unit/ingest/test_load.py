from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tessera import warehouse
from tessera.ingest.ledger import NotLoaded, withdraw
from tessera.ingest.load import Loaded, create_raw_tables, load_source
from tessera.ingest.source import Source

LOADED_AT = datetime(2026, 1, 15)
LINES = Source(
    kind="order_lines",
    files="lines*",
    columns={
        "order_id": "Order",
        "product_id": "Sku",
        "quantity": "Qty",
        "unit_price": "Price",
        "ordered_at": "When",
        "customer_id": "Who",
    },
)
HEADER = "Order,Sku,Qty,Price,When,Who\n"
EVENTS = Source(
    kind="web_events",
    files="web*",
    columns={
        "event_id": "messageId",
        "occurred_at": "timestamp",
        "product_id": "properties.product_id",
        "path": "context.page.path",
    },
)
POSTS = Source(
    kind="posts",
    files="posts*",
    columns={
        "post_id": "id", "author_handle": "by", "posted_at": "at", "text": "text",
        "mentions": "mentions",
    },
)  # fmt: skip


def load(connection: duckdb.DuckDBPyConnection, inbox: Path, source: Source = LINES) -> Loaded:
    return load_source(connection, inbox, "sales", source, LOADED_AT)


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return connection.execute(query).fetchall()


def quarantined(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    return rows(connection, "select file, line, reason from quarantine.rows order by all")


def refused(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(rows(connection, "select file, reason from quarantine.files"))


def good(order: int) -> str:
    return f"{order},A-{order},2,9.50,2025-12-01 10:00:00,c{order}\n"


def test_rows_arrive_as_they_were_with_their_line(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "lines-1.csv").write_text(HEADER + good(1) + '2,"A\n2",1,1,2025-12-02,\n' + good(3))
    told = load(connection, tmp_path)
    assert (told.files_loaded, told.rows_read, told.rows_loaded) == (1, 3, 3)
    assert rows(
        connection,
        "select order_id, product_id, quantity, unit_price, customer_id, _source, _load_id, _line "
        "from raw.order_lines order by _line",
    ) == [
        ("1", "A-1", "2", "9.50", "c1", "sales", 1, 2),
        ("2", "A\n2", "1", "1", None, "sales", 1, 3),
        ("3", "A-3", "2", "9.50", "c3", "sales", 1, 4),
    ]
    newest = rows(connection, "select newest_event_at from ops.loads")
    assert newest == [(datetime(2025, 12, 2),)]


def test_the_newest_event_heeds_offsets(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows_ = "1,A,1,1,2025-12-31T23:00:00-05:00,c\n2,A,1,1,2026-01-01T05:00:00+02:00,c\n"
    (tmp_path / "lines.csv").write_text(HEADER + rows_)
    load(connection, tmp_path)
    newest = rows(connection, "select newest_event_at from ops.loads")
    assert newest == [(datetime(2026, 1, 1, 4),)]


def test_nothing_is_loaded_twice(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "lines-1.csv").write_text(HEADER + good(1))
    load(connection, tmp_path)
    (tmp_path / "lines-1-again.csv").write_text(HEADER + good(1))
    (tmp_path / "lines-2.csv").write_text(HEADER + good(2))
    told = load(connection, tmp_path)
    assert (told.files_found, told.files_loaded, told.rows_loaded) == (3, 1, 1)
    assert rows(connection, "select count(*) from raw.order_lines") == [(2,)]


def test_the_same_bytes_twice_in_one_run(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for name in ("lines-1.csv", "lines-1-copy.csv"):
        (tmp_path / name).write_text(HEADER + good(1))
    assert load(connection, tmp_path).rows_loaded == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,A,many,9.50,2025-12-01,c\n", "quantity is not a decimal"),
        ("1,A,2,n/a,2025-12-01,c\n", "unit_price is not a decimal"),
        ("1,A,2,9.50,yesterday,c\n", "ordered_at is not a timestamp"),
        ("1,A,2,9.50,2025-13-45,c\n", "ordered_at is not a timestamp"),
        ("1,A,2,9.50,2031-01-01,c\n", "ordered_at is in the future"),
        ("1,A,2,9.50,infinity,c\n", "ordered_at is not a timestamp"),
        ("1,A,2,9.50,1899-12-30,c\n", "ordered_at is before 1900-01-01"),
        ("1,A,2,9.50,-infinity,c\n", "ordered_at is not a timestamp"),
        ("1,A,nan,9.50,2025-12-01,c\n", "quantity is not a decimal"),
        ("1,A,2,-9.50,2025-12-01,c\n", "unit_price is negative"),
        (",A,2,9.50,2025-12-01,c\n", "order_id is missing"),
        ("1,,2,9.50,2025-12-01,c\n", "product_id is missing"),
        (",,,,,\n", "not a record: none of the mapped columns is there"),
        ("1,A,2,9.50,2025-12-01,c,extra\n",
         "malformed row: Expected Number of Columns: 6 Found: 7"),
        ("1,A\n", "malformed row: Expected Number of Columns: 6 Found: 2"),
    ],
)  # fmt: skip
def test_a_bad_row_goes_to_quarantine_with_file_line_and_reason(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, row: str, reason: str
) -> None:
    (tmp_path / "lines-0.csv").write_text(HEADER + good(7) + good(8))
    (tmp_path / "lines-1.csv").write_text(HEADER + good(1) + row + good(2))
    told = load(connection, tmp_path)
    assert (told.rows_read, told.rows_loaded, told.rows_quarantined) == (5, 4, 1)
    assert quarantined(connection) == [("lines-1.csv", 3, reason)]
    lines = "select order_id, _line from raw.order_lines where _load_id = 2 order by 2"
    assert rows(connection, lines) == [("1", 2), ("2", 4)]


def test_the_raw_row_is_kept_whole(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    header = HEADER.replace("\n", ",Note\n")
    (tmp_path / "lines.csv").write_text(header + "1,A,many,9.50,2025-12-01,c,a note\n")
    load(connection, tmp_path)
    kept = json.loads(rows(connection, "select raw_row from quarantine.rows")[0][0])
    assert kept == {
        "Order": "1", "Sku": "A", "Qty": "many", "Price": "9.50", "When": "2025-12-01",
        "Who": "c", "Note": "a note",
    }  # fmt: skip


def test_invalid_utf8_is_one_bad_row(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    bad = b"1,\xff\xfe,1,1,2025-12-01,c\n"
    (tmp_path / "lines.csv").write_bytes(HEADER.encode() + good(1).encode() + bad)
    load(connection, tmp_path)
    ((_, line, reason),) = quarantined(connection)
    assert line == 3
    assert "not utf-8" in reason
    assert rows(connection, "select count(*) from raw.order_lines") == [(1,)]


def _truncated_gzip(path: Path) -> None:
    whole = gzip.compress((HEADER + "".join(good(i) for i in range(5_000))).encode())
    path.write_bytes(whole[: len(whole) // 2])


BROKEN = {
    "lines-empty.csv": (lambda path: path.touch(), "the file is empty"),
    "lines-truncated.csv.gz": (_truncated_gzip, "ended before the end-of-stream marker"),
    "lines-notgzip.csv.gz": (lambda path: path.write_text(HEADER), "cannot be read"),
    "lines-notparquet.parquet": (lambda path: path.write_text(HEADER), "not a readable Parquet"),
    "lines-binary.csv": (lambda path: path.write_bytes(bytes(range(256)) * 9), "cannot be read"),
    "lines-json.csv": (lambda path: path.write_text('{"Order": 1}\n'), "required columns missing"),
    "lines-column.csv": (
        lambda path: path.write_text("Order,Sku,Qty,When,Who\n1,A,2,2025-12-01,c\n"),
        "required columns missing: Price; the file has: Order, Sku, Qty, When, Who",
    ),
    "lines-twice.csv": (lambda path: path.write_text("Order,Order\n1,2\n"), "a column twice"),
    "lines.xlsx": (lambda path: path.write_bytes(b"PK"), "does not say what the file is"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_whole_and_its_neighbours_are_loaded(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    make, reason = BROKEN[name]
    make(tmp_path / name)
    for n in (1, 2, 3):
        (tmp_path / f"lines-{n}.csv").write_text(HEADER + good(n))
        (tmp_path / f"lines-{n}.csv.gz").write_bytes(
            gzip.compress((HEADER + good(10 + n)).encode())
        )
    told = load(connection, tmp_path)
    assert (told.files_loaded, told.files_refused, told.rows_loaded) == (6, 1, 6)
    assert reason in refused(connection)[name]
    assert str(tmp_path) not in refused(connection)[name]


def test_a_mended_file_is_loaded_by_the_next_run(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "lines.csv").touch()
    load(connection, tmp_path)
    (tmp_path / "lines.csv").write_text(HEADER + good(1))
    assert load(connection, tmp_path).rows_loaded == 1
    assert refused(connection) == {}


def test_a_withdrawn_file_is_gone_and_stays_away(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "lines-1.csv").write_text(HEADER + good(1))
    (tmp_path / "lines-2.csv").write_text(HEADER + good(2) + ",,,,,\n")
    load(connection, tmp_path)
    assert withdraw(connection, "lines-2.csv", LOADED_AT) == 2
    assert load(connection, tmp_path).files_loaded == 0
    assert rows(connection, "select order_id from raw.order_lines") == [("1",)]
    assert quarantined(connection) == []
    assert rows(connection, "select status from ops.loads order by load_id") == [
        ("loaded",), ("withdrawn",),
    ]  # fmt: skip
    with pytest.raises(NotLoaded, match=r"lines-2\.csv"):
        withdraw(connection, "lines-2.csv", LOADED_AT)


def test_header_only_and_unfinished_files(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "lines-1.csv").write_text(HEADER)
    for name in ("lines-2.csv.part", "lines-3.tmp", ".lines-4.csv"):
        (tmp_path / name).write_text(HEADER + good(1))
    told = load(connection, tmp_path)
    assert (told.files_found, told.files_loaded, told.rows_read) == (1, 1, 0)


def test_columns_may_come_in_any_order_and_optional_ones_may_lack(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "lines-1.csv").write_text(HEADER + good(1))
    (tmp_path / "lines-2.csv").write_text("Price,Qty,Sku,Order\n3,1,B,2\n")
    load(connection, tmp_path)
    query = "select order_id, unit_price, customer_id from raw.order_lines order by 1"
    assert rows(connection, query) == [("1", "9.50", "c1"), ("2", "3", None)]


def test_refunds_by_prefix_negative_prices_and_duplicates_follow_the_settings(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    source = LINES.model_copy(
        update={
            "refund_order_prefix": "C",
            "negative_price": "adjustment",
            "exact_duplicates": "quarantine",
        }
    )
    (tmp_path / "lines.csv").write_text(
        HEADER + good(1) + good(1) + "C2,A,-1,5,2025-12-01,c\n" + "A3,B,1,-70,2025-12-01,\n"
    )
    load(connection, tmp_path, source)
    query = "select order_id, is_refund, unit_price from raw.order_lines order by _line"
    assert rows(connection, query) == [
        ("1", "false", "9.50"), ("C2", "true", "5"), ("A3", "false", "-70"),
    ]  # fmt: skip
    assert quarantined(connection) == [
        ("lines.csv", 3, "exact duplicate of an earlier row of the file")
    ]


def test_local_times_become_utc(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    source = LINES.model_copy(update={"timezone": "Europe/Berlin"})
    (tmp_path / "lines.csv").write_text(
        HEADER
        + "1,A,1,1,2025-07-01 12:00:00,c\n2,A,1,1,2025-12-01 12:00:00,c\n"
        + "3,A,1,1,2025-12-01T12:00:00Z,c\n4,A,1,1,2025-12-01,c\n"
    )
    load(connection, tmp_path, source)
    query = "select order_id, cast(ordered_at as timestamp) from raw.order_lines order by 1"
    assert rows(connection, query) == [
        ("1", datetime(2025, 7, 1, 10)), ("2", datetime(2025, 12, 1, 11)),
        ("3", datetime(2025, 12, 1, 12)), ("4", datetime(2025, 11, 30, 23)),
    ]  # fmt: skip


def test_json_lines_nested_broken_and_blank(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    lines = [
        '{"messageId": "a", "timestamp": "2025-12-01T10:00:00Z", '
        '"properties": {"product_id": 7}, "context": {"page": {"path": "/x"}}}',
        '{"messageId": "b", "timestamp": ',
        '{"messageId": "c", "timestamp": "soon"}',
        "[1, 2]",
        '{"messageId": "d", "timestamp": "2025-12-01T11:00:00+02:00", "other": {"x": 1}}',
    ]
    (tmp_path / "web.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    told = load(connection, tmp_path, EVENTS)
    assert (told.rows_read, told.rows_loaded, told.rows_quarantined) == (5, 2, 3)
    query = "select event_id, product_id, path, _line from raw.web_events order by 1"
    assert rows(connection, query) == [("a", "7", "/x", 1), ("d", None, None, 5)]
    kept = rows(connection, "select line, reason, raw_row from quarantine.rows order by 1")
    assert [row[0] for row in kept] == [2, 3, 4]
    assert [row[2] for row in kept] == [lines[1], lines[2], lines[3]]
    assert kept[1][1] == "occurred_at is not a timestamp"


def test_numbers_that_are_none(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    source = Source(
        kind="app_events",
        files="app*",
        columns={
            "customer_id": "c",
            "event_name": "e",
            "occurred_at": "t",
            "duration_seconds": "d",
        },
    )
    values = ["12.5", "nan", "inf", "1e999", "-", ""]
    text = "c,e,t,d\n" + "".join(f"c,open,2025-12-01,{value}\n" for value in values)
    (tmp_path / "app.csv").write_text(text)
    load(connection, tmp_path, source)
    assert rows(connection, "select duration_seconds from raw.app_events order by _line") == [
        ("12.5",), (None,),
    ]  # fmt: skip
    assert {reason for _, _, reason in quarantined(connection)} == {
        "duration_seconds is not a double"
    }


def test_json_lists_stay_json(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    post = {"id": "1", "by": "@a", "at": "2025-12-01T10:00:00Z", "text": "hé", "mentions": ["b"]}
    (tmp_path / "posts.jsonl").write_text(json.dumps(post))
    load(connection, tmp_path, POSTS)
    text, mentions = rows(connection, "select text, mentions from raw.posts")[0]
    assert (text, json.loads(mentions)) == ("hé", ["b"])


def test_parquet_with_structs_types_and_lists(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    events = pa.table(
        {
            "messageId": ["a", "b"],
            "timestamp": pa.array([datetime(2025, 12, 1, 10)] * 2, pa.timestamp("us", "UTC")),
            "properties": [{"product_id": 7}, None],
        }
    )
    pq.write_table(events, tmp_path / "web.parquet")
    load(connection, tmp_path, EVENTS)
    query = "select event_id, occurred_at::timestamp, product_id from raw.web_events order by 1"
    assert rows(connection, query) == [
        ("a", datetime(2025, 12, 1, 10), "7"), ("b", datetime(2025, 12, 1, 10), None),
    ]  # fmt: skip
    post = {"id": ["1"], "by": ["@a"], "at": ["2025-12-01"], "text": ["x"], "mentions": [["b"]]}
    pq.write_table(pa.table(post), tmp_path / "posts.parquet")
    load_source(connection, tmp_path, "posts", POSTS, LOADED_AT)
    assert rows(connection, "select mentions from raw.posts") == [('["b"]',)]


def test_hostile_names_are_only_names(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    column = "O\"rd'er; drop table raw.orders --"
    source = LINES.model_copy(update={"columns": {**LINES.columns, "order_id": column}})
    quoted = '"' + column.replace('"', '""') + '"'
    name = "lines [1] o'clock; drop.csv"
    (tmp_path / name).write_text(HEADER.replace("Order", quoted) + good(1))
    assert load(connection, tmp_path, source).rows_loaded == 1
    assert rows(connection, "select file from ops.loads") == [(name,)]


cell = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
    st.sampled_from(
        ["1", "-2", "2025-12-01", "", " ", "nan", "1e999", '"', "\r\n", ",", "Infinity"]
    ),
)


@given(table=st.lists(st.lists(cell, min_size=1, max_size=8), max_size=12), cut=st.integers(0, 400))
@limits(max_examples=25, deadline=None)
def test_whatever_the_bytes_no_row_is_lost(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], cut: int
) -> None:
    """Read = loaded + quarantined, or the file is refused: load_source asserts it."""
    inbox = tmp_path_factory.mktemp("inbox")
    text = HEADER + "".join(",".join(row) + "\n" for row in table)
    (inbox / "lines.csv").write_bytes(text.encode("utf-8", "replace")[: len(HEADER) + cut])
    with duckdb.connect() as connection:
        connection.execute(warehouse.SCHEMA)
        create_raw_tables(connection)
        told = load(connection, inbox)
    assert told.rows_read == told.rows_loaded + told.rows_quarantined
    assert told.files_loaded + told.files_refused == 1
