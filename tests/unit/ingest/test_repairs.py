"""Refused rows, mended by the settings or by hand, take their places."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from tessera.ingest import repairs
from tests.unit.ingest.landing import (
    load,
    order,
    raw,
    refused,
    source,
    write,
)


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
