"""A full disk and one that may not be written: said clearly, nothing lost, right when mended."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults import trials
from tests.faults.conftest import Undisturbed

pytestmark = pytest.mark.faults
# One of each kind: loading, dbt, Python, publishing.
STEPS = ("load_crm", "build_staging", "resolve_identity", "build_features", "fit_segments",
         "build_segments", "publish")  # fmt: skip
MEGABYTE = 1024**2


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system in memory, mounted on the folder; a skip for those who may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tessera-faults", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk needs the right to mount, as root: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(folder: Path, but: int = 0) -> Path:
    """Take all space but so many bytes; return the file that takes it."""
    ballast = folder / "ballast"
    # The step writes, too: what was free may be gone before it is taken.
    with suppress(OSError), ballast.open("wb", buffering=0) as stream:
        for _ in range((shutil.disk_usage(folder).free - but) // 4096):
            stream.write(bytes(4096))
    return ballast


def run_with_full_disk(data: Path, folder: Path, step: str) -> str:
    """Run until the step begins, take the space, let it fail, give the space back."""
    running = trials.start(data)
    trials.await_step(running, step)
    ballast = fill(folder)
    said, _ = running.communicate(timeout=trials.LONGEST)
    ballast.unlink()
    assert running.returncode == 1, said + (data / "errors.log").read_text()[-2000:]
    return said


def test_a_disk_that_is_full_in_any_kind_of_step(
    prepared: Path, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 400) as disk:
        data = trials.copy(prepared, disk / "data")
        before = trials.contents(data)
        for step in STEPS:
            said = run_with_full_disk(data, disk, step)
            assert "StorageFailed: the disk is full" in said, said
            assert f"Free some space on the volume of {data}" in said
            assert trials.contents(data) == before, step
        trials.finish(data)
        assert trials.contents(data) == undisturbed.contents
        assert trials.contents_of_parquet(data) == undisturbed.contents


def test_a_disk_that_is_full_where_the_tables_are_published(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    data = trials.copy(undisturbed.data, tmp_path / "data")
    published = data / "published"
    kept = [*published.glob("*-2025-12-01-*")]
    shutil.copytree(published, tmp_path / "published", symlinks=True)
    with small_disk(published, 100):
        for path in kept:
            target = published / path.name
            source = tmp_path / "published" / path.name
            shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)
        (published / "segments.duckdb").symlink_to(next(published.glob("segments-*")).name)
        (published / "parquet").symlink_to(next(published.glob("parquet-*")).name)
        before = trials.contents(data)
        ballast = fill(published, but=2 * MEGABYTE)
        said, _ = trials.start(data).communicate(timeout=trials.LONGEST)
        assert "StorageFailed: the disk is full" in said, said
        assert trials.contents(data) == before
        assert not list(published.glob("*.unfinished*")), "the space is given back"
        ballast.unlink()
        trials.finish(data)
        assert trials.contents(data) == undisturbed.contents


def test_a_warehouse_that_may_not_be_written(undisturbed: Undisturbed, tmp_path: Path) -> None:
    data = trials.copy(undisturbed.data, tmp_path / "data")
    warehouse = data / "warehouse"
    shutil.copytree(warehouse, tmp_path / "warehouse")
    with small_disk(warehouse, 400):
        shutil.copytree(tmp_path / "warehouse", warehouse, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", str(warehouse)], check=True)
        said, _ = trials.start(data).communicate(timeout=trials.LONGEST)
        assert "StorageFailed: a file may not be written" in said, said
        assert "Give the user of this process the right" in said
        assert trials.contents(data) == undisturbed.contents
        subprocess.run(["mount", "-o", "remount,rw", str(warehouse)], check=True)
        trials.finish(data)
        assert trials.contents(data) == undisturbed.contents
