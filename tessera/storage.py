"""What the disk refuses, told so that a person knows what happened, where, and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tessera.dbt import DbtFailed
from tessera.runs import StepFailed

STAYS = "Nothing half-done stays, and the last published tables are as they were"
# What the operating system and DuckDB say, in the words that both use.
FULL = ("No space left on device", "Disk quota exceeded", "max_temp_directory_size")
CLOSED = ("Read-only file system", "Permission denied", "Operation not permitted")


class StorageFailed(StepFailed):
    """The disk is full, or may not be written."""


@contextmanager
def told(data_dir: Path) -> Iterator[None]:
    """Raise StorageFailed for what went wrong inside because of the disk; let the rest through."""
    try:
        yield
    except (OSError, duckdb.Error, DbtFailed) as error:
        line = next(iter(_lines(error, (*FULL, *CLOSED))), None)
        if line is None:
            raise
        raise StorageFailed(_advice(line, data_dir)) from error


def _advice(line: str, data_dir: Path) -> str:
    if any(word in line for word in CLOSED):
        return (
            f"a file may not be written: {line}. Give the user of this process the right to read "
            f"and write {data_dir} and what lies in it, and run again. {STAYS}"
        )
    folder, free = _fullest(data_dir)
    return (
        f"the disk is full: {line}. Free some space on the volume of {folder} ({free / 1e6:,.0f} "
        f"MB are free now) or make it larger, and run again. {STAYS}"
    )


def _fullest(data_dir: Path) -> tuple[Path, int]:
    """The folder with the fewest free bytes: those in `data_dir` may be volumes of their own."""
    folders = [data_dir, *sorted(path for path in data_dir.iterdir() if path.is_dir())]
    free = [(folder, shutil.disk_usage(folder).free) for folder in folders]
    return min(free, key=lambda told: told[1])


def _lines(error: BaseException | None, words: tuple[str, ...]) -> list[str]:
    """What the error, or the one it came from, says with one of these words in it."""
    while error is not None:
        found = [
            " ".join(line.split())
            for line in str(error).splitlines()
            if any(word in line for word in words)
        ]
        if found:
            return found
        error = error.__cause__ or error.__context__
    return []
