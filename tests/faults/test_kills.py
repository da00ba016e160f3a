"""SIGKILL at any point of a weekly run: readers notice nothing, the next run ends the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults import trials
from tests.faults.conftest import Undisturbed
from tests.faults.trials import Moment

pytestmark = pytest.mark.faults
KILLS, ROUNDS, SEED = 30, 3, 20260105


def _moments(seconds: dict[str, float], count: int, chance: random.Random) -> list[Moment]:
    """Points drawn evenly over the whole run, in the order of the run."""
    drawn = sorted(chance.uniform(0, sum(seconds.values())) for _ in range(count))
    moments, begun = [], 0.0
    for step, took in seconds.items():
        moments += [Moment(step, at - begun) for at in drawn if begun <= at < begun + took]
        begun += took
    return moments


def _kill_and_finish(data: Path, moments: list[Moment], whole: Undisturbed) -> list[str]:
    """Kill the run at each moment and start it again; then let it end. The steps it died in."""
    before, died = trials.contents(data), []
    with trials.Readers(data) as readers:
        for moment in moments:
            step = trials.kill(data, moment)
            died += [step] if step else []
            found = trials.contents(data)
            assert found in (before, whole.contents), f"mixed after a kill in {step}"
        trials.finish(data)
    assert not readers.errors
    assert {as_of for as_of, _ in readers.seen} == {trials.FIRST, trials.SECOND}
    assert trials.contents(data) == whole.contents
    assert trials.contents_of_parquet(data) == whole.contents
    assert not list((data / "published").glob("*.unfinished*"))
    print(f"{len(died)} kills, {readers.reads} reads: {' '.join(died)}")
    return died


def test_a_run_killed_in_every_step_ends_as_one_that_was_not(
    prepared: Path, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    data = trials.copy(prepared, tmp_path / "data")
    halves = [Moment(step, took / 2) for step, took in undisturbed.seconds.items()]
    died = _kill_and_finish(data, halves, undisturbed)
    assert len(set(died)) >= len(halves) - 2, "a step that is over sooner than awaited"


def test_random_kills(prepared: Path, undisturbed: Undisturbed, tmp_path: Path) -> None:
    chance, kills = random.Random(SEED), 0
    for number in range(ROUNDS):
        data = trials.copy(prepared, tmp_path / f"round-{number}")
        moments = _moments(undisturbed.seconds, KILLS // ROUNDS + 2, chance)
        kills += len(_kill_and_finish(data, moments, undisturbed))
    assert kills >= KILLS
