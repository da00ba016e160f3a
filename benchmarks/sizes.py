"""One size measured: exports, pipeline, floor and notebook, each in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine, pipeline
from benchmarks.agreement import Agreement, compare
from benchmarks.process import Measured, run
from tessera.settings import load

NOTEBOOK_CUSTOMERS = 50_000
NOTEBOOK_SECONDS = 900.0
NOTEBOOK_BYTES = 8 * 1024**3


@dataclass(frozen=True)
class Plan:
    """What is measured, and where the exports are kept (None: they are deleted again)."""

    exports: Path | None
    with_steps: bool
    with_notebook: bool


@dataclass(frozen=True)
class Size:
    """All figures of one number of customers. `floor_found` is what the floor printed."""

    customers: int
    rows: int
    demo: Measured | None
    whole: pipeline.WholeRun
    again: Measured
    steps: dict[str, Measured]
    floor: Measured
    floor_found: dict
    fit: tuple[int, float]
    agreement: Agreement
    notebook: Measured | None
    load: float


def measure(customers: int, scratch: Path, plan: Plan, say: Callable[[str], None]) -> Size:
    """Measure one size in `scratch`, which is left empty. Raises ProgramFailed."""
    inbox, demo = _exports(customers, scratch, plan, say)
    load_before = machine.load()
    say("make run")
    data = scratch / "pipeline"
    whole = pipeline.whole(data, inbox)
    say(f"make run: {whole.measured.seconds:,.1f} s. Floor")
    identities = pipeline.identities(data, scratch / "identities.parquet")
    floor = run_floor(inbox, scratch / "floor", identities, pipeline.as_of(data))
    agreement = compare(pipeline.warehouse_file(data), scratch / "floor" / "floor.duckdb")
    shutil.rmtree(scratch / "floor")
    say(f"floor: {floor.seconds:,.1f} s. make run again, nothing new")
    again = pipeline.again(data, inbox)
    rows, fit, day = pipeline.rows_read(data), pipeline.fit(data), pipeline.as_of(data)
    shutil.rmtree(data)
    steps: dict[str, Measured] = {}
    if plan.with_steps:
        say("each step in a process of its own")
        steps = pipeline.separately(scratch / "steps", inbox)
        shutil.rmtree(scratch / "steps")
    notebook = None
    if plan.with_notebook and customers <= NOTEBOOK_CUSTOMERS:
        say("notebook")
        notebook = _notebook(inbox, scratch / "notebook", day)
    if plan.exports is None:
        shutil.rmtree(inbox.parent)
    return Size(
        customers, rows, demo, whole, again, steps, floor,
        json.loads(floor.output.splitlines()[-1]), fit, agreement, notebook, load_before,
    )  # fmt: skip


def run_floor(inbox: Path, out: Path, identities: Path, as_of: str) -> Measured:
    """Run the floor within the limits of the settings, for the pipeline's day."""
    settings = load(pipeline.ROOT / "settings.toml")
    limits = settings.warehouse
    command = [sys.executable, "-m", "benchmarks.floor", str(inbox), str(out), str(identities)]
    limited = ["--memory-limit", limits.memory_limit, "--threads", str(limits.threads)]
    search = ["--as-of", as_of]
    environment = {**os.environ, "TESSERA_PSEUDONYM_KEY": pipeline.PSEUDONYM_KEY}
    return run([*command, *limited, *search], out.with_suffix(".log"), environment)


def _notebook(inbox: Path, out: Path, as_of: str) -> Measured:
    command = [sys.executable, "-m", "benchmarks.notebook", str(inbox), str(out), "--as-of", as_of]
    return run(command, out / "log", cap_seconds=NOTEBOOK_SECONDS, cap_bytes=NOTEBOOK_BYTES)


def _exports(
    customers: int, scratch: Path, plan: Plan, say: Callable[[str], None]
) -> tuple[Path, Measured | None]:
    inbox = (plan.exports or scratch / "exports") / str(customers) / "inbox"
    if inbox.is_dir():
        say("exports are there")
        return inbox, None
    say("exports of the demo company")
    return inbox, pipeline.make_demo(customers, inbox, scratch / "demo.log")
