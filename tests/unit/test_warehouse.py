from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tessera import warehouse

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


def test_it_is_made_when_it_is_not_there_and_closed_again(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "w.duckdb"
    for _ in range(2):
        with warehouse.open_warehouse(file) as connection:
            assert connection.execute("select count(*) from ops.loads").fetchall() == [(0,)]


def test_a_second_writer_gets_a_sentence_not_a_stack_trace(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        told = rf"another process holds the warehouse .*w\.duckdb.*PID {holder.pid}"
        with (
            pytest.raises(warehouse.WarehouseBusy, match=told),
            warehouse.open_warehouse(file),
        ):
            pass
    finally:
        holder.communicate(b"\n", timeout=10)
    with warehouse.open_warehouse(file):
        pass


RUN = """
import sys, pathlib
from tessera import warehouse
with warehouse.hold(pathlib.Path(sys.argv[1]), 0):
    print("held", flush=True)
    input()
"""


def test_a_run_waits_for_another_and_takes_over_when_that_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "w.duckdb"
    other = subprocess.Popen(
        [sys.executable, "-c", RUN, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout and other.stdout.readline() == b"held\n"
        with (
            pytest.raises(warehouse.WarehouseBusy, match=r"another run is at work.*wait_seconds"),
            warehouse.hold(file, 0),
        ):
            pass
        threading.Timer(0.5, other.kill).start()
        with warehouse.hold(file, 30):
            assert other.wait(10) == -signal.SIGKILL
    finally:
        other.kill()
        other.communicate(timeout=10)
    assert "another run is at work" in caplog.text
