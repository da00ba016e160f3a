"""What the tests of fetching share: a place to fetch into, and no waiting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tenacity

from tessera.ingest.fetch import retrying
from tessera.ingest.fetch.fetch import Fetched, fetch
from tessera.ingest.fetch.settings import Fetch

SECRETS = {"API_TOKEN": "hidden/token+of the-api"}


@pytest.fixture(autouse=True)
def _no_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that a server asks for are waited; our own are not."""
    monkeypatch.setattr(retrying, "BACKOFF", tenacity.wait_none())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


class Place:
    """An inbox with a state beside it, and what lies there."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.state = folder / "inbox", folder / "state"

    def fetch(
        self, uri: str, secret: Callable[[str], str] = SECRETS.__getitem__, **options: Any
    ) -> Fetched:
        return fetch(uri, Fetch(**options), "feed", self.inbox, self.state, secret)

    @property
    def files(self) -> list[Path]:
        return sorted(path for path in (self.inbox / "feed").rglob("*") if path.is_file())

    def lines(self) -> list[Any]:
        """Every JSON line of every file, in order."""
        return [
            json.loads(line)
            for path in self.files
            for line in path.read_text(encoding="utf-8").split("\n")
            if line
        ]

    def everything_written(self) -> str:
        found = [*self.inbox.rglob("*"), *self.state.rglob("*")]
        return "".join(path.read_text(encoding="utf-8") for path in found if path.is_file())
