"""Every file of tests/bad_exports: no crash, no lost row, the right reason, good neighbours.

All bad files of a source lie in one inbox, the good ones among them: no file may be touched by the
defect of any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.bad_exports.loading import (
    SOURCES,
    TABLE,
    contents,
    ledger,
    loaded,
    quarantined_rows,
    raw_rows,
    rows_of_neighbours,
    settings_of,
)
from tests.bad_exports.made import FOLDER, MADE

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    file: (source, outcome)
    for source, cases in TABLE["cases"].items()
    for file, outcome in cases.items()
}


def _settings(case: str) -> tuple[str, str]:
    """What cases have in common that are loaded together: source and further settings."""
    source, outcome = CASES[case]
    return source, json.dumps(outcome.get("settings", {}))


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A warehouse by source and settings, with all its bad files loaded or with none."""
    with ExitStack() as opened:

        @cache
        def load(source: str, changed: str, *, with_bad: bool) -> duckdb.DuckDBPyConnection:
            bad = [case for case in CASES if with_bad and _settings(case) == (source, changed)]
            files = contents([*SOURCES[source]["good"], *bad])
            told = {**settings_of(source), **json.loads(changed)}
            inbox = tmp_path_factory.mktemp("bad") / "inbox"
            return opened.enter_context(loaded(inbox, told, files))

        yield load


@pytest.mark.parametrize("case", CASES)
def test_a_bad_export(loads: Any, case: str) -> None:
    connection = loads(*_settings(case), with_bad=True)
    _assert_outcome(connection, Path(case).name, CASES[case][1])


@pytest.mark.parametrize(("source", "changed"), sorted({_settings(case) for case in CASES}))
def test_good_exports_among_bad_ones(loads: Any, source: str, changed: str) -> None:
    among = rows_of_neighbours(loads(source, changed, with_bad=True), source)
    assert among == rows_of_neighbours(loads(source, changed, with_bad=False), source)


def _assert_outcome(
    connection: duckdb.DuckDBPyConnection, file: str, outcome: dict[str, Any]
) -> None:
    found, told = ledger(connection, file), quarantined_rows(connection, file)
    assert found.status == ("refused" if "refused" in outcome else "loaded"), found
    assert outcome.get("refused", "") in found.reason
    assert "/inbox/" not in found.reason, "a reason names the file as it is called in the inbox"
    expected = (outcome.get("loaded", 0), outcome.get("quarantined", 0))
    assert (found.loaded, found.quarantined) == expected, told
    assert (len(raw_rows(connection, file)), len(told)) == expected
    assert found.read == sum(expected)
    for reason, row in told:
        assert outcome["reason"] in reason
        assert row, "the quarantined row is kept as it was written"
    assert outcome.get("keeps", "") in "".join(row for _, row in told)


def test_every_file_is_in_the_table_and_the_table_has_no_other() -> None:
    kept = {
        path.relative_to(FOLDER).as_posix()
        for folder in FOLDER.iterdir()
        if folder.is_dir() and folder.name != "__pycache__"
        for path in folder.iterdir()
    }
    neighbours = {name for source in SOURCES.values() for name in source["good"]}
    assert kept | set(MADE) == set(CASES) | neighbours
    assert len(CASES) >= 60
