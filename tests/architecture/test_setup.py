"""The set-up of `make run` on machines where it cannot work, and the law of the house."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLD_PYTHON = """#!/bin/sh
[ "$1" = -V ] && echo "Python 3.9.2" && exit 0
exit 1
"""


def make_venv(python: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "deploy" / "make-venv", python, folder / "venv"],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_python_that_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text(OLD_PYTHON)
    old.chmod(0o755)
    done = make_venv(str(old), tmp_path)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr and "Python 3.9.2" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    done = make_venv("python9.99", tmp_path)
    assert done.returncode == 1
    assert "python9.99 not found" in done.stderr


def test_a_python_without_venv(tmp_path: Path) -> None:
    (tmp_path / "venv.py").write_text("raise ImportError('Debian splits it off')")
    done = make_venv(sys.executable, tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "has no venv module" in done.stderr and "python3-venv" in done.stderr


def test_make_alone_prints_help_from_the_comments() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("run", "test", "airflow", "docs", "bench", "clean", "reset"):
        assert re.search(rf"make {target}\b", done.stdout), done.stdout


def test_every_make_command_of_the_docs_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        text = page.read_text("utf-8")
        named = re.findall(r"(?:`|\$ |&& |^    )make ([a-z-]+)", text, re.MULTILINE)
        assert set(named) <= targets, f"{page.name}: {set(named) - targets}"


def test_reset_asks_first(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    environment = {**os.environ, "TESSERA_DATA_DIR": str(data)}
    for answer, stays in (("n\n", True), ("\n", True), ("y\n", False)):
        subprocess.run(
            ["make", "reset"], cwd=ROOT, env=environment, input=answer, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert data.exists() is stays


def test_the_lock_has_hashes_and_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock and "--index" not in lock
    for requirement in re.split(r"\n(?=\S)", lock):
        if not requirement.startswith("#"):
            assert "==" in requirement and "--hash=sha256:" in requirement, requirement[:80]


SOURCES = sorted(
    file
    for folder in ("tessera", "models", "expectations", "dags", "plugins")
    for file in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_law_of_the_house(file: Path) -> None:
    assert file.stem not in ("utils", "helpers"), "one idea a module, named after it"
    text = file.read_text(encoding="utf-8")
    if file.name == "__init__.py":
        assert text == "", "__init__.py stays empty"
    assert len(text.splitlines()) <= 400, "one idea a module"
    if file != ROOT / "tessera" / "warehouse.py":
        opened = [
            node for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Attribute) and node.attr == "connect"
            and isinstance(node.value, ast.Name) and node.value.id == "duckdb"
        ]  # fmt: skip
        assert not opened, "duckdb.connect is called in tessera/warehouse.py only"
