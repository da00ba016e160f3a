"""One part of a benchmark in a process of its own, which prints what it found as a line of JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.process import Measured, run


def measure_part(
    benchmark: str,
    *arguments: str,
    cap_seconds: float | None = None,
    cap_bytes: int | None = None,
) -> tuple[Any, Measured]:
    """What `python -m benchmarks.<benchmark> <arguments>` told, None when stopped; its cost."""
    command = [sys.executable, "-m", f"benchmarks.{benchmark}", *arguments]
    with tempfile.TemporaryDirectory(prefix=f"tessera-{benchmark}-") as folder:
        cost = run(command, Path(folder) / "log", cap_seconds=cap_seconds, cap_bytes=cap_bytes)
    return (None if cost.stopped else json.loads(cost.output.splitlines()[-1])), cost
