"""The pipeline measured: `make run` as a whole, and each step in a process of its own."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.process import Measured, run
from tessera.steps import STEPS

ROOT = Path(__file__).resolve().parents[1]
TESSERA = str(Path(sys.executable).with_name("tessera"))
# Pipeline and floor give each customer the same pseudonym.
PSEUDONYM_KEY = "the key that the benchmarks use for their demo data"
DBT_STEPS = ("build_staging", "build_features", "build_segments")
# dbt's log: one block an invocation, one line a node with its seconds.
INVOCATION = re.compile(r"^=+ [\d:.]+ \| ", re.MULTILINE)
NODE = re.compile(r"\d+ of \d+ \w+ (.*?)\[[A-Z]+(?: \d+)? in ([\d.]+)s\]")


@dataclass(frozen=True)
class WholeRun:
    """`make run` on exports that nothing was loaded from yet, with the environment ready.

    steps: seconds of each step from `ops.step_runs`. commands: the two `tessera` commands around
    the DAGs. dbt_models and dbt_tests: seconds of dbt's nodes, from dbt's log.
    """

    measured: Measured
    steps: dict[str, float]
    commands: float
    dbt_models: float
    dbt_tests: float

    @property
    def parts(self) -> dict[str, float]:
        """Where the seconds went; the parts sum up to the whole."""
        dbt = sum(self.steps.get(step, 0.0) for step in DBT_STEPS)
        gates = sum(s for step, s in self.steps.items() if step.startswith("check_"))
        work = sum(self.steps.values()) - dbt - gates
        return {
            "load, sentiment, clustering, publish": work,
            "dbt models": self.dbt_models,
            "dbt tests": self.dbt_tests,
            "dbt besides its nodes": dbt - self.dbt_models - self.dbt_tests,
            "Great Expectations gates": gates,
            "Airflow": self.measured.seconds - sum(self.steps.values()) - self.commands,
            "commands before and after": self.commands,
        }

    @property
    def overhead(self) -> float:
        """Airflow + dbt besides its nodes + the gates, in seconds; dbt's tests are not in it."""
        names = ("dbt besides its nodes", "Great Expectations gates", "Airflow")
        return sum(self.parts[name] for name in names)


def environment(data: Path, inbox: Path) -> dict[str, str]:
    """The environment of a run with its own data folder; nothing of the caller's settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TESSERA_", "MAKE", "MFLAGS"))}
    return kept | {
        "TESSERA_SETTINGS": str(ROOT / "settings.toml"),
        "TESSERA_DATA_DIR": str(data),
        "TESSERA_INBOX": str(inbox),
        "TESSERA_PSEUDONYM_KEY": PSEUDONYM_KEY,
        "GX_ANALYTICS_ENABLED": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def make_demo(customers: int, inbox: Path, log: Path, file_format: str = "exports") -> Measured:
    """Write the demo company's exports."""
    command = [TESSERA, "demo", "--customers", str(customers), "--format", file_format]
    return run([*command, "--out", str(inbox), "--truth", str(inbox.parent / "truth")], log)


def whole(data: Path, inbox: Path) -> WholeRun:
    """Run `make run` into an empty data folder."""
    told = environment(data, inbox)
    # The environment is ready: make need not look whether it is older than the lock.
    command = ["make", "--directory", str(ROOT), "--old-file", ".venv/ready", "run"]
    measured = run(command, data / "make-run.log", told)
    around = [
        run([TESSERA, *words], data / f"{words[0]}.log", told).seconds
        for words in (["demo", "--if-empty"], ["segments"])
    ]
    nodes = dbt_nodes(data / "artifacts" / "dbt" / "logs" / "dbt.log")
    return WholeRun(
        measured,
        step_seconds(data),
        sum(around),
        sum(models for models, _ in nodes),
        sum(tests for _, tests in nodes),
    )


def again(data: Path, inbox: Path) -> Measured:
    """Run `make run` once more with nothing new."""
    command = ["make", "--directory", str(ROOT), "--old-file", ".venv/ready", "run"]
    return run(command, data / "make-run-again.log", environment(data, inbox))


def separately(data: Path, inbox: Path) -> dict[str, Measured]:
    """Run every step in its own process into an empty data folder."""
    told = environment(data, inbox)
    return {step: run([TESSERA, "run", step], data / f"{step}.log", told) for step in STEPS}


def step_seconds(data: Path) -> dict[str, float]:
    """Seconds of each step's real work, from the run log, in the order of the runs."""
    rows = _query(
        data, "select step, sum(seconds) from ops.step_runs group by 1 order by min(rowid)"
    )
    return {step: seconds for step, seconds in rows}


def identities(data: Path, file: Path) -> Path:
    """Write who is whom, as a run found it, into a Parquet file."""
    with duckdb.connect(str(warehouse_file(data)), read_only=True) as connection:
        connection.execute(f"copy enriched.identities to '{file}'")
    return file


def as_of(data: Path) -> str:
    """The day of the run, YYYY-MM-DD."""
    return str(_query(data, "select max(as_of)::varchar from ops.step_runs")[0][0])


def fit(data: Path) -> tuple[int, float]:
    """Number of clusters and silhouette."""
    k, silhouette = _query(data, "select k, silhouette from ml.fits")[0]
    return k, silhouette


def rows_read(data: Path) -> int:
    """Rows of all exports."""
    return int(_query(data, "select sum(rows_read) from ops.loads")[0][0])


def warehouse_file(data: Path) -> Path:
    """The run's warehouse."""
    return data / "warehouse" / "tessera.duckdb"


def dbt_nodes(log: Path) -> list[tuple[float, float]]:
    """Seconds of (dbt models, dbt tests) of each dbt invocation of a log."""
    blocks = INVOCATION.split(log.read_text(encoding="utf-8"))[1:]
    found = []
    for block in blocks:
        nodes = NODE.findall(block)
        models = sum(float(seconds) for what, seconds in nodes if " model " in what)
        found.append((models, sum(float(seconds) for _, seconds in nodes) - models))
    return found


def _query(data: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(warehouse_file(data)), read_only=True) as connection:
        return connection.execute(query).fetchall()
