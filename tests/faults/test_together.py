"""Two weekly runs at once, a clock that jumps, and readers throughout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import trials
from tests.faults.conftest import Undisturbed

pytestmark = pytest.mark.faults


def test_two_weekly_runs_at_once_both_end_and_the_tables_are_right(
    prepared: Path, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    data = trials.copy(prepared, tmp_path / "data")
    with trials.Readers(data) as readers:
        runs = [trials.start(data), trials.start(data)]
        said = [run.communicate(timeout=2 * trials.LONGEST)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert "another run is at work" in (data / "errors.log").read_text()
    assert not readers.errors
    assert trials.contents(data) == undisturbed.contents
    assert trials.contents_of_parquet(data) == undisturbed.contents


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_changes_no_table(
    days: int, prepared: Path, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    data = trials.copy(prepared, tmp_path / "data")
    trials.finish(data, TESSERA_FAULTS_CLOCK=str(days))
    assert trials.contents(data) == undisturbed.contents
    mended = trials.finish(data)
    steps = [line for line in mended.splitlines() if line.startswith("ends ")]
    assert sum(line.endswith(" unchanged") for line in steps) >= len(steps) - 5, mended
    assert trials.contents(data) == undisturbed.contents
