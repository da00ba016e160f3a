"""`tessera identity …` as an operator types it: the word holds from the next run on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from tessera import cli, identities, runs, settings
from tests.unit.test_cli import SETTINGS
from tests.unit.test_identities import DAY, NOW, two_contacts
from tests.unit.test_operators import invite_crowd


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project after its first run: a file of people with two accounts each."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "settings.toml").write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setenv("TESSERA_SETTINGS", str(folder / "settings.toml"))
        patched.setenv("TESSERA_DATA_DIR", str(folder / "data"))
        patched.setenv("COLUMNS", "200")
        file = settings.load().warehouse_file
        file.parent.mkdir(parents=True)
        with two_contacts(str(file)) as warehouse:
            invite_crowd(warehouse)
        ids_of_a_run()
        yield folder


def tessera(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["identity", *arguments])


def ids_of_a_run() -> dict[str, str]:
    """Whom a run takes each account for."""
    told = settings.load()
    with duckdb.connect(str(told.warehouse_file)) as warehouse:
        secret = runs.pseudonym_key(warehouse, told)
        identities.resolve(warehouse, DAY, told.identity, NOW, secret)
        found = warehouse.execute("select key, customer_id from enriched.identities").fetchall()
    return dict(found)


def number(told: Result) -> str:
    assert told.exit_code == 0, told.output
    return re.findall(r"Override (\d+)", told.output)[0]


def test_two_that_are_one_are_split_and_the_word_is_taken_back(project: Path) -> None:
    before = ids_of_a_run()
    assert before["x1a"] == before["x1b"]
    said = tessera("split", "x1a", "x1b", "--reason", "father and son")
    assert "split of x1a and x1b" in said.output
    assert "father and son" in tessera("report").output
    after = ids_of_a_run()
    assert after["x1a"] != after["x1b"]
    assert {k: v for k, v in after.items() if k != "x1b"} == {
        k: v for k, v in before.items() if k != "x1b"
    }
    assert "is taken back" in tessera("undo", number(said)).output
    assert ids_of_a_run() == before
    assert "father and son" not in tessera("report").output


def test_two_that_are_two_are_merged_and_the_word_is_taken_back(project: Path) -> None:
    before = ids_of_a_run()
    assert before["a"] != before["x2a"] == before["x2b"]
    said = tessera("merge", "a", "x2a")
    after = ids_of_a_run()
    assert len({after[account] for account in ("a", "x2a", "x2b")}) == 1
    assert tessera("undo", number(said)).exit_code == 0
    assert ids_of_a_run() == before


def test_why_two_are_one_is_told_without_what_they_said(project: Path) -> None:
    told = tessera("explain", "x1a", "x1b")
    assert told.exit_code == 0, told.output
    assert "match weight" in told.output and "birth_date" in told.output
    page = next((project / "data").rglob("identity/*.html"))
    for shown in (told.output, page.read_text()):
        assert "mail.example" not in shown and "+4930" not in shown


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("merge", "x1a", "nobody"), "no account nobody in the last run"),
        (("split", "x1a", "x1a"), "these are one account"),
        (("explain", "x1a", "nobody"), "not both of them"),
        (("undo", "99"), "no standing override has the number 99"),
    ],
)
def test_what_cannot_be_said(project: Path, arguments: tuple[str, ...], why: str) -> None:
    told = tessera(*arguments)
    assert told.exit_code == 1
    assert isinstance(told.exception, LookupError | ValueError) and why in str(told.exception)


def test_a_word_against_a_standing_one_is_refused(project: Path) -> None:
    said = tessera("merge", "x5a", "x6a")
    told = tessera("split", "x5a", "x6a")
    assert told.exit_code == 1 and f"override {number(said)} says merge" in str(told.exception)
    assert tessera("undo", number(said)).exit_code == 0


def test_a_failure_is_one_line_for_the_operator(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["tessera", "identity", "undo", "99"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr().err
    assert ended.value.code == 1 and told.startswith("Error: no standing override")
    assert "Traceback" not in told
