"""Encodings, line ends, and how numbers, times and currencies are written."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.unit.ingest.landing import (
    HEADER,
    load,
    order,
    raw,
    refused,
    source,
    write,
)


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
