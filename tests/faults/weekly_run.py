"""One weekly run in a process of its own, to be killed: `python weekly_run.py DATA AS_OF`.

Every step of the flow in its order, each through `run_step`, as a task of Airflow does. Prints the
name of a step when it begins and its seconds when it ends, for the one who chooses the moment.
TESSERA_FAULTS_CLOCK=DAYS sets the project's clock, `runs.now`, so many days ahead.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from tessera import runs, settings, steps, warehouse


def main(data: Path, as_of: date) -> int:
    """Run all steps; return the exit code: known failures end in one line, as in the CLI."""
    told = settings.load(Path(__file__).resolve().parents[2] / "settings.toml").model_copy(
        update={"data_dir": data, "settle_seconds": 0}
    )
    for step in steps.STEPS:
        clock = time.perf_counter()
        print(f"begins {step}", flush=True)
        try:
            summary = steps.run_step(step, told, None if step in steps.LOADS else as_of)
        except (*steps.FINAL, warehouse.WarehouseBusy) as error:
            print(f"Error: {type(error).__name__}: {error}", flush=True)
            return 1
        print(f"ends {step} {time.perf_counter() - clock:.3f} {summary}", flush=True)
    return 0


def _set_clock(days: int) -> None:
    real = runs.now
    runs.now = lambda: real() + timedelta(days=days)


if __name__ == "__main__":
    _set_clock(int(os.environ.get("TESSERA_FAULTS_CLOCK", "0")))
    sys.exit(main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2])))
