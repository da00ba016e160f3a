"""An operator's word: taken, refused where it contradicts, and taken back."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from tessera.identity.overrides import OverrideRefused, say, standing, undo
from tessera.warehouse import SCHEMA

NOW = datetime(2026, 1, 5)


@pytest.fixture
def ledger(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(SCHEMA)
    return connection


def tell(connection: duckdb.DuckDBPyConnection, action: str, a: str, b: str) -> int:
    return say(connection, action, (a, b), "operator", None, NOW)


def test_what_stands_and_what_was_taken_back(ledger: duckdb.DuckDBPyConnection) -> None:
    tell(ledger, "merge", "b", "a")
    number = tell(ledger, "split", "c", "d")
    words = standing(ledger)
    assert (words.together, words.apart) == ([("a", "b")], [("c", "d")])
    assert undo(ledger, number, "operator", None, NOW).account_l == "c"
    assert standing(ledger).apart == []
    with pytest.raises(OverrideRefused, match="no standing override"):
        undo(ledger, number, "operator", None, NOW)
    assert len(ledger.execute("from ops.identity_overrides").fetchall()) == 3


def test_a_contradiction_is_refused_by_way_of_others_too(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    tell(ledger, "merge", "a", "b")
    tell(ledger, "merge", "b", "c")
    with pytest.raises(OverrideRefused, match="undo those first"):
        tell(ledger, "split", "a", "c")
    tell(ledger, "split", "c", "d")
    with pytest.raises(OverrideRefused, match="keeps them"):
        tell(ledger, "merge", "a", "d")
    with pytest.raises(OverrideRefused, match="says merge of them already"):
        tell(ledger, "merge", "b", "a")
    with pytest.raises(OverrideRefused, match="one account"):
        tell(ledger, "merge", "a", "a")
