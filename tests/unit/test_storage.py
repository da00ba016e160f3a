from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tessera import storage
from tessera.dbt import DbtFailed


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OSError(28, "No space left on device", "a.joblib"), "disk is full.*a.joblib.*MB are free"),
        (DbtFailed("orders: Could not write file: No space left on device"), "disk is full"),
        (duckdb.IOException("Cannot open file: Permission denied"), "may not be written.*right"),
        (duckdb.IOException("x\nCannot open file: Read-only file system"), "Read-only file"),
    ],
)
def test_what_the_disk_refuses_is_told_with_what_to_do(
    error: Exception, what: str, tmp_path: Path
) -> None:
    with pytest.raises(storage.StorageFailed, match=what) as failed, storage.told(tmp_path):
        raise error
    assert "last published tables are as they were" in str(failed.value)
    assert str(tmp_path) in str(failed.value)


def test_the_volume_with_the_least_space_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "published"
    small.mkdir()
    of = shutil.disk_usage
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: of(path)._replace(free=0) if path == small else of(path)
    )
    with pytest.raises(storage.StorageFailed) as failed, storage.told(tmp_path):
        raise OSError(28, "No space left on device")
    assert f"the volume of {small} (0 MB are free" in str(failed.value)


def test_the_first_cause_counts_not_the_error_while_telling_of_it(tmp_path: Path) -> None:
    with pytest.raises(storage.StorageFailed, match="No space left"), storage.told(tmp_path):
        try:
            raise OSError(28, "No space left on device")
        except OSError:
            raise duckdb.ConnectionException("closed") from None


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(duckdb.BinderException, match="no column"), storage.told(tmp_path):
        raise duckdb.BinderException("no column")
    with pytest.raises(KeyError), storage.told(tmp_path):
        raise KeyError("No space left on device")
