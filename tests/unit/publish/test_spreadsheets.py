from __future__ import annotations

import csv
import io

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.publish.spreadsheets import neutral_text, write_csv

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
HOSTILE = st.builds(str.__add__, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\n", ""]), TEXTS)


CONNECTION = duckdb.connect()


def written(query: str, parameters: list[str] | None = None) -> list[list[str]]:
    out = io.BytesIO()
    write_csv(CONNECTION.sql(query, params=parameters), out)
    return list(csv.reader(io.StringIO(out.getvalue().decode(), newline="")))


@given(HOSTILE)
@settings(max_examples=40, deadline=None)
def test_no_cell_is_taken_for_a_formula_and_no_text_is_lost(text: str) -> None:
    _, (cell,) = written("select ? as text", [text])
    assert cell in (text, f"'{text}")
    if cell[:1] in tuple("=+-@\t\r\n"):
        float(cell)
    assert cell == neutral_text(text) or cell.strip() != cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("'=cmd|'' /C calc''!A0'", "'=cmd|' /C calc'!A0"),
        ("'+4930123456'", "+4930123456"),
        ("'-12.5'", "-12.5"),
        ("'-1+1'", "'-1+1"),
        ("'@SUM(A1)'", "'@SUM(A1)"),
        ("chr(9) || '=1'", "'\t=1"),
        ("-12.5::double", "-12.5"),
        ("-1::decimal(18, 4)", "-1.0000"),
        ("['=1']", "['=1']"),
        ("{'a': '=1'}", "{'a': '=1'}"),
        ("nullif('a', 'a')", ""),
        ("date '2026-01-01'", "2026-01-01"),
    ],
)
def test_cells(value: str, cell: str) -> None:
    assert written(f"select {value} as v, 1 as one") == [["v", "one"], [cell, "1"]]


def test_a_header_is_no_formula_either_and_stands_over_no_rows() -> None:
    assert written('select 1 as "=1+1", 2 as "a""b" where false') == [["'=1+1", 'a"b']]
