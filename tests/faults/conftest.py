"""A demo company after one weekly run, the exports of the next week, and how that run ends."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.faults import trials


@dataclass(frozen=True)
class Undisturbed:
    """Where a second weekly run ended that nothing befell."""

    data: Path
    contents: dict[str, str]
    seconds: dict[str, float]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """After the first weekly run, new exports in the inbox; only to be copied."""
    from tessera.demo.company import write

    demo, data = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("prepared")
    with duckdb.connect() as connection:
        write(connection, demo / "inbox", demo / "truth", customers=300, days=120, seed=7)
    shutil.copytree(demo / "inbox", data / "inbox", ignore=shutil.ignore_patterns("*2025-12*"))
    trials.finish(data, trials.FIRST)
    shutil.copytree(demo / "inbox", data / "inbox", dirs_exist_ok=True)
    return data


@pytest.fixture(scope="session")
def undisturbed(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The second weekly run, to its end."""
    data = trials.copy(prepared, tmp_path_factory.mktemp("undisturbed") / "data")
    said = trials.finish(data)
    return Undisturbed(data, trials.contents(data), trials.seconds_by_step(said))
