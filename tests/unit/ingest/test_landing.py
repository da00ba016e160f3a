"""Files that come twice, larger, late, half-written, in other spellings, or mended."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tessera import warehouse
from tessera.ingest import ledger, repairs
from tessera.ingest.load import Loaded, create_raw_tables, load_source
from tessera.ingest.source import Source

AT = datetime(2026, 1, 5, 3)
COLUMNS = {
    "order_id": "order",
    "customer_id": "customer",
    "ordered_at": "at",
    "total_amount": "total",
    "currency": "currency",
}
HEADER = "order,customer,at,total,currency\n"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(warehouse.SCHEMA)
        create_raw_tables(opened)
        yield opened


def source(**told: Any) -> Source:
    return Source(**{"kind": "orders", "files": "*", "columns": COLUMNS, **told})


def load(
    connection: duckdb.DuckDBPyConnection, inbox: Path, told: Source | None = None, **options: Any
) -> Loaded:
    return load_source(connection, inbox, "shop", told or source(), AT, **options)


def write(inbox: Path, name: str, *rows: str, header: str = HEADER) -> Path:
    file = inbox / name
    file.write_text(header + "".join(f"{row}\n" for row in rows))
    return file


def order(number: int, total: str = "9.50", currency: str = "EUR") -> str:
    return f"{number},c{number},2025-12-01 10:00:00,{total},{currency}"


def raw(connection: duckdb.DuckDBPyConnection, columns: str = "order_id") -> list[Any]:
    found = connection.execute(f"select {columns} from raw.orders order by all").fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def refused(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    return connection.execute("select line, reason from quarantine.rows order by all").fetchall()


def entries(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    return connection.execute(
        "select file, status, rows_read, rows_loaded, rows_already_there from ops.loads "
        "order by load_id"
    ).fetchall()


# --- exactly once -------------------------------------------------------------------------------


def test_a_larger_version_of_a_file_takes_its_place(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "day.csv", order(1), order(2, "bad"))
    load(connection, tmp_path)
    write(tmp_path, "day.csv", order(1), order(2), order(3))
    told = load(connection, tmp_path)
    assert (told.files_loaded, told.rows_loaded) == (1, 3)
    assert raw(connection) == ["1", "2", "3"]
    assert refused(connection) == []
    assert entries(connection) == [
        ("day.csv", "replaced", 2, 0, 0),
        ("day.csv", "loaded", 3, 3, 0),
    ]
    reasons = connection.execute("select reason from ops.loads order by load_id").fetchall()
    assert reasons == [("replaced by day.csv",), ("replaces load 1 with 2 rows",)]


def test_the_older_version_put_back_takes_the_place_again(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for rows in ((order(1),), (order(1), order(2)), (order(1),)):
        write(tmp_path, "day.csv", *rows)
        load(connection, tmp_path)
    assert raw(connection) == ["1"]


def test_a_file_written_over_each_week_adds_its_rows_where_the_settings_say_so(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for number in (1, 2):
        write(tmp_path, "new-orders.csv", order(number))
        load(connection, tmp_path, source(same_name="add"))
    assert raw(connection) == ["1", "2"]


def test_of_a_period_the_largest_version_counts_whichever_comes_first(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    told = source(period=r"orders-(\d{4}-\d{2}-\d{2})")
    write(tmp_path, "orders-2025-12-01_v2.csv", order(1), order(2))
    load(connection, tmp_path, told)
    write(tmp_path, "orders-2025-12-01.csv", order(1))
    write(tmp_path, "orders-2025-12-02.csv", order(7))
    load(connection, tmp_path, told)
    assert raw(connection) == ["1", "2", "7"]
    write(tmp_path, "orders-2025-12-01_v3.csv", order(1), order(2), order(3))
    load(connection, tmp_path, told)
    assert raw(connection) == ["1", "2", "3", "7"]
    assert ("orders-2025-12-01.csv", "already there", 0, 0, 0) in entries(connection)
    assert ("orders-2025-12-01_v2.csv", "replaced", 2, 0, 0) in entries(connection)
    before = entries(connection)
    assert load(connection, tmp_path, told).files_loaded == 0
    assert entries(connection) == before


def test_the_same_bytes_under_another_name_are_counted_as_there(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for name in ("a.csv", "b.csv"):
        write(tmp_path, name, order(1), order(2))
    told = load(connection, tmp_path)
    assert (told.rows_read, told.rows_loaded, told.rows_already_there) == (4, 2, 2)
    write(tmp_path, "c.csv", order(1), order(2))
    told = load(connection, tmp_path)
    assert (told.rows_read, told.rows_loaded, told.rows_already_there) == (2, 0, 2)
    assert load(connection, tmp_path).rows_read == 0
    assert raw(connection) == ["1", "2"]


@pytest.mark.parametrize("first", ["a.csv", "z.csv"])
def test_a_file_that_becomes_the_same_as_another_gives_up_what_it_held(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, first: str
) -> None:
    write(tmp_path, "m.csv", order(7))
    load(connection, tmp_path)
    for name in (first, "m.csv"):
        write(tmp_path, name, order(1), order(2))
    load(connection, tmp_path)
    load(connection, tmp_path)
    assert raw(connection) == ["1", "2"]


def test_a_file_outside_the_periods_goes_by_its_name(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    told = source(period=r"orders-(\d{4}-\d{2}-\d{2})")
    for rows in ((order(1),), (order(1), order(2))):
        write(tmp_path, "all.csv", *rows)
        load(connection, tmp_path, told)
    assert raw(connection) == ["1", "2"]


def test_withdrawn_bytes_do_not_come_back(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "a.csv", order(1))
    load(connection, tmp_path)
    assert ledger.withdraw(connection, "a.csv", AT) == 1
    write(tmp_path, "b.csv", order(1))
    load(connection, tmp_path)
    assert raw(connection) == []


# --- half-written -------------------------------------------------------------------------------


def test_a_file_still_growing_is_left_for_the_next_run(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "whole.csv", order(1))
    file = write(tmp_path, "growing.csv", order(2))
    os.utime(tmp_path / "whole.csv", (time.time() - 60,) * 2)

    def grow() -> None:
        time.sleep(0.2)
        with file.open("a") as stream:
            stream.write(order(3) + "\n")

    writer = threading.Thread(target=grow)
    writer.start()
    told = load(connection, tmp_path, settle_seconds=0.8)
    writer.join()
    assert (told.growing, raw(connection)) == (["growing.csv"], ["1"])
    assert load(connection, tmp_path).growing == []
    assert raw(connection) == ["1", "2", "3"]


def test_a_file_that_changes_while_it_is_read_is_left(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tessera.ingest import batch

    write(tmp_path, "a.csv", order(1))
    file = write(tmp_path, "b.csv", order(2))
    balance = batch._assert_balance

    def meanwhile(*given: Any) -> None:
        if "c9" not in file.read_text():
            write(tmp_path, "b.csv", order(2), order(9))
        balance(*given)

    monkeypatch.setattr(batch, "_assert_balance", meanwhile)
    told = load(connection, tmp_path)
    assert (told.growing, raw(connection)) == (["b.csv"], ["1"])


# --- schema drift -------------------------------------------------------------------------------


def test_a_new_column_is_kept_and_reported_and_a_missing_one_is_null(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "1.csv", order(1))
    assert load(connection, tmp_path).drift == []
    header = "order,customer,at,total,gift\n"
    write(tmp_path, "2.csv", "2,c2,2025-12-02,3,yes", "3,c3,2025-12-02,4,", header=header)
    assert load(connection, tmp_path).drift == ["currency is missing", "gift is new"]
    write(tmp_path, "3.csv", header=header)
    assert load(connection, tmp_path).drift == []
    assert raw(connection, "order_id, currency, _extra") == [
        ("1", "EUR", None),
        ("2", None, '{"gift":"yes"}'),
        ("3", None, None),
    ]


def test_members_that_no_mapping_reads_are_kept_at_any_depth(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    told = source(columns={"order_id": "id", "ordered_at": "when.at"})
    record = {"id": 1, "when": {"at": "2025-12-01", "tz": "UTC"}, "note": {"a": {}}, "tags": ["x"]}
    (tmp_path / "o.jsonl").write_text(json.dumps(record) + "\n")
    load(connection, tmp_path, told)
    assert json.loads(raw(connection, "_extra")[0]) == {
        "when": {"tz": "UTC"},
        "note": {"a": {}},
        "tags": ["x"],
    }


def test_values_that_all_rows_have(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(tmp_path, "1.csv", "1,2025-12-01", ",", header="id,at\n")
    told = source(columns={"order_id": "id", "ordered_at": "at"}, values={"channel": "it's a till"})
    load(connection, tmp_path, told)
    assert raw(connection, "order_id, channel") == [("1", "it's a till")]
    assert refused(connection) == [(3, "not a record: none of the mapped columns is there")]


def test_columns_to_be_ignored_are_not_kept(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "1.csv", "1,c,2025-12-01,3,EUR,a,b", header=HEADER.strip() + ",x,y\n")
    load(connection, tmp_path, source(ignore=["X"]))
    assert raw(connection, "_extra") == ['{"y":"b"}']


def test_a_type_that_changed_sends_its_rows_to_quarantine(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "1.csv", order(1), order(2, "nine fifty"), order(3))
    load(connection, tmp_path)
    assert refused(connection) == [(3, "total_amount is not a decimal")]
    assert raw(connection) == ["1", "3"]


# --- encodings and dialects ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-8"),
        ("utf-16-le", "utf-16-le"),
        ("latin-1", "latin-1"),
        ("cp1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, encoding: str, declared: str, end: str
) -> None:
    text = HEADER + '1,"Jürgen, é",2025-12-01,3,EUR\n2,c,2025-12-01,3,EUR\n'
    (tmp_path / "o.csv").write_bytes(text.replace("\n", end).encode(encoding))
    load(connection, tmp_path, source(encoding=declared))
    assert raw(connection, "order_id, customer_id") == [("1", "Jürgen, é"), ("2", "c")]


@pytest.mark.parametrize("ends", ["\r\n|\n|\n", "\n|\r\n|\n", "\n|\n|\r\n", "\r\n|\r|\n"])
def test_mixed_line_ends(connection: duckdb.DuckDBPyConnection, tmp_path: Path, ends: str) -> None:
    lines = [HEADER.strip(), order(1), order(2)]
    text = "".join(line + end for line, end in zip(lines, ends.split("|"), strict=True))
    (tmp_path / "o.csv").write_bytes(text.encode())
    write(tmp_path, "neighbour.csv", order(3))
    told = load(connection, tmp_path)
    assert (raw(connection), told.rows_read) == (["1", "2", "3"], 3)


@pytest.mark.parametrize(
    ("written", "told", "value"),
    [
        ("1.234,50", {"decimal": ",", "thousands": "."}, "1234.50"),
        ("-12,5", {"decimal": ","}, "-12.5"),
        ("1,234,567.89", {"thousands": ","}, "1234567.89"),
        ("1 234 567,5", {"decimal": ",", "thousands": " "}, "1234567.5"),
        ("1'234.5", {"thousands": "'"}, "1234.5"),
        ("1234", {"decimal": ",", "thousands": "."}, "1234"),
    ],
)
def test_numbers_are_read_as_declared(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    written: str,
    told: dict[str, str],
    value: str,
) -> None:
    write(tmp_path, "o.csv", f'1,c,2025-12-01,"{written}",EUR')
    load(connection, tmp_path, source(**told))
    assert raw(connection, "total_amount") == [value]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("1,5", {}),
        ("1.5", {"decimal": ","}),
        ("12.34", {"decimal": ",", "thousands": "."}),
        ("1,234", {}),
        ("€ 5", {}),
    ],
)
def test_a_number_written_otherwise_is_refused_and_not_guessed(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, written: str, told: dict[str, str]
) -> None:
    write(tmp_path, "o.csv", f'1,c,2025-12-01,"{written}",EUR')
    load(connection, tmp_path, source(**told))
    assert refused(connection) == [(2, "total_amount is not a decimal")]


@pytest.mark.parametrize(
    ("written", "told", "value"),
    [
        ("2025-12-01 10:00:00", {"timezone": "Europe/Berlin"}, "2025-12-01 09:00:00"),
        ("2025-07-01 10:00:00", {"timezone": "Europe/Berlin"}, "2025-07-01 08:00:00"),
        ("2025-07-01T10:00:00Z", {"timezone": "Europe/Berlin"}, "2025-07-01T10:00:00Z"),
        ("2025-07-01 10:00:00 -0400", {}, "2025-07-01 10:00:00-0400"),
        ("1751364000", {"time_format": "epoch_seconds"}, "2025-07-01 10:00:00"),
        ("1751364000250", {"time_format": "epoch_milliseconds"}, "2025-07-01 10:00:00.25"),
        ("1751364000.5", {"time_format": "epoch_seconds"}, "2025-07-01 10:00:00.5"),
        ("01.07.2025 10:00", {"time_format": "%d.%m.%Y %H:%M"}, "2025-07-01 10:00:00"),
        (
            "01/07/2025 10:00 +0200",
            {"time_format": "%d/%m/%Y %H:%M %z"},
            "2025-07-01 08:00:00Z",
        ),
        (
            "7/1/2025 10:00",
            {"time_format": "%m/%d/%Y %H:%M", "timezone": "America/New_York"},
            "2025-07-01 14:00:00",
        ),
    ],
)
def test_times_are_read_as_declared(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    written: str,
    told: dict[str, str],
    value: str,
) -> None:
    write(tmp_path, "o.csv", f"1,c,{written},3,EUR")
    load(connection, tmp_path, source(**told))
    assert (refused(connection), raw(connection, "ordered_at")) == ([], [value])


@pytest.mark.parametrize(
    ("written", "told", "reason"),
    [
        (
            "2025-03-30 02:30:00",
            {"timezone": "Europe/Berlin"},
            "ordered_at does not exist in Europe/Berlin: the clocks went forward over it",
        ),
        ("1751364000", {}, "ordered_at is not a timestamp"),
        ("1751364000000", {"time_format": "epoch_seconds"}, "ordered_at is in the future"),
        ("31.02.2025 10:00", {"time_format": "%d.%m.%Y %H:%M"}, "ordered_at is not a timestamp"),
    ],
)
def test_a_time_written_otherwise_is_refused(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    written: str,
    told: dict[str, str],
    reason: str,
) -> None:
    write(tmp_path, "o.csv", f"1,c,{written},3,EUR")
    load(connection, tmp_path, source(**told))
    assert refused(connection) == [(2, reason)]


def test_of_an_hour_that_comes_twice_the_second_is_taken(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "o.csv", "1,c,2025-10-26 02:30:00,3,EUR")
    load(connection, tmp_path, source(timezone="Europe/Berlin"))
    assert raw(connection, "ordered_at") == ["2025-10-26 01:30:00"]


def test_a_currency_without_a_rate_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "o.csv", order(1), order(2, currency="usd"), order(3, currency="JPY"))
    load(connection, tmp_path, currencies={"EUR", "USD"})
    assert raw(connection) == ["1", "2"]
    assert refused(connection) == [(4, "no exchange rate for this currency in [rates]")]


# --- mended rows --------------------------------------------------------------------------------


def test_a_retry_loads_what_mended_settings_let_in(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, "o.csv", order(1), order(2, '"9,50"'))
    load(connection, tmp_path)
    files = repairs.files_with_refused_rows(connection, "shop")
    told = load(connection, tmp_path, source(decimal=","), again=files)
    assert (told.rows_loaded, told.rows_quarantined) == (1, 1)
    told = load(connection, tmp_path, currencies={"EUR"}, again=files)
    assert (raw(connection), len(refused(connection))) == (["1"], 1)


@pytest.mark.parametrize("name", ["o.csv", "o.jsonl", "o.parquet"])
def test_rows_mended_by_hand_take_their_places(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    write(tmp_path, "o.csv", order(1), order(2, "bad"), order(3))
    connection.execute(
        f"copy (select * from read_csv('{tmp_path}/o.csv', all_varchar=true)) to '{inbox}/{name}'"
        + (" (format json)" if name.endswith("jsonl") else "")
    )
    load(connection, inbox)
    line = 3 if name.endswith("csv") else 2
    assert refused(connection) == [(line, "total_amount is not a decimal")]
    out = tmp_path / "rows.jsonl"
    assert repairs.export(connection, "shop", out) == 1
    told = json.loads(out.read_text())
    assert (told["file"], told["line"]) == (name, line)
    told["record"]["total"] = "7.25"
    out.write_text(json.dumps(told) + "\n")
    files = repairs.keep(connection, "shop", out)
    load(connection, inbox, again=files)
    assert raw(connection, "order_id, total_amount, _line") == [
        ("1", "9.50", line - 1),
        ("2", "7.25", line),
        ("3", "9.50", line + 1),
    ]
    assert refused(connection) == []
    load(connection, inbox, again=files)
    assert raw(connection) == ["1", "2", "3"]


def test_a_malformed_row_mended_by_hand_is_loaded(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    write(inbox, "o.csv", order(1), order(2) + ",one,too", order(3), "4,short", order(5, "bad"))
    load(connection, inbox)
    assert [line for line, _ in refused(connection)] == [3, 5, 6]
    out = tmp_path / "rows.jsonl"
    assert repairs.export(connection, "shop", out) == 3
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    record = {"order": "2", "customer": "c", "at": "2025-12-01", "total": "1", "currency": "EUR"}
    rows[0]["record"] = record
    out.write_text(json.dumps(rows[0]) + "\n")
    told = load(connection, inbox, again=repairs.keep(connection, "shop", out))
    assert (told.rows_read, told.rows_loaded, told.rows_quarantined) == (5, 3, 2)
    assert raw(connection) == ["1", "2", "3"]
    assert [line for line, _ in refused(connection)] == [5, 6]


def test_a_repaired_file_and_its_neighbours_are_loaded_anew(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    write(inbox, "a.csv", order(1), "2,short", order(3))
    load(connection, inbox)
    out = tmp_path / "rows.jsonl"
    repairs.export(connection, "shop", out)
    row = json.loads(out.read_text())
    record = {"order": "2", "customer": "c", "at": "2025-12-01", "total": "1", "currency": "EUR"}
    out.write_text(json.dumps({**row, "record": record}) + "\n")
    again = repairs.keep(connection, "shop", out)
    write(inbox, "b.csv", order(4))
    load(connection, inbox, again=again)
    assert (raw(connection), refused(connection)) == (["1", "2", "3", "4"], [])


def test_a_repair_that_cannot_be_used_says_which(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    out = tmp_path / "rows.jsonl"
    out.write_text('{"file": "nowhere.csv", "line": 3, "record": {"order": "1"}}\n')
    with pytest.raises(repairs.NotRepaired, match=r"nowhere\.csv, line 3"):
        repairs.keep(connection, "shop", out)
