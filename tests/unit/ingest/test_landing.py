"""Files that come twice, larger, late, half-written, or with other columns."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tessera.ingest import ledger
from tests.unit.ingest.landing import (
    AT,
    HEADER,
    entries,
    load,
    order,
    raw,
    refused,
    source,
    write,
)

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
