"""What deploy/restore refuses, before it asks compose for anything; no engine is needed."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY, FERNET = "a" * 64, "b" * 44


def fingerprint(value: str) -> str:
    return hashlib.sha256(f"tessera:{value}".encode()).hexdigest()[:16]


def about(**changed: str) -> str:
    told = {
        "format": "1",
        "made_at": "2025-12-31T00:00:00Z",
        "folders": "warehouse",
        "databases": "airflow",
        "postgresql": "17",
        "pseudonym_key": fingerprint(KEY),
        "fernet_key": fingerprint(FERNET),
        **changed,
    }
    return "".join(f"{name}={value}\n" for name, value in told.items())


def archive(folder: Path, **changed: str) -> Path:
    """A file as deploy/backup writes it, of three small parts."""
    parts = folder / "parts"
    parts.mkdir()
    (parts / "about").write_text(about(**changed))
    (parts / "data.tar.gz").write_bytes(b"data")
    (parts / "airflow.dump").write_bytes(b"dump")
    seal(parts)
    return packed(folder)


def seal(parts: Path) -> None:
    names = sorted(path.name for path in parts.iterdir() if path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256((parts / n).read_bytes()).hexdigest()}  ./{n}\n" for n in names]
    (parts / "SHA256SUMS").write_text("".join(sums))


def packed(folder: Path) -> Path:
    subprocess.run(["tar", "-cf", folder / "b.tar", "-C", folder / "parts", "."], check=True)
    return folder / "b.tar"


def restore(folder: Path, file: Path, answer: str = "") -> tuple[str, bool]:
    """What deploy/restore says, and whether it asked compose for anything."""
    (folder / ".env").write_text(f"PSEUDONYM_KEY={KEY}\nFERNET_KEY={FERNET}\n")
    called = folder / "called"
    compose = folder / "compose"
    compose.write_text(f"#!/bin/sh\ntouch {called}\nexit 1\n")
    compose.chmod(0o755)
    done = subprocess.run(
        [ROOT / "deploy" / "restore", file],
        env={**os.environ, "COMPOSE": f"{compose} --env-file {folder / '.env'}", "YES": ""},
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert not list(folder.glob(".restore.*")), "no leftovers"
    return done.stderr, called.exists()


def test_a_whole_archive_is_restored_when_a_person_says_yes(tmp_path: Path) -> None:
    assert restore(tmp_path, archive(tmp_path), "y\n")[1], "compose is asked"


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_else_nothing_is_changed(tmp_path: Path, answer: str) -> None:
    assert not restore(tmp_path, archive(tmp_path), answer)[1]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"format": "2"}, "is of format 2, this version reads 1"),
        ({"pseudonym_key": fingerprint("c" * 64)}, "another PSEUDONYM_KEY"),
    ],
)
def test_an_archive_for_another_stack_is_refused(
    tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    told, asked = restore(tmp_path, archive(tmp_path, **changed), "y\n")
    assert said in told and not asked


def test_a_damaged_part_is_found(tmp_path: Path) -> None:
    archive(tmp_path)
    (tmp_path / "parts" / "airflow.dump").write_bytes(b"dumq")
    told, asked = restore(tmp_path, packed(tmp_path), "y\n")
    assert "is damaged" in told and not asked


@pytest.mark.parametrize("part", ["airflow.dump", "data.tar.gz", "about", "SHA256SUMS"])
def test_a_missing_part_is_found(tmp_path: Path, part: str) -> None:
    archive(tmp_path)
    (tmp_path / "parts" / part).unlink()
    told, asked = restore(tmp_path, packed(tmp_path), "y\n")
    assert "b.tar is" in told and not asked


def test_a_part_without_a_checksum_is_found(tmp_path: Path) -> None:
    archive(tmp_path)
    (tmp_path / "parts" / "tessera.dump").write_bytes(b"slipped in")
    told, asked = restore(tmp_path, packed(tmp_path), "y\n")
    assert "is damaged" in told and not asked


@pytest.mark.parametrize("name", ["letter", ".bashrc", "about.sh"])
def test_another_archive_is_refused(tmp_path: Path, name: str) -> None:
    archive(tmp_path)
    (tmp_path / "parts" / name).write_text("to somebody")
    told, asked = restore(tmp_path, packed(tmp_path), "y\n")
    assert f"it holds ./{name}" in told and not asked


def test_links_are_not_followed(tmp_path: Path) -> None:
    archive(tmp_path)
    (tmp_path / "parts" / "about").unlink()
    (tmp_path / "parts" / "about").symlink_to("/etc/hostname")
    told, asked = restore(tmp_path, packed(tmp_path), "y\n")
    assert "it holds links" in told and not asked


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("to somebody")
    assert "is no archive" in restore(tmp_path, tmp_path / "letter", "y\n")[0]
    assert "there is no" in restore(tmp_path, tmp_path / "nowhere", "y\n")[0]
