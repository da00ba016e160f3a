"""The real pipeline on small exports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finished:
    """A `make run` that has ended."""

    code: int
    output: str
    data: Path

    def query(self, sql: str) -> list[tuple]:  # type: ignore[type-arg]
        """Ask the warehouse."""
        with duckdb.connect(str(self.data / "warehouse" / "tessera.duckdb"), read_only=True) as c:
            return c.execute(sql).fetchall()

    def published(self, sql: str) -> list[tuple]:  # type: ignore[type-arg]
        """Ask the published file, as a BI tool does."""
        file = (self.data / "published" / "segments.duckdb").resolve()
        with duckdb.connect(str(file), read_only=True) as c:
            return c.execute(sql).fetchall()


def make_run(data: Path, settings: str = "settings.toml", **environment: str) -> Finished:
    """Run `make run` on a data folder, with Airflow and all, and wait for its end."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TESSERA_", "AIRFLOW"))}
    told = {"TESSERA_DATA_DIR": str(data), "TESSERA_SETTINGS": settings, "COLUMNS": "120"}
    done = subprocess.run(
        ["make", "--no-print-directory", "run"],
        cwd=ROOT,
        env={**inherited, **told, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return Finished(done.returncode, done.stdout + done.stderr, data)


def tessera(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the CLI on a data folder."""
    return subprocess.run(
        [sys.executable, "-c", "from tessera.cli import main; main()", *arguments],
        cwd=ROOT,
        env={**os.environ, "TESSERA_DATA_DIR": str(data), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports of a demo company with 400 customers over 200 days; do not write into it."""
    from tessera.demo.company import write

    folder = tmp_path_factory.mktemp("demo")
    with duckdb.connect() as connection:
        write(connection, folder / "inbox", folder / "truth", customers=400, days=200, seed=7)
    return folder / "inbox"


@pytest.fixture(scope="session")
def demo_run(
    small_demo: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Finished:
    """A finished `make run` on the small demo; tests may run it again, but add no exports.

    Made once for all workers of pytest-xdist; each has a copy of its own.
    """
    base = tmp_path_factory.getbasetemp()
    made = (base if worker_id == "master" else base.parent) / "demo-run"
    told = made / "make-run.txt"
    with FileLock(f"{made}.lock"):
        if not told.exists():
            shutil.copytree(small_demo, made / "inbox")
            done = make_run(made)
            assert done.code == 0, done.output
            told.write_text(done.output, encoding="utf-8")
    data = tmp_path_factory.mktemp("copy") / "data"
    shutil.copytree(made, data, symlinks=True)
    return Finished(0, told.read_text(encoding="utf-8"), data)
