"""The examples of the docs, executed as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tessera import settings
from tests.pipeline.conftest import ROOT, Finished

# An example may show one source alone; settings need orders besides.
ORDERS = """
[sources.example_orders]
kind = "orders"
files = "example*"
columns = { order_id = "id", ordered_at = "at" }
"""
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_examples_are_valid(page: Path, tmp_path: Path) -> None:
    for text in blocks(page, "toml"):
        whole = text if "company =" in text else text + ORDERS
        (tmp_path / "settings.toml").write_text(whole, encoding="utf-8")
        assert settings.load(tmp_path / "settings.toml").sources


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_run(page: Path, demo_run: Finished, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(demo_run.data)
    for code in blocks(page, "python"):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "COLUMNS": "120"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
