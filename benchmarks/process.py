"""Run a program in its own process and measure it: seconds, processor seconds, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.2
# The system counts peak memory in KiB, on macOS in bytes.
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


class ProgramFailed(RuntimeError):
    """A measured program ended with an error; the message holds the end of what it said."""


@dataclass(frozen=True)
class Measured:
    """What a program cost.

    seconds: by the clock. cpu_seconds: of all its processes on all cores; other programs on the
    machine hardly change it. peak_bytes: the greatest of any one process as the system counted it,
    or of the whole tree as sampled. stopped: the cap that ended it early, if one did.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str
    stopped: str | None = None


def run(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    cap_seconds: float | None = None,
    cap_bytes: int | None = None,
) -> Measured:
    """Run to the end, or to a cap. Standard output and errors go to `log`.

    Raises ProgramFailed when it ends with another code than 0 and no cap was reached.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            list(command), stdout=stream, stderr=subprocess.STDOUT, env=environment
        )
    sampled, stopped = 0, None
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        sampled = max(sampled, _tree_bytes(process.pid))
        over_time = cap_seconds and time.perf_counter() - started > cap_seconds
        over_memory = cap_bytes and sampled > cap_bytes
        if (over_time or over_memory) and stopped is None:
            stopped = "time" if over_time else "memory"
            process.kill()
        time.sleep(SAMPLE_SECONDS if time.perf_counter() - started > 1 else SAMPLE_SECONDS / 10)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)  # reaped here, not by Popen
    output = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode and stopped is None:
        told = "\n".join(output.splitlines()[-15:])
        raise ProgramFailed(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    peak = max(usage.ru_maxrss * PEAK_UNIT, sampled)
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak, output, stopped)


def _tree_bytes(pid: int) -> int:
    """Resident memory of a process and all below it; shared pages count for each."""
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for process in tree:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue  # it ended meanwhile
    return total
