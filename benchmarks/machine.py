"""What machine the figures were taken on: a figure without it says nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console

PACKAGES = ("apache-airflow", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations",
            "scikit-learn", "pandas", "numpy")  # fmt: skip


def facts() -> dict[str, str]:
    """Processor, cores, memory, system, versions, and how busy the machine is with other work."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "Processor": f"{_processor()}, {cores} cores",
        "Memory": f"{psutil.virtual_memory().total / 1024**3:.0f} GB",
        "System": f"{_system()}, Python {platform.python_version()}",
        "Versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "Load before the start": f"{load():.1f} (programs that want a core; 0 is a quiet machine)",
    }


def tell() -> None:
    """Print the facts, a line each."""
    console = Console()
    for what, value in facts().items():
        console.print(f"{what}: {value}", highlight=False)


def load() -> float:
    """Programs that wanted a core, mean of the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.is_file():
        for line in told.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.platform(terse=True)
    return f"{name}, kernel {platform.release().partition('-')[0]}"
